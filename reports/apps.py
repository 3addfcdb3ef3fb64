from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from reports import (
            added,
            api,  # noqa: F401  registers its route, and what it tells and forgets of a customer
            api_figures,  # noqa: F401  registers its route
            conversion,  # noqa: F401  adds its measure
        )
        from reports.facts import follower  # noqa: F401  reads the log
        from reports.pains import measures, paths  # noqa: F401  add theirs

        added.register()
