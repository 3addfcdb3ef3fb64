from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsEmailConfig(AppConfig):
    name = "channels_email"
    verbose_name = _("E-mail")

    def ready(self) -> None:
        from channels_email import adapter  # noqa: F401  # registers its kind
