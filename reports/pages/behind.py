"""The tickets behind a number: which figure, part and group, read from an address and checked; and their list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from inbox import access
from inbox.models import Agent, Ticket
from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine import Figure
from reports.engine.groups import PATH, is_known, key_of, labels, value_of
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

    @cached_property
    def shares(self) -> list[tuple[int | None, float]]:
        """Each ticket with what it adds, the newest first; what belongs to no ticket is last."""
        group = (self.by, self.group) if self.by else None
        found = engine.shares(self.figure, self.asked.question, self.part, group)
        return sorted(
            ((number, float(amount)) for number, amount in found), key=lambda one: (one[0] is None, -(one[0] or 0))
        )

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
        return sum(amount for _number, amount in self.shares)

    @property
    def total_words(self) -> str:
        return words.number(self.total, 0 if float(self.total).is_integer() else 1)

    @property
    def count(self) -> int:
        return sum(number is not None for number, _amount in self.shares)

    @property
    def without_ticket(self) -> str:
        """What of the number belongs to no ticket."""
        rest = sum(amount for number, amount in self.shares if number is None)
        return words.number(rest) if rest else ""

    @property
    def each_is_one(self) -> bool:
        return all(amount == 1 for _number, amount in self.shares)

    @property
    def said(self) -> str:
        """The figure in a line, so that list and card can be held beside each other."""
        figure = self.computed
        return words.list_of([words.said(figure.unit, figure.value), words.basis(figure)])

    def page(self, at: int) -> Sequence[Ticket]:
        """The tickets of the page at this place, each with its amount."""
        mine = [(number, amount) for number, amount in self.shares if number is not None][at : at + PAGE]
        rows = access.tickets(self.asked.viewer).select_related("customer", "channel", "assignee")
        found = rows.in_bulk([number for number, _amount in mine])
        kept = []
        for number, amount in mine:
            if (ticket := found.get(number)) is not None:
                ticket.amount = words.number(amount, 0 if float(amount).is_integer() else 1)  # type: ignore[attr-defined]
                kept.append(ticket)
        return kept

    def frozen(self) -> dict[str, Any]:
        """The same as a long job keeps it: by its days, whatever day it is by then, and with when it was asked."""
        fixed = replace(self, asked=replace(self.asked, period=""))
        return {"query": fixed.query(), "at": self.asked.now.isoformat()}


def thawed(agent: Agent, told: Mapping[str, Any]) -> Behind:
    """What `frozen` kept, as this agent sees it now."""
    params = QueryDict(told["query"])
    return Behind.of(asking.of(agent, params, datetime.fromisoformat(told["at"])), params)


def amounts(agent: Agent, told: Mapping[str, Any]) -> dict[int, float]:
    """Of a long job: each ticket with what it adds."""
    return {number: amount for number, amount in thawed(agent, told).shares if number is not None}
