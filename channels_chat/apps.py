from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsChatConfig(AppConfig):
    name = "channels_chat"
    verbose_name = _("Live chat")

    def ready(self) -> None:
        from channels_chat import adapter, added, keys  # noqa: F401  # registers its kind

        added.register()
        keys.register()
