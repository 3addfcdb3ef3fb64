"""Whether customers stay, beside what they went through with us: one read of revenue, tickets and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.utils.translation import gettext_lazy

from inbox.models import Agent
from reports.engine.choices import left_out
from reports.engine.sources import LEFT_OUT
from reports.worth.counting import SUMS, narrowed, seen_customers, seen_tickets, window

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Each a condition over what happened to a customer in the period.
SEGMENTS: dict[str, tuple[StrOrPromise, str]] = {
    "all": (gettext_lazy("All customers"), "true"),
    "never": (gettext_lazy("Never wrote to us"), "t.customer_id IS NULL"),
    "contacted": (gettext_lazy("Wrote to us"), "t.customer_id IS NOT NULL"),
    "fine": (gettext_lazy("Wrote, and nothing came up again"), "t.solved AND NOT t.reopened"),
    "reopened": (gettext_lazy("Something came up again after it was solved"), "t.reopened"),
    "good": (gettext_lazy("Were satisfied (4 or 5 of 5)"), "a.worst >= 4"),
    "bad": (gettext_lazy("Were not satisfied (3 of 5 or less)"), "a.worst <= 3"),
}
FROM = """
, t AS (
    SELECT customer_id, bool_or(first_solved_at IS NOT NULL) AS solved,
           coalesce(bool_or(reopened_at < first_solved_at + %(window)s), false) AS reopened
    FROM reports_ticketfact WHERE opened_at >= %(start)s AND opened_at < %(end)s AND NOT imported {tickets}
    GROUP BY customer_id
), a AS (
    SELECT customer_id, min(value) AS worst
    FROM reports_answerfact WHERE kind = 'csat' AND answered_at >= %(start)s AND answered_at < %(end)s
         AND value IS NOT NULL AND NOT imported {tickets}
    GROUP BY customer_id
)
SELECT {columns} FROM paid LEFT JOIN t USING (customer_id) LEFT JOIN a USING (customer_id) WHERE was > 0
"""


@dataclass(frozen=True, slots=True)
class Segment:
    key: str
    label: StrOrPromise
    n: int  # customers at the start
    kept: int  # of them at the end
    paid: int  # what they paid in the days before the start

    @property
    def retention(self) -> float | None:
        return self.kept / self.n if self.n else None


def segments(start: datetime, end: datetime, days: int, again: int, viewer: Agent | None = None) -> list[Segment]:
    """Customers at `start`, in groups by what happened until `end`; `again` are the days within which a re-open counts.

    Groups overlap: whoever wrote twice may have been satisfied and have had a re-open.
    """
    only, values = narrowed("customer_id", seen_customers(viewer))
    tickets, of_tickets = narrowed("ticket_id", seen_tickets(viewer))
    names = left_out()
    if names:
        tickets += f" AND (ticket_id IS NULL OR ticket_id NOT IN ({LEFT_OUT}))"
    columns = ", ".join(
        f"count(*) FILTER (WHERE {where}), count(*) FILTER (WHERE {where} AND now > 0),"
        f" coalesce(sum(was) FILTER (WHERE {where}), 0)::bigint"
        for _label, where in SEGMENTS.values()
    )
    told = {**window(start, end, days), **values, **of_tickets, "window": timedelta(days=again)}
    told["left_out"] = list(names)
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(only=only) + FROM.format(tickets=tickets, columns=columns), told)
        row = cursor.fetchone()
    return [
        Segment(key, label, *row[3 * place : 3 * place + 3]) for place, (key, (label, _)) in enumerate(SEGMENTS.items())
    ]
