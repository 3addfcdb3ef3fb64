"""What a page of figures was asked for: period, zone and filters, out of its address and back into one.

Whatever is chosen stands in the address, so that a page can be linked. Days are inclusive there (`from`, `through`),
as people say them; the engine's are half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import directory
from inbox.directory import Named
from inbox.models import Agent, Priority
from inbox.rights import Right, may
from lib import zones
from reports.engine.choices import chosen
from reports.engine.question import DAYS, Question

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

USUAL = "30"
LONGEST = 3 * 366  # days
MOST_CHOSEN = 50
HOURS = ("elapsed", "business")

Days = tuple[date, date]  # half-open


def _month(day: date) -> date:
    return day.replace(day=1)


def _back(days: int) -> Callable[[date], Days]:
    """The last so many days, today's included."""
    return lambda today: (today - timedelta(days=days - 1), today + timedelta(days=1))


def _last_week(today: date) -> Days:
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(days=7), monday


def _last_month(today: date) -> Days:
    begins = _month(today)
    return _month(begins - timedelta(days=1)), begins


PERIODS: dict[str, tuple[StrOrPromise, Callable[[date], Days]]] = {
    "today": (gettext_lazy("Today"), _back(1)),
    "7": (gettext_lazy("Last 7 days"), _back(7)),
    "30": (gettext_lazy("Last 30 days"), _back(30)),
    "90": (gettext_lazy("Last 90 days"), _back(90)),
    "last-week": (gettext_lazy("Last week"), _last_week),
    "month": (gettext_lazy("This month"), lambda today: (_month(today), today + timedelta(days=1))),
    "last-month": (gettext_lazy("Last month"), _last_month),
    "365": (gettext_lazy("Last 365 days"), _back(365)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """`start` and `end` are half-open days in `zone`; `period` is a key of PERIODS, or empty where days were chosen."""

    viewer: Agent
    now: datetime
    zone: str
    period: str
    start: date
    end: date
    channels: tuple[Named, ...] = ()
    teams: tuple[Named, ...] = ()
    agents: tuple[Named, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    business: bool = False
    imported: bool = False
    window: int = DAYS
    left_out: tuple[str, ...] = ()
    own: bool = False  # of the viewer alone: they may not read everybody's
    problems: tuple[str, ...] = field(default=())

    @property
    def question(self) -> Question:
        return Question(
            start=self.start,
            end=self.end,
            zone=ZoneInfo(self.zone),
            now=self.now,
            channels=tuple(one.pk for one in self.channels),
            teams=tuple(one.pk for one in self.teams),
            agents=tuple(one.pk for one in self.agents),
            tags=self.tags,
            languages=self.languages,
            priorities=self.priorities,
            business=self.business,
            imported=self.imported,
            viewer=self.viewer,
            window=self.window,
            left_out=self.left_out,
        )

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def step(self) -> str:
        """By what a trend over this period goes: a line of some dozen points says more than one of ninety."""
        return "day" if self.days <= 45 else "week" if self.days <= 200 else "month"

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def is_narrowed(self) -> bool:
        return bool(
            self.channels
            or self.teams
            or (self.agents and not self.own)
            or self.tags
            or self.languages
            or self.priorities
        )

    def pairs(self, without: str = "") -> list[tuple[str, str]]:
        """The parameters that ask for this again."""
        found = [("period", self.period)] if self.period else [("from", str(self.start)), ("through", str(self.last))]
        found = [] if self.period == USUAL else found
        if self.zone != settings.TIME_ZONE:
            found.append(("zone", self.zone))
        found += [("channel", one.slug) for one in self.channels]
        found += [("team", one.slug) for one in self.teams]
        if not self.own:
            found += [("agent", str(one.pk)) for one in self.agents]
        found += [("tag", one) for one in self.tags]
        found += [("language", one) for one in self.languages]
        found += [("priority", one) for one in self.priorities]
        if self.business:
            found.append(("hours", "business"))
        if self.imported:
            found.append(("imported", "true"))
        return [pair for pair in found if pair[0] != without]

    @property
    def query(self) -> str:
        return urlencode(self.pairs())

    def otherwise(self, **changes: object) -> str:
        """The parameters of the same page with something else chosen."""
        return replace(self, **changes).query  # type: ignore[arg-type]

    def over(self, period: str) -> Asked:
        """The same over another of PERIODS."""
        start, end = PERIODS[period][1](self.now.astimezone(ZoneInfo(self.zone)).date())
        return replace(self, period=period, start=start, end=end)

    def presets(self) -> list[tuple[str, StrOrPromise, str, bool]]:
        """Each period that can be had by a click: its key, its words, the parameters, whether it is this one."""
        return [
            (key, label, replace(self, period=key).query, key == self.period) for key, (label, _days) in PERIODS.items()
        ]

    def chips(self) -> list[tuple[str, str, str]]:
        """Each filter that narrows: what it is, its words, and the parameters of the page without it."""
        found: list[tuple[str, str, str]] = []
        for name, label in FILTERS.items():
            if self.own and name == "agents":
                continue
            chosen: Sequence[object] = getattr(self, name)
            for one in chosen:
                rest = tuple(other for other in chosen if other != one)
                found.append((str(label), self._said(name, one), self.otherwise(**{name: rest})))
        return found

    @staticmethod
    def _said(name: str, one: object) -> str:
        if name == "priorities":
            return str(Priority(str(one)).label)
        if name == "languages":
            from lib.language import language_name

            return language_name(str(one))
        return str(one)


FILTERS: dict[str, StrOrPromise] = {
    "channels": gettext_lazy("Channel"),
    "teams": gettext_lazy("Team"),
    "agents": gettext_lazy("Agent"),
    "tags": gettext_lazy("Tag"),
    "languages": gettext_lazy("Language"),
    "priorities": gettext_lazy("Priority"),
}


class _Reading:
    """One address being read: what it says that is not understood is kept as a problem, and left out."""

    def __init__(self, params: QueryDict) -> None:
        self.params = params
        self.problems: list[str] = []

    def several(self, name: str) -> list[str]:
        found = [one.strip()[:120] for one in self.params.getlist(name) if one.strip() and "\x00" not in one]
        return list(dict.fromkeys(found))[:MOST_CHOSEN]

    def among(self, name: str, known: Iterable[Named]) -> tuple[Named, ...]:
        by = {one.slug or str(one.pk): one for one in known} | {}
        return tuple(by[one] for one in self.several(name) if self.is_known(one, by))

    def is_known(self, value: str, known: object) -> bool:
        if value in known:  # type: ignore[operator]
            return True
        self.problems.append(_("There is no “%(value)s” to narrow by, or you may not see it.") % {"value": value})
        return False

    def day(self, name: str) -> date | None:
        typed = self.params.get(name, "").strip()
        try:
            found = parse_date(typed) if typed else None
        except ValueError:
            found = None
        if typed and (found is None or not 2000 <= found.year <= 2200):
            self.problems.append(_("“%(value)s” is no day between 2000 and 2200.") % {"value": typed[:40]})
            return None
        return found

    @cached_property
    def zone(self) -> str:
        wanted = self.params.get("zone", "").strip()
        if not wanted or wanted in zones.names():
            return wanted or settings.TIME_ZONE
        self.problems.append(_("“%(value)s” is no time zone.") % {"value": wanted[:60]})
        return settings.TIME_ZONE

    def days(self, now: datetime) -> tuple[str, Days]:
        """The period: a preset, or the days that were chosen."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        start, through = self.day("from"), self.day("through")
        typed = sum(bool(self.params.get(name, "").strip()) for name in ("from", "through"))
        if typed and typed == sum(day is not None for day in (start, through)):
            start = start or min(through or today, today)
            end = (through or max(today, start)) + timedelta(days=1)
            if end <= start:
                self.problems.append(_("The period ends before it begins: here is its first day alone."))
                end = start + timedelta(days=1)
            if (end - start).days > LONGEST:
                self.problems.append(_("A period is at most three years long: here are its last three."))
                start = end - timedelta(days=LONGEST)
            return "", (start, end)
        period = self.params.get("period", "") or USUAL
        period = period if self.is_known(period, PERIODS) else USUAL
        return period, PERIODS[period][1](today)


def of(viewer: Agent, params: QueryDict, now: datetime | None = None) -> Asked:
    """What these parameters ask for. What is not understood is left out and told as `problems`.

    Whoever may not read everybody's figures asks for their own, whatever the address says.
    """
    reading, now = _Reading(params), now or timezone.now()
    period, (start, end) = reading.days(now)
    own = not may(viewer, Right.REPORTS)
    named = {"channel", "team", "agent"} & set(params)
    here = directory.of(viewer) if named else directory.Directory()
    tags = tuple(reading.several("tag"))
    return Asked(
        viewer=viewer,
        now=now,
        zone=reading.zone,
        period=period,
        start=start,
        end=end,
        channels=reading.among("channel", here.channels),
        teams=reading.among("team", here.teams),
        agents=(Named(viewer.pk, str(viewer)),) if own else reading.among("agent", here.people),
        own=own,
        tags=tags,
        languages=tuple(one.lower() for one in reading.several("language")),
        priorities=tuple(one for one in reading.several("priority") if reading.is_known(one, Priority.values)),
        business=params.get("hours") == "business",
        imported=params.get("imported") == "true",
        **chosen(tags),
        problems=tuple(reading.problems),
    )
