from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsEmailConfig(AppConfig):
    name = "channels_email"
    verbose_name = _("E-mail")

    def ready(self) -> None:
        from channels_email import adapter  # noqa: F401  # registers its kind
        from inbox import audit

        audit.says("mailbox_connected", _("%(who)s let Rabta log in to the mailbox %(channel)s (%(provider)s)"))
        audit.says("mailbox_audit_started", _("%(who)s had the mailbox %(channel)s counted"))
        audit.says("mailbox_caught_up", _("%(missing)s mails of %(channel)s were missing; %(caught_up)s came in"))
