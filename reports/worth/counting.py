"""Who was a customer at two instants, in one read of revenue: what retention, churn and lifetime value are made of.

A customer at t is who brought more than nothing in (t − days, t].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from inbox import access
from inbox.models import Agent
from reports.models import Revenue

LEAST = 30  # customers below which a lifetime value is chance
LONGEST = 60  # months that a customer is thought to stay at most
MONTH = 365.25 / 12  # days

SUMS = """
WITH paid AS (
    SELECT customer_id, sum(amount) FILTER (WHERE at <= %(start)s) AS was,
           sum(amount) FILTER (WHERE at > %(end_since)s) AS now
    FROM reports_revenue WHERE at > %(since)s AND at <= %(end)s {only}
    GROUP BY customer_id
)
"""
COUNTS = """
SELECT count(*) FILTER (WHERE was > 0), count(*) FILTER (WHERE was > 0 AND now > 0),
       count(*) FILTER (WHERE now > 0), coalesce(sum(now) FILTER (WHERE now > 0), 0)::bigint
FROM paid
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Customers at the start, those of them who are at the end too, customers at the end, and what these paid in the
    days before it.
    """

    start: int
    kept: int
    end: int
    revenue: int

    @property
    def retention(self) -> float | None:
        """(customers at the end − new) ÷ customers at the start."""
        return self.kept / self.start if self.start else None

    @property
    def churn(self) -> float | None:
        return None if self.retention is None else 1 - self.retention

    def lifetime_value(self, margin: float | None, days: int, period: timedelta) -> float | None:
        """Monthly margin of a customer × the months that they stay, as churn in `period` says; None where few are."""
        if margin is None or self.churn is None or min(self.start, self.end) < LEAST or not period:
            return None
        months = period / timedelta(days=MONTH)
        monthly = 1 - (1 - self.churn) ** (1 / months)
        stays = min(LONGEST, 1 / monthly) if monthly > 0 else LONGEST
        return self.revenue / self.end / (days / MONTH) * margin * stays


def counts(start: datetime, end: datetime, days: int, only: QuerySet[Any] | None = None) -> Counts:
    """`only` are the ids of customers to whom it is narrowed."""
    where, values = narrowed("customer_id", only)
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(only=where) + COUNTS, {**window(start, end, days), **values})
        return Counts(*cursor.fetchone())


def there_is_any() -> bool:
    return Revenue.objects.exists()


def window(start: datetime, end: datetime, days: int) -> dict[str, Any]:
    lasts = timedelta(days=days)
    return {"start": start, "since": start - lasts, "end": end, "end_since": end - lasts}


def narrowed(column: str, only: QuerySet[Any] | None) -> tuple[str, Mapping[str, Any]]:
    """A condition for text of SQL that a column is one of a queryset's, and its parameters by name."""
    if only is None:
        return "", {}
    sql, params = only.query.sql_with_params()
    names = [f"{column}_{place}" for place in range(len(params))]
    named = sql % tuple(f"%({name})s" for name in names)
    return f"AND {column} IN ({named})", dict(zip(names, params, strict=True))


def seen_customers(viewer: Agent | None) -> QuerySet[Any] | None:
    """Ids of the customers that somebody sees; None where they see all."""
    if viewer is None or not _hides(viewer):
        return None
    return access.customers(viewer).order_by().values("pk")


def seen_tickets(viewer: Agent | None) -> QuerySet[Any] | None:
    if viewer is None or not _hides(viewer):
        return None
    return access.tickets(viewer).order_by().values("pk")


def _hides(viewer: Agent) -> bool:
    hidden = access.sight(viewer)
    return bool(hidden.hidden_channels or hidden.hidden_teams)
