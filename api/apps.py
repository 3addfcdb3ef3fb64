from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "api"
    verbose_name = _("API")

    def ready(self) -> None:
        # Registered by being imported: how our tokens authenticate, and what ends with whoever is switched off.
        from api import farewell, schema  # noqa: F401
