"""What is unsolved at a moment, and how that went on from day to day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from reports.engine import groups
from reports.engine.asking import Query
from reports.engine.figures import Figure
from reports.engine.groups import Key
from reports.engine.measures import Count, add
from reports.engine.question import Question
from reports.engine.sources import Source
from reports.models import SpanState

# A span is unsolved from its start on, and no more at its end.
# In two ranges of one index: what has ended since, and what has not.
STANDING = """(SELECT * FROM reports_spanfact WHERE ended_at > %(moment)s AND started_at <= %(moment)s
 UNION ALL SELECT * FROM reports_spanfact WHERE ended_at IS NULL AND started_at <= %(moment)s)"""
AT = Source(STANDING)
SPANS = Source("reports_spanfact")
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

    def over_time(
        self, question: Question, by: str, *, brief: bool = False
    ) -> Query[dict[Key, dict[str, Figure]]] | None:
        """At the end of each day, week or month that has begun; counted back from the last, by what came and went.

        Beside each stands by whom they waited for then; `brief` leaves that out, for a fraction of the rows.
        """
        if by == "hour_of_week":
            return None
        keys = [key for key in groups.all_keys(question, by) if groups.start_of(question, by, key) <= question.now]

        def read(rows: list[tuple[Any, ...]]) -> dict[Key, dict[str, Figure]]:
            moves: dict[str | None, Counter[Key]] = {}
            for key, state, number in rows:
                moves.setdefault(state, Counter())[key] = number
            standing = {state: came_and_went.pop(None, 0) for state, came_and_went in moves.items()}
            found: dict[Key, dict[str, Figure]] = {}
            for key in reversed(keys):
                number = sum(standing.values())
                extra = {state: standing.get(state, 0) for state in ([] if brief else STATES)}
                made = Figure(self.key, self.unit, value=number, numerator=number, n=number, extra=extra)
                found[key] = {self.key: made}
                for state, came_and_went in moves.items():
                    standing[state] -= came_and_went[key]
            return found

        sql = _moves(question) if brief else _moves_by_state(question)
        return Query(sql, {**question.params(), **groups.stretches(question, by)}, read)


def _moves_by_state(question: Question) -> str:
    """As `_moves`, of each state: each span counts, whatever the ticket did before and after."""
    rows = SPANS.conditions(question)

    def counted(at: str, sign: str) -> str:
        within = f"f.{at} > part.begins AND f.{at} <= LEAST(part.finishes, %(moment)s)"
        return f"SELECT f.state, {sign}COUNT(*) AS number FROM {SPANS.table} f WHERE {within} AND {rows} GROUP BY 1"  # noqa: S608

    standing = f"SELECT NULL, f.state, COUNT(*) FROM {AT.table} f WHERE {AT.conditions(question)} GROUP BY 2"  # noqa: S608
    moved = f"{counted('started_at', '')} UNION ALL {counted('ended_at', '-')}"
    each = f"SELECT part.key, one.state, SUM(one.number)::bigint FROM {groups.PARTS} CROSS JOIN LATERAL ({moved}) one"  # noqa: S608
    return f"{standing} UNION ALL {each} GROUP BY 1, 2"


def _moves(question: Question) -> str:
    """By how much each stretch of time changed it; under no key what there is at the end."""
    rows = SPANS.conditions(question)
    # Where only the ticket matters, and not who had it, what lies between entering and leaving is passed over.
    whole = not (question.teams or question.agents or question.priorities)
    enters, leaves = (" AND f.enters", " AND f.leaves") if whole else ("", "")

    def counted(at: str, only: str) -> str:
        # What happens at the very end of a stretch belongs to it, as it does to the backlog of that moment.
        within = f"f.{at} > part.begins AND f.{at} <= LEAST(part.finishes, %(moment)s)"
        return f"(SELECT COUNT(*) FROM {SPANS.table} f WHERE {within}{only} AND {rows})"  # noqa: S608

    standing = f"SELECT NULL, NULL, COUNT(*) FROM {AT.table} f WHERE {AT.conditions(question)}"  # noqa: S608
    moved = f"{counted('started_at', enters)} - {counted('ended_at', leaves)}"
    return f"{standing} UNION ALL SELECT part.key, NULL, {moved} FROM {groups.PARTS}"  # noqa: S608


add(
    Backlog(
        key="backlog",
        source=AT,
        beside={**STATES, **{name: _aged(least, most) for name, least, most in AGES}},
    )
)
