from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "api"
    verbose_name = _("API")

    def ready(self) -> None:
        # Registered by being imported: how tokens authenticate in the description, what ends with whoever is switched
        # off, the follower of the log, the main screen's strip, the settings.
        from api import farewell, notices, pages, schema  # noqa: F401
        from api.webhooks import examples, follower  # noqa: F401
