from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from reports import api  # noqa: F401  registers its route, and what it tells and forgets of a customer
        from reports.surveys import follower, tasks, told  # noqa: F401  the reader of the log, and what workers do

        told.register()
