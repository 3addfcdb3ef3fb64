"""What is unsolved at a moment, and how that went on from day to day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from django.db import connection

from reports.engine import groups
from reports.engine.figures import Figure
from reports.engine.groups import Key
from reports.engine.measures import Count, add
from reports.engine.question import Question
from reports.engine.sources import Source
from reports.models import SpanState

# A span is unsolved from its start on, and no more at its end.
AT = Source(
    "reports_spanfact",
    base="f.started_at <= %(moment)s AND (f.ended_at > %(moment)s OR f.ended_at IS NULL)",
)
SPANS = replace(AT, base="")
AGES = (("day", 0, 1), ("three_days", 1, 3), ("week", 3, 7), ("month", 7, 30), ("older", 30, None))  # in days
STATES = {state.value: f"f.state = '{state.value}'" for state in SpanState}


def _aged(least: int, most: int | None) -> str:
    """Unsolved for this many days at least, and less than that many."""
    found = [f"f.unsolved_since <= %(moment)s - INTERVAL '{least * 24} hours'"] if least else []
    if most is not None:
        found.append(f"f.unsolved_since > %(moment)s - INTERVAL '{most * 24} hours'")
    return " AND ".join(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog(Count):
    """How many are unsolved at the moment of the question, by state and by age."""

    def over_time(self, question: Question, by: str) -> dict[Key, Figure]:
        """At the end of each day, week or month that has begun; counted back from the last, by what came and went."""
        if by == "hour_of_week":
            return {}
        keys = [key for key in groups.all_keys(question, by) if groups.start_of(question, by, key) <= question.now]
        came_and_went = self._moves(question, by)
        standing = came_and_went.pop(None, 0)
        found: dict[Key, Figure] = {}
        for key in reversed(keys):
            found[key] = Figure(self.key, self.unit, value=standing, numerator=standing, n=standing)
            standing -= came_and_went[key]
        return found

    def _moves(self, question: Question, by: str) -> Counter[Key]:
        """By how much each stretch of time changed it; under None what there is at the end."""
        rows = SPANS.conditions(question)
        # Where only the ticket matters, and not who had it, what lies between entering and leaving is passed over.
        whole = not (question.teams or question.agents or question.priorities)
        enters, leaves = (" AND f.enters", " AND f.leaves") if whole else ("", "")
        moves = [f"SELECT NULL::date AS g, COUNT(*) AS n FROM {SPANS.table} f WHERE {AT.conditions(question)}"]  # noqa: S608
        for at, sign, only in (("started_at", "", enters), ("ended_at", "-", leaves)):
            # What happens at the very end of a stretch belongs to it, as it does to the backlog of that moment.
            group = groups.bucket(f"f.{at} - INTERVAL '1 microsecond'", by)
            within = f"f.{at} > %(starts)s AND f.{at} <= %(moment)s"
            moved = f"FROM {SPANS.table} f WHERE {within}{only} AND {rows} GROUP BY 1"
            moves.append(f"SELECT {group}, {sign}COUNT(*) {moved}")
        found: Counter[Key] = Counter()
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(moves), question.params())
            for value, number in cursor.fetchall():
                found[groups.key_of(value, by)] += number
        return found


add(
    Backlog(
        key="backlog",
        source=AT,
        beside={**STATES, **{name: _aged(least, most) for name, least, most in AGES}},
    )
)
