from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from reports import api, api_figures, seeding  # noqa: F401  register routes, what is told and forgotten
        from reports.facts import follower  # noqa: F401  reads the log
        from reports.handling import added as handle_time
        from reports.handling import keeping, tasks  # noqa: F401  hears what pages tell; follows the log
        from reports.worth import api as worth  # noqa: F401  the same of revenue
        from reports.worth import follower as of_worth  # noqa: F401  reads the log
        from reports.worth import measures, screens  # noqa: F401  adds its measures to the engine

        handle_time.register()
        screens.register()
        seeding.register()
