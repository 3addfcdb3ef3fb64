"""Figures of a period: which cases count, into which group each falls, and what they come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.reports.oracle import chats
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
    numerator: float | None = None
    denominator: int | None = None
    median: float | None = None
    p90: float | None = None
    mean: float | None = None
    provisional: int = 0
    extra: dict[str, int] | None = None


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


def _aht(cases: Sequence[Case], asked: Asked) -> Figure:
    """Seconds on the tickets that took some and on which something was done, by their number."""
    handled = _handled(cases)
    seconds = sum(handled) / 1000
    n = len(handled)
    return Figure(n, seconds / n if n else None, seconds, n)


def _coverage(cases: Sequence[Case], asked: Asked) -> Figure:
    n, handled = len({one.ticket.pk for one in cases if one.ticket is not None}), len(_handled(cases))
    return Figure(n, handled / n if n else None, handled, n)


def _handled(cases: Sequence[Case]) -> list[int]:
    spent: dict[int, int] = defaultdict(int)
    acted = set()
    for one in cases:
        assert one.ticket is not None
        spent[one.ticket.pk] += one.value
        if one.kind == "acted":
            acted.add(one.ticket.pk)
    return [ms for ticket, ms in spent.items() if ms and ticket in acted]


STATES = ("us", "customer", "hold", "snoozed", "bot")
AGES = (("day", 0, 1), ("three_days", 1, 3), ("week", 3, 7), ("month", 7, 30), ("older", 30, 99_999))  # in days


def _standing(cases: Sequence[Case], asked: Asked) -> Figure:
    """How many, for whom they wait, and for how many days they have been unsolved."""
    extra = {state: sum(one.kind == state for one in cases) for state in STATES}
    for name, least, most in AGES:
        extra[name] = sum(least <= one.value / 86_400 < most for one in cases)
    return Figure(len(cases), len(cases), extra=extra)


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
    "messages_automatic": (lambda book, asked: book.automatic(), _count),
    "aht": (lambda book, asked: iter(book.worked), _aht),
    "coverage": (lambda book, asked: iter(book.worked), _coverage),
    "backlog": (lambda book, asked: book.unsolved(moment(asked)), _standing),
    "abandonment": (lambda book, asked: chats.offered(book), _ratio(bool)),
    "containment_confirmed": (
        lambda book, asked: chats.contained(book, confirmed=True, now=asked.now, window=asked.window),
        _ratio(bool),
    ),
    "containment_assumed": (
        lambda book, asked: chats.contained(book, confirmed=False, now=asked.now, window=asked.window),
        _ratio(bool),
    ),
    "messages_bot": (lambda book, asked: book.messages("bot"), _count),
}
WHENEVER = frozenset({"waiting"})  # as it is now, whatever the period
AT_END = frozenset({"backlog"})  # as it is at the end of the period


def moment(asked: Asked) -> datetime:
    """The end of the period, or now where that has not come."""
    return min(datetime.combine(asked.end, time(), asked.zone).astimezone(UTC), asked.now)


def chosen(book: Book, key: str, asked: Asked) -> list[Case]:
    """The cases that a figure counts."""
    cases, _ = FIGURES[key]
    return [one for one in cases(book, asked) if _is_in(one, asked, key) and _fits(one, asked)]


def _is_in(one: Case, asked: Asked, key: str) -> bool:
    if key in WHENEVER:
        return one.at <= asked.now
    if key in AT_END:
        return True
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


STRETCHES: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": _monday,
    "month": lambda day: day.replace(day=1),
}
TIMES = (*STRETCHES, "hour_of_week")
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
    if key in AT_END and by in STRETCHES:
        return _at_ends(book, key, asked, by)
    if by in TIMES and key in WHENEVER | AT_END:
        return {}  # what is so at a moment belongs to no day or hour
    groups: dict[Any, list[Case]] = defaultdict(list)
    for one in chosen(book, key, asked):
        groups[GROUPS[by](one, asked.zone)].append(one)
    return {name: FIGURES[key][1](cases, asked) for name, cases in groups.items()}


def _at_ends(book: Book, key: str, asked: Asked, by: str) -> dict[Any, Figure]:
    """As it stood at the end of each day, week or month that has begun."""
    days: dict[date, list[date]] = defaultdict(list)
    for place in range((asked.end - asked.start).days):
        day = asked.start + timedelta(days=place)
        days[STRETCHES[by](day)].append(day)
    found = {}
    for name, of in days.items():
        if datetime.combine(of[0], time(), asked.zone).astimezone(UTC) <= asked.now:
            told = figure(book, key, replace(asked, start=of[0], end=of[-1] + timedelta(days=1)))
            found[name] = replace(told, extra={state: (told.extra or {})[state] for state in STATES})
    return found
