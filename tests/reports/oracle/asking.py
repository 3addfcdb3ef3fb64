"""Figures of a period: which cases count, into which group each falls, and what they come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.reports.oracle.cases import Book, Case


@dataclass(frozen=True)
class Asked:
    """The days from `start` up to, not including, `end`, as the clocks of `zone` have them. Empty means all."""

    start: date
    end: date
    zone: ZoneInfo
    now: datetime
    channels: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    agents: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    imported: bool = False
    window: int = 7
    business: bool = False


@dataclass(frozen=True)
class Figure:
    """Of durations `n`, `median`, `p90`, `mean`; of ratios `value`, `numerator`, `denominator`. No data is None."""

    n: int
    value: float | None
    numerator: int | None = None
    denominator: int | None = None
    median: float | None = None
    p90: float | None = None
    mean: float | None = None
    provisional: int = 0


def percentile(values: Sequence[int], share: float) -> float | None:
    """Between the two nearest, as PostgreSQL's percentile_cont."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _duration(cases: Sequence[Case], asked: Asked) -> Figure:
    values = [one.value for one in cases]
    median = percentile(values, 0.5)
    mean = sum(values) / len(values) if values else None
    return Figure(len(values), median, median=median, p90=percentile(values, 0.9), mean=mean)


def _ratio(good: Callable[[int], bool]) -> Callable[[Sequence[Case], Asked], Figure]:
    def count(cases: Sequence[Case], asked: Asked) -> Figure:
        n, yes = len(cases), sum(good(one.value) for one in cases)
        still = sum(one.open_until is not None and one.open_until > asked.now for one in cases)
        return Figure(n, yes / n if n else None, yes, n, provisional=still)

    return count


def _count(cases: Sequence[Case], asked: Asked) -> Figure:
    return Figure(len(cases), len(cases))


def _nps(cases: Sequence[Case], asked: Asked) -> Figure:
    """The last answer of each customer; too few of them say nothing."""
    last: dict[int, Case] = {}
    for one in sorted(cases, key=lambda case: case.at):
        last[one.customer] = one
    n = len(last)
    plus = sum((one.value >= 9) - (one.value <= 6) for one in last.values())
    still = sum(one.open_until is not None and one.open_until > asked.now for one in last.values())
    return Figure(n, 100 * plus / n if n >= 10 else None, plus, n, provisional=still)


Counted = tuple[Callable[[Book, Asked], Iterator[Case]], Callable[[Sequence[Case], Asked], Figure]]
FIGURES: dict[str, Counted] = {
    "first_response": (lambda book, asked: book.responses(which="first", business=asked.business), _duration),
    "first_wait": (lambda book, asked: book.responses(which="first", business=False, total=True), _duration),
    "response": (lambda book, asked: book.responses(which="all", business=asked.business), _duration),
    "next_response": (lambda book, asked: book.responses(which="next", business=asked.business), _duration),
    "waiting": (lambda book, asked: book.waiting(), _count),
    "resolution_first": (lambda book, asked: book.resolutions(which="first", business=asked.business), _duration),
    "resolution_full": (lambda book, asked: book.resolutions(which="last", business=asked.business), _duration),
    "customer_wait": (lambda book, asked: book.waits(business=asked.business), _duration),
    "one_touch": (lambda book, asked: book.touches(), _ratio(bool)),
    "fcr": (lambda book, asked: book.first_contacts(asked.window), _ratio(bool)),
    "fcr_confirmed": (lambda book, asked: book.scores("solved"), _ratio(bool)),
    "reopen_rate": (lambda book, asked: book.reopens(asked.window), _ratio(bool)),
    "csat": (lambda book, asked: book.scores("csat"), _ratio(lambda score: score >= 4)),
    "response_rate": (lambda book, asked: book.scores("csat", asked=True), _ratio(bool)),
    "nps": (lambda book, asked: book.scores("nps", about=False), _nps),
    "nps_transactional": (lambda book, asked: book.scores("nps", about=True), _nps),
    "ces": (lambda book, asked: book.scores("ces"), _ratio(lambda score: score >= 5)),
    "volume": (lambda book, asked: book.opened(), _count),
    "solved": (lambda book, asked: book.solved(), _count),
    "ours_only": (lambda book, asked: book.ours_only(), _count),
    "messages_in": (lambda book, asked: book.messages("customer"), _count),
    "messages_out": (lambda book, asked: book.messages("human"), _count),
    "messages_bot": (lambda book, asked: book.messages("bot"), _count),
}
WHENEVER = frozenset({"waiting"})  # as it is now, whatever the period


def chosen(book: Book, key: str, asked: Asked) -> list[Case]:
    """The cases that a figure counts."""
    cases, _ = FIGURES[key]
    return [one for one in cases(book, asked) if _is_in(one, asked, key) and _fits(one, asked)]


def _is_in(one: Case, asked: Asked, key: str) -> bool:
    if key in WHENEVER:
        return one.at <= asked.now
    return asked.start <= one.at.astimezone(asked.zone).date() < asked.end


def _fits(one: Case, asked: Asked) -> bool:
    ticket = one.ticket
    return (
        (asked.imported or not one.imported)
        and (not asked.channels or one.channel in asked.channels)
        and (not asked.teams or one.team in asked.teams)
        and (not asked.agents or one.agent in asked.agents)
        and (not asked.priorities or one.priority in asked.priorities)
        and (not asked.tags or (ticket is not None and bool(set(ticket.tags) & set(asked.tags))))
        and (not asked.languages or (ticket is not None and ticket.language in asked.languages))
    )


def figure(book: Book, key: str, asked: Asked) -> Figure:
    return FIGURES[key][1](chosen(book, key, asked), asked)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


GROUPS: dict[str, Callable[[Case, ZoneInfo], Any]] = {
    "day": lambda one, zone: one.at.astimezone(zone).date(),
    "week": lambda one, zone: _monday(one.at.astimezone(zone).date()),
    "month": lambda one, zone: one.at.astimezone(zone).date().replace(day=1),
    "hour_of_week": lambda one, zone: one.at.astimezone(zone).weekday() * 24 + one.at.astimezone(zone).hour,
    "channel": lambda one, zone: one.channel,
    "team": lambda one, zone: one.team,
    "agent": lambda one, zone: one.agent,
}


def grouped(book: Book, key: str, asked: Asked, by: str) -> dict[Any, Figure]:
    """Groups that have a case; the key of a day, week or month is its first day."""
    groups: dict[Any, list[Case]] = defaultdict(list)
    for one in chosen(book, key, asked):
        groups[GROUPS[by](one, asked.zone)].append(one)
    return {name: FIGURES[key][1](cases, asked) for name, cases in groups.items()}
