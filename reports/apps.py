from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from reports import (  # noqa: F401  register routes, what is told and forgotten of a customer
            added,
            api,
            api_figures,
            conversion,
        )
        from reports.facts import (
            beside,
            follower,  # noqa: F401  reads the log
        )
        from reports.handling import added as handle_time
        from reports.handling import deeds, keeping, rows, talking, tasks  # noqa: F401  hears what pages tell; follows the log

        added.register()
        handle_time.register()
        beside.register(rows.of_tickets, kinds=deeds.KINDS, first=talking.remake_all)
