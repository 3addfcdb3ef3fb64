"""What reports hang into the other parts of Rabta once all apps are there."""

from reports import (
    added,
    api,  # noqa: F401  registers its routes, and what is told and forgotten of a customer
    api_figures,  # noqa: F401  registers its route
    conversion,  # noqa: F401  adds its measure
)
from reports.facts import (
    beside,
    follower,  # noqa: F401  reads the log
)
from reports.handling import (
    added as handle_time,
)
from reports.handling import (
    deeds,
    keeping,  # noqa: F401  hears what pages tell
    rows,
    talking,
)
from reports.handling import (
    tasks as handling_tasks,  # noqa: F401  what workers do; reads the log
)
from reports.surveys import (
    follower as surveys_follower,  # noqa: F401  reads the log
)
from reports.surveys import (
    tasks as survey_tasks,  # noqa: F401  what workers do
)
from reports.surveys import told


def connect() -> None:
    added.register()
    handle_time.register()
    told.register()
    beside.register(rows.of_tickets, kinds=deeds.KINDS, first=talking.remake_all)
