from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsChatConfig(AppConfig):
    name = "channels_chat"
    verbose_name = _("Live chat")

    def ready(self) -> None:
        from channels_chat import (
            adapter,  # noqa: F401  # registers its kind
            added,
            api,  # noqa: F401  # registers its route
            keys,
        )
        from channels_chat.actions import forgetting  # noqa: F401  # what it carries, tells and forgets of a customer
        from channels_chat.models import JourneyRun
        from inbox import audit, journeys_kept

        audit.says("chat_secret_shown", _("%(who)s looked at the secret of the chat %(channel)s"))
        journeys_kept.keep(JourneyRun.objects.all)
        added.register()
        keys.register()
