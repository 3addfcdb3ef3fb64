"""What is unsolved at a moment, and how that went on from day to day."""

from __future__ import annotations

from reports.engine.measures import Count, add
from reports.engine.sources import Source
from reports.models import SpanState

AT = Source(
    "reports_spanfact",
    base="f.started_at <= %(moment)s AND (f.ended_at > %(moment)s OR f.ended_at IS NULL)",
)
EVER = Source("reports_spanfact", base="f.started_at <= %(moment)s AND (f.ended_at > %(starts)s OR f.ended_at IS NULL)")
AGES = (("day", 0, 1), ("three_days", 1, 3), ("week", 3, 7), ("month", 7, 30), ("older", 30, None))  # in days
AGE = "f.unsolved_since {sign} %(moment)s - INTERVAL '{days} days'"


def _aged(least: int, most: int | None) -> str:
    found = [AGE.format(sign="<=", days=least)]
    if most is not None:
        found.append(AGE.format(sign=">", days=most))
    return " AND ".join(found)


STATES = {state.value: f"f.state = '{state.value}'" for state in SpanState}
BACKLOG = Count(
    key="backlog",
    source=AT,
    beside={**STATES, **{name: _aged(least, most) for name, least, most in AGES}},
)
add(BACKLOG)
