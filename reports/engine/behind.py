"""What stands behind a figure: its tickets, each with what it adds to the number."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from inbox import access
from inbox.models import Ticket
from reports.engine import groups
from reports.engine.measures import ALL, In, Measure, Own, Part, Share, Summed
from reports.engine.question import Question
from reports.engine.running import counted_rows
from reports.engine.sources import literal


def parts(key: str) -> tuple[str, ...]:
    """The parts of a figure that can be opened; none of one that has no tickets behind it."""
    one = ALL[key]
    return tuple(one.parts()) if isinstance(one, Summed) else one.opens if isinstance(one, Own) else ()


def shares(key: str, question: Question, part: str = "denominator", group: In | None = None) -> list[Share]:
    """The tickets behind a part of a figure, by number, each with its amount: together they are the number exactly.

    None is whatever belongs to no ticket (an answer about none). Raises KeyError for a key or part that there is not,
    ValueError for a group.
    """
    one = ALL[key]
    if isinstance(one, Own):
        return one.shares(question, part, group)
    sql, params = _sql(one, question, part, group, "f.ticket_id, SUM({amount})")
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} GROUP BY 1 ORDER BY 1 NULLS LAST", params)
        return [(number, amount) for number, amount in cursor.fetchall()]


def tickets(key: str, question: Question, part: str = "denominator", group: In | None = None) -> QuerySet[Ticket]:
    """The same tickets as a queryset, of which `question.viewer` sees each."""
    one = ALL[key]
    found = Ticket.objects.all() if question.viewer is None else access.tickets(question.viewer)
    if isinstance(one, Own):
        return found.filter(pk__in=[number for number, _ in one.shares(question, part, group) if number is not None])
    sql, params = _sql(one, question, part, group, "f.ticket_id")
    number = literal(f"{sql} AND f.ticket_id IS NOT NULL", params)
    return found.filter(pk__in=RawSQL(number, ()))  # noqa: S611  of our own SQL, its values quoted by the driver


def _sql(one: Measure, question: Question, part: str, group: In | None, selected: str) -> tuple[str, dict[str, Any]]:
    """A SELECT of the rows behind a part, and its parameters."""
    assert isinstance(one, Summed)
    chosen = _part(one, part, question)
    by, key = group or (None, None)
    params = question.params()
    if by in groups.STRETCHES:  # a period of its own; of what is no event, how it stood at its end
        params["starts"], params["ends"] = groups.start_of(question, by, key), groups.end_of(question, by, key)
        params["moment"] = min(params["ends"], question.now)
        by = None
    elif by == "hour_of_week":
        params.update(groups.hours(question))
    outer, expression = counted_rows(one.source, question, by)
    # The rows of a source that makes its own are within brackets: what is said of them begins a WHERE.
    word = "WHERE" if one.source.inner else "AND"
    sql = f"SELECT {selected.format(amount=chosen.amount)} {outer} {word} ({chosen.where})"
    if by is not None:
        sql += f" AND {expression} IS NOT DISTINCT FROM %(group)s"
        params["group"] = groups.value_of(key, by)
    return sql, params


def _part(one: Summed, name: str, question: Question) -> Part:
    """By its name; `denominator` and `n` are all that a figure rests on, whatever it calls that."""
    found = one.parts(business=question.business)
    if name not in found and name in ("denominator", "n"):
        return next(iter(found.values()))
    return found[name]
