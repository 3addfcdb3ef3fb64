"""What the page of pain points adds to the figures: contacts of a customer, and the eight weeks before."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from reports.definitions import DEFINITIONS, Definition
from reports.engine.figures import Figure
from reports.engine.measures import Count, Part, Row, Summed, add
from reports.engine.of_tickets import OPENED
from reports.engine.question import Question
from reports.engine.sources import Source

WEEKS = 8

# The days of the period, cut at now, as they lay in each of the weeks before by the clocks of the zone.
_WEEK = "((%({at})s::timestamptz AT TIME ZONE %(zone)s) - INTERVAL '{week} weeks') AT TIME ZONE %(zone)s"


def _in_week(week: int) -> str:
    starts, ends = _WEEK.format(at="starts", week=week), _WEEK.format(at="moment", week=week)
    return f"f.opened_at >= {starts} AND f.opened_at < {ends}"


BEFORE = Source("reports_ticketfact", base=f"({' OR '.join(_in_week(week) for week in range(1, WEEKS + 1))})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts(Summed):
    """Tickets opened, by the number of customers who opened them."""

    unit: str = "count"

    def columns(self, question: Question) -> dict[str, str]:
        return {"n": "COUNT(*)", "customers": "COUNT(DISTINCT f.customer_id)"}

    def figure(self, question: Question, row: Row) -> Figure:
        n, customers = row["n"] or 0, row["customers"] or 0
        value = n / customers if customers else None
        return Figure(self.key, self.unit, value=value, numerator=n, n=n, extra={"customers": customers})

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        return {"n": Part()}


add(Contacts(key="contacts", source=OPENED))
add(Count(key="eight_weeks", source=BEFORE))

DEFINITIONS["contacts"] = Definition(
    _("Contacts per customer"),
    "count",
    _(
        "Tickets that customers opened, by the number of customers who opened one or more. The day is that of the "
        "first message."
    ),
    "down",
)
DEFINITIONS["eight_weeks"] = Definition(
    _("The eight weeks before"),
    "count",
    _(
        "Tickets opened by customers in the same days of each of the eight weeks before; while the period still runs,"
        " up "
        "to the same time of the day. An eighth of it is what a week would be expected to bring."
    ),
)
