from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    name = "inbox"
    verbose_name = _("Inbox")

    def ready(self) -> None:
        from inbox import acknowledge, processes  # noqa: F401  (registers the follower and the heartbeats)
        from inbox.search import follower  # noqa: F401
