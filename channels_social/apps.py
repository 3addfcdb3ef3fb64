from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsSocialConfig(AppConfig):
    name = "channels_social"
    verbose_name = _("Messengers and social networks")

    def ready(self) -> None:
        """Each platform is a folder with an `adapter`, which registers its kind."""
        for folder in iter_modules([self.path], f"{self.name}."):
            if folder.ispkg and folder.name.rsplit(".", 1)[-1] != "management":
                import_module(f"{folder.name}.adapter")

        from channels_social import (
            comments,
            rest,  # noqa: F401  # registers its route
        )

        comments.register()
