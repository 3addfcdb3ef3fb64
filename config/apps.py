import gc

from django.apps import AppConfig


class Config(AppConfig):
    """The house: commands and system checks that belong to no part of the domain."""

    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401 (registers the checks)

        gc.freeze()
        gc.enable()
