"""The tickets behind a number: which figure, part and group, read from an address and checked; and their list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from inbox import access
from inbox.models import Agent, Ticket
from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine import Figure, Question, Totals
from reports.engine.groups import PATH, is_known, key_of, labels, value_of
from reports.engine.measures import In
from reports.pages import asked as asking
from reports.pages import words
from reports.pages.asked import Asked
from reports.pains.paths import KEY as PATHS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 50
PARTS: dict[str, StrOrPromise] = {
    "numerator": gettext_lazy("Those that count for it"),
    "denominator": gettext_lazy("All that it is a share of"),
    "rest": gettext_lazy("Those that count against it"),
    "provisional": gettext_lazy("Those that can still change"),
    "n": gettext_lazy("All of them"),
    "us": gettext_lazy("Waiting on us"),
    "customer": gettext_lazy("Waiting on the customer"),
    "hold": gettext_lazy("On hold"),
    "snoozed": gettext_lazy("Snoozed"),
    "bot": gettext_lazy("With a bot"),
    "promoters": gettext_lazy("Promoters"),
    "detractors": gettext_lazy("Detractors"),
    "passives": gettext_lazy("Neither promoters nor detractors"),
    "day": gettext_lazy("Unsolved for less than a day"),
    "three_days": gettext_lazy("Unsolved for one to three days"),
    "week": gettext_lazy("Unsolved for three to seven days"),
    "month": gettext_lazy("Unsolved for one to four weeks"),
    "older": gettext_lazy("Unsolved for over a month"),
}


@dataclass(frozen=True)
class Behind:
    """What a list of tickets stands for. `of` raises KeyError (no such figure or part) and ValueError (group)."""

    asked: Asked
    figure: str
    part: str
    by: str = ""
    group: Any = None

    @classmethod
    def of(cls, asked: Asked, params: QueryDict) -> Behind:
        key, part, by = params.get("figure", ""), params.get("part", ""), params.get("by", "")
        opens = engine.parts(key)
        if not opens:
            raise KeyError(key)
        part = part or opens[0]
        if part not in opens:
            raise KeyError(part)
        if not by:
            return cls(asked, key, part)
        if not is_known(by) or (by == PATH) != (key == PATHS):
            raise ValueError(by)
        typed = params.get("group", "")[:200]
        return cls(asked, key, part, by, key_of(value_of(typed, by), by) if typed else None)

    @property
    def title(self) -> str:
        return str(DEFINITIONS[self.figure].title)

    @property
    def part_words(self) -> str:
        known = PARTS.get(self.part)
        return str(known) if known else self.part

    @property
    def group_words(self) -> str:
        return labels([self.group], self.by)[self.group] if self.by else ""

    @property
    def parts(self) -> list[tuple[str, str, bool]]:
        """The other parts of this figure: what each is called, the parameters, whether it is this one."""
        opens = engine.parts(self.figure)
        if "n" in opens:  # of a count, all of them and those that count are the same
            opens = tuple(part for part in opens if part != "numerator" or part == self.part)
        return [(str(PARTS.get(part, part)), self.query(part), part == self.part) for part in opens]

    def pairs(self, part: str = "") -> list[tuple[str, str]]:
        found = [("figure", self.figure), ("part", part or self.part)]
        if self.by:
            found += [("by", self.by), ("group", "" if self.group is None else str(self.group))]
        return [*found, *self.asked.pairs()]

    def query(self, part: str = "") -> str:
        return urlencode(self.pairs(part))

    @property
    def _what(self) -> tuple[str, Question, str, In | None]:
        return self.figure, self.asked.question, self.part, (self.by, self.group) if self.by else None

    @cached_property
    def totals(self) -> Totals:
        return engine.totals(*self._what)

    @cached_property
    def computed(self) -> Figure:
        """The figure itself, of this group where one is named."""
        question = self.asked.question
        if not self.by:
            return engine.figure(self.figure, question)
        groups = engine.grouped([self.figure], question, self.by)
        found = next((one.figures[self.figure] for one in groups if one.key == self.group), None)
        return found or Figure(self.figure, DEFINITIONS[self.figure].unit)

    @property
    def total(self) -> float:
        return self.totals.amount

    @property
    def total_words(self) -> str:
        return _in_words(self.total)

    @property
    def count(self) -> int:
        return self.totals.tickets

    @property
    def without_ticket(self) -> str:
        """What of the number belongs to no ticket."""
        rest = self.totals.without_ticket
        return words.number(rest) if rest else ""

    @property
    def each_is_one(self) -> bool:
        return self.totals.each_is_one

    @property
    def said(self) -> str:
        """The figure in a line, so that list and card can be held beside each other."""
        figure = self.computed
        return words.list_of([words.said(figure.unit, figure.value), words.basis(figure)])

    def rows(self, at: int) -> list[tuple[int, float]]:
        """Each ticket of the page at this place with what it adds, the newest first."""
        found = engine.newest(*self._what, at, PAGE)
        return [(number, float(amount)) for number, amount in found if number is not None]

    def page(self, at: int) -> Sequence[Ticket]:
        """The same as tickets, each with its amount, as far as they are seen."""
        mine = self.rows(at)
        rows = access.tickets(self.asked.viewer).select_related("customer", "channel", "assignee")
        found = rows.in_bulk([number for number, _amount in mine])
        kept = []
        for number, amount in mine:
            if (ticket := found.get(number)) is not None:
                ticket.amount = _in_words(amount)  # type: ignore[attr-defined]
                kept.append(ticket)
        return kept

    def tickets(self) -> QuerySet[Ticket]:
        return engine.tickets(*self._what)

    def amounts(self, numbers: Sequence[int]) -> dict[int, float]:
        """What each of these tickets adds."""
        return engine.amounts(*self._what, numbers)

    def frozen(self) -> dict[str, Any]:
        """The same as a long job keeps it: by its days, whatever day it is by then, and with when it was asked."""
        fixed = replace(self, asked=replace(self.asked, period=""))
        return {"query": fixed.query(), "at": self.asked.now.isoformat()}


def thawed(agent: Agent, told: Mapping[str, Any]) -> Behind:
    """What `frozen` kept, as this agent sees it now."""
    params = QueryDict(told["query"])
    return Behind.of(asking.of(agent, params, datetime.fromisoformat(told["at"])), params)


def _in_words(amount: float) -> str:
    return words.number(amount, 0 if amount.is_integer() else 1)


def tickets(agent: Agent, told: Mapping[str, Any]) -> QuerySet[Ticket]:
    """Of a long job: all of its tickets."""
    return thawed(agent, told).tickets()


def amounts(agent: Agent, told: Mapping[str, Any], numbers: Sequence[int]) -> dict[int, float]:
    """Of a long job: what each of these tickets adds."""
    return thawed(agent, told).amounts(numbers)
