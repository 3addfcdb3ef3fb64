"""What stands behind a figure: its tickets, each with what it adds to the number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from inbox import access
from inbox.models import Ticket
from reports.engine import groups
from reports.engine.asking import rows
from reports.engine.hiding import literal
from reports.engine.measures import ALL, Behind, In, Measure, Own, Part, Share, Summed
from reports.engine.question import Question
from reports.engine.running import counted_rows


def parts(key: str) -> tuple[str, ...]:
    """The parts of a figure that can be opened; none of one that has no tickets behind it."""
    one = ALL[key]
    return tuple(one.parts()) if isinstance(one, Summed) else one.opens if isinstance(one, Own) else ()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a list of tickets comes to, without the list."""

    amount: float = 0.0
    tickets: int = 0
    without_ticket: float = 0.0  # of the amount
    each_is_one: bool = True


def shares(key: str, question: Question, part: str = "denominator", group: In | None = None) -> list[Share]:
    """The tickets behind a part of a figure, by number, each with its amount: together they are the number exactly.

    None is whatever belongs to no ticket (an answer about none). All in memory: pages ask for `newest`. Raises KeyError
    for a key or part that there is not, ValueError for a group.
    """
    return _shares(key, question, part, group, "ORDER BY number NULLS LAST")


def totals(key: str, question: Question, part: str = "denominator", group: In | None = None) -> Totals:
    """What all of it comes to."""
    sql, params = _rows(key, question, part, group)
    asked = f"""SELECT COALESCE(SUM(amount), 0), COUNT(number), COALESCE(SUM(amount) FILTER (WHERE number IS NULL), 0),
        COALESCE(bool_and(amount = 1), TRUE) FROM ({sql}) behind"""  # noqa: S608  of our own SQL
    [(amount, tickets, rest, ones)] = rows(asked, params)
    return Totals(float(amount), tickets, float(rest), ones)


def newest(key: str, question: Question, part: str, group: In | None, at: int, most: int) -> list[Share]:
    """A page of the tickets, the newest first, from this place on."""
    return _shares(
        key, question, part, group, "WHERE number IS NOT NULL ORDER BY number DESC LIMIT %(most)s OFFSET %(at)s",
        at=at, most=most,
    )  # fmt: skip


def amounts(key: str, question: Question, part: str, group: In | None, numbers: Sequence[int]) -> dict[int, float]:
    """What each of these tickets adds; those that are none of them are left out."""
    found = _shares(key, question, part, group, "WHERE number = ANY(%(numbers)s::bigint[])", numbers=list(numbers))
    return {number: float(amount) for number, amount in found if number is not None}


def tickets(key: str, question: Question, part: str = "denominator", group: In | None = None) -> QuerySet[Ticket]:
    """The same tickets as a queryset, of which `question.viewer` sees each."""
    found = Ticket.objects.all() if question.viewer is None else access.tickets(question.viewer)
    sql, params = _rows(key, question, part, group, summed=False)
    number = literal(f"SELECT number FROM ({sql}) behind WHERE number IS NOT NULL", params)  # noqa: S608
    return found.filter(pk__in=RawSQL(number, ()))  # noqa: S611  of our own SQL, its values quoted by the driver


def _shares(key: str, question: Question, part: str, group: In | None, which: str, **more: Any) -> list[Share]:
    sql, params = _rows(key, question, part, group)
    return [(number, amount) for number, amount in rows(f"SELECT * FROM ({sql}) behind {which}", {**params, **more})]  # noqa: S608


def _rows(key: str, question: Question, part: str, group: In | None, *, summed: bool = True) -> Behind:
    """SQL of `number` and `amount`: a row a ticket, or (not `summed`) what they are made of."""
    one = ALL[key]
    if isinstance(one, Own):
        return one.shares(question, part, group)
    if not summed:
        return _sql(one, question, part, group, "f.ticket_id AS number")
    sql, params = _sql(one, question, part, group, "f.ticket_id AS number, SUM({amount}) AS amount")
    return f"{sql} GROUP BY 1", params


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
