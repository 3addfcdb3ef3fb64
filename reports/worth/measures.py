"""Retention, churn and lifetime value as measures of the engine.

They are of customers, not of tickets: with a filter that only tickets have there is no figure, and no ticket stands
behind one. Without imported revenue there is none either, and `extra` says so; nothing else stands in for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from lib import money
from reports.engine import groups
from reports.engine.figures import Figure, empty, ratio
from reports.engine.groups import Key
from reports.engine.measures import measure
from reports.engine.question import Question
from reports.worth import counting
from reports.worth.counting import Counts
from reports.worth.terms import terms

OF_TICKETS = ("channels", "teams", "agents", "tags", "languages", "priorities", "types", "topics", "severities")
STEPS = ("week", "month")  # in time; a day is too short for somebody to stay or leave

UNITS = {"retention": "ratio", "churn": "ratio", "clv": "money"}
KEYS = tuple(UNITS)


def _counted(question: Question, by: str | None) -> dict[Key, tuple[Counts, Question]] | str:
    """What was counted of the period, or of each step of it; a code where nothing can be."""
    if any(getattr(question, name) for name in OF_TICKETS):
        return "not_of_tickets"
    if not counting.there_is_any():
        return "no_revenue"
    if by is None:
        steps: dict[Key, Question] = {None: question}
    elif by in STEPS:
        steps = {
            key: replace(question, start=_day(groups.start_of(question, by, key), question),
                         end=_day(groups.end_of(question, by, key), question))
            for key in groups.all_keys(question, by)
        }  # fmt: skip
    else:
        steps = {}
    days, seen = terms().days, counting.seen_customers(question.viewer)
    return {key: (counting.counts(one.starts, until(one), days, seen), one) for key, one in steps.items()}


def until(question: Question) -> datetime:
    """The end of the period, or now where that has not come."""
    return min(question.ends, max(question.now, question.starts))


def _day(at: datetime, question: Question) -> date:
    return at.astimezone(question.zone).date()


def _figures(key: str, unit: str, question: Question, by: str | None) -> dict[Key, Figure]:
    found = _counted(question, by)
    if isinstance(found, str):
        return {} if by else {None: empty(key, unit, found)}
    return {group: _figure(key, counts, asked) for group, (counts, asked) in found.items()}


def figures(question: Question) -> dict[str, Figure]:
    """All of them, of the whole period: customers are counted once."""
    found = _counted(question, None)
    if isinstance(found, str):
        return {key: empty(key, unit, found) for key, unit in UNITS.items()}
    return {key: _figure(key, *found[None]) for key in KEYS}


def _figure(key: str, counts: Counts, question: Question) -> Figure:
    extra: dict[str, Any] = {"at_end": counts.end}
    if key == "retention":
        return ratio(key, counts.kept, counts.start, extra=extra)
    if key == "churn":
        return ratio(key, counts.start - counts.kept, counts.start, extra=extra)
    chosen = terms()
    extra["currency"] = chosen.currency
    value = counts.lifetime_value(chosen.margin, chosen.days, until(question) - question.starts)
    if value is None:
        extra["reason"] = "no_margin" if chosen.margin is None else "few_customers"
        return Figure(key, "money", n=counts.end, extra=extra)
    whole = value / 10 ** money.places(chosen.currency)
    return Figure(key, "money", value=whole, n=counts.end, extra=extra)


@measure("retention", "ratio")
def retention(question: Question, by: str | None) -> dict[Key, Figure]:
    """(Customers at the end − new ones) ÷ customers at the start."""
    return _figures("retention", "ratio", question, by)


@measure("churn", "ratio")
def churn(question: Question, by: str | None) -> dict[Key, Figure]:
    """1 − retention."""
    return _figures("churn", "ratio", question, by)


@measure("clv", "money")
def clv(question: Question, by: str | None) -> dict[Key, Figure]:
    """Monthly margin of a customer × min(60, 1 ÷ monthly churn), in whole units of the currency."""
    return _figures("clv", "money", question, by)
