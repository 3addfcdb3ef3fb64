from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from reports import api, seeding  # noqa: F401  registers its route, and what it tells and forgets of a customer
        from reports.facts import follower  # noqa: F401  reads the log
        from reports.worth import api as worth  # noqa: F401  the same of revenue
        from reports.worth import follower as of_worth  # noqa: F401  reads the log
        from reports.worth import measures, screens  # noqa: F401  adds its measures to the engine

        screens.register()
        seeding.register()
        from reports import api, api_figures  # noqa: F401  register routes, what is told and forgotten of a customer
