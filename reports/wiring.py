"""What reports hang into the other parts of Rabta once all apps are there."""

from reports import (
    added,
    api,  # noqa: F401  registers its routes, and what is told and forgotten of a customer
    api_figures,  # noqa: F401  registers its route
    conversion,  # noqa: F401  adds its measure
    seeding,
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
from reports.pains import (
    measures as pain_measures,  # noqa: F401  adds its measures
)
from reports.pains import (
    paths,  # noqa: F401  adds its measure
)
from reports.surveys import (
    follower as surveys_follower,  # noqa: F401  reads the log
)
from reports.surveys import (
    tasks as survey_tasks,  # noqa: F401  what workers do
)
from reports.surveys import told
from reports.worth import (
    api as worth_api,  # noqa: F401  registers its route
)
from reports.worth import (
    follower as worth_follower,  # noqa: F401  reads the log
)
from reports.worth import (
    measures,  # noqa: F401  adds its measures to the engine
)
from reports.worth import screens as worth_screens


def connect() -> None:
    added.register()
    handle_time.register()
    told.register()
    worth_screens.register()
    seeding.register()
    beside.register(rows.of_tickets, kinds=deeds.KINDS, first=talking.remake_all)
