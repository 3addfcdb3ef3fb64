"""Tickets: opened, solved, solved in one contact, opened again, and those that still wait."""

from dataclasses import dataclass, replace

from reports.engine.figures import Figure
from reports.engine.measures import Count, Duration, Ratio, Row, add
from reports.engine.question import Question
from reports.engine.sources import Source

WAITING = Source("reports_ticketfact", base="f.waiting_since IS NOT NULL AND f.waiting_since <= %(now)s")
OPENED = Source("reports_ticketfact", at="opened_at")
BEGAN = Source("reports_ticketfact", at="ours_at")
FIRST = Source(
    "reports_ticketfact",
    at="first_solved_at",
    team="first_team_id",
    agent="first_agent_id",
    priority="first_priority",
)
LAST = Source(
    "reports_ticketfact", at="last_solved_at", team="last_team_id", agent="last_agent_id", priority="last_priority"
)
WINDOW = "make_interval(hours => %(window)s)"  # elapsed hours, whatever the clocks do
UNTIL = f"f.first_solved_at + {WINDOW}"
OPEN = f"{UNTIL} > %(now)s"
REOPENED = f"f.reopened_at < {UNTIL}"
ANSWERED = "f.answers_before > 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Count):
    """Beside their number, how long the oldest of them has waited."""

    def columns(self, question: Question) -> dict[str, str]:
        return {**Count.columns(self, question), "oldest": "MIN(f.waiting_since)"}

    def figure(self, question: Question, row: Row) -> Figure:
        oldest = row["oldest"]
        seconds = None if oldest is None else int((question.now - oldest).total_seconds())
        return replace(Count.figure(self, question, row), extra={"oldest": seconds})


add(Waiting(key="waiting", source=WAITING))
add(
    Duration(
        key="resolution_first",
        unit="seconds",
        source=FIRST,
        column="resolution_first",
        business="resolution_first_business",
    )
)
STILL = f"f.last_solved_at + {WINDOW} > %(now)s"
add(
    Duration(
        key="resolution_full",
        unit="seconds",
        source=LAST,
        column="resolution_full",
        business="resolution_full_business",
        provisional=STILL,
    )
)
add(
    Duration(
        key="customer_wait",
        unit="seconds",
        source=LAST,
        column="customer_wait",
        business="customer_wait_business",
        provisional=STILL,
    )
)
add(Ratio(key="one_touch", source=FIRST, denominator=ANSWERED, numerator="f.one_touch"))
add(
    Ratio(
        key="fcr",
        source=FIRST,
        denominator=ANSWERED,
        numerator=f"f.one_contact AND ({REOPENED}) IS NOT TRUE AND (f.repeat_at < {UNTIL}) IS NOT TRUE"
        f" AND (f.denied_at <= {UNTIL}) IS NOT TRUE",
        provisional=OPEN,
    )
)
add(Ratio(key="reopen_rate", source=FIRST, numerator=REOPENED, provisional=OPEN))
add(Count(key="solved", source=FIRST))
add(Count(key="volume", source=OPENED))
add(Count(key="ours_only", source=BEGAN))
