"""Business seconds, by looking at what the clocks on the wall of each schedule's zone say.

A moment is open where its wall clock stands within a span of its weekday, and its date is no holiday. Zones change
their clocks at quarters of an hour, so that between two of these the wall clock runs on evenly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from inbox.models import ScheduleVersion
from tests.reports.oracle.talk import Over

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
Hours = dict[str, Any]


class Wall:
    """All schedules that there have been."""

    def __init__(self, versions: Sequence[ScheduleVersion]) -> None:
        self.versions = sorted(versions, key=lambda one: (one.since, one.pk))

    def seconds(self, start: datetime, end: datetime, team: Over, channel: int) -> int:
        """Whole business seconds of a ticket that was with these teams; calendar seconds where nobody has hours."""
        cuts = [start, end, *(at for at, _, _ in team.steps), *(one.since for one in self.versions)]
        points = sorted({one for one in cuts if start <= one <= end})
        found = timedelta(0)
        for a, b in pairwise(points):
            hours = self._held(a, team.at(a), channel)
            found += b - a if hours is None else sum((y - x for x, y in _open(hours, a, b)), timedelta(0))
        return int(found.total_seconds())

    def _held(self, at: datetime, team: int | None, channel: int) -> Hours | None:
        """The team's, else the channel's, else the organisation's, as they were set then."""
        for of, whose in (("team", team), ("channel", channel), ("organisation", None)):
            if of == "team" and team is None:
                continue
            told = [one.hours for one in self.versions if (one.of, one.whose) == (of, whose) and one.since <= at]
            if told and told[-1]:
                hours: Hours = told[-1]
                return hours
        return None


def _open(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The open stretches within [start, end)."""
    zone = ZoneInfo(hours["zone"])
    for a, b in _even(start, end, zone):
        offset = a.astimezone(zone).utcoffset() or timedelta(0)
        wall, until = (one.replace(tzinfo=None) + offset for one in (a, b))
        day = wall.date()
        while day <= until.date():
            for begin, stop in _spans(hours, day):
                x, y = max(wall, begin), min(until, stop)
                if x < y:
                    yield (x - offset).replace(tzinfo=UTC), (y - offset).replace(tzinfo=UTC)
            day += DAY


def _even(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Pieces of [start, end) in which no clock is changed."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    at = start
    while at < end:
        step = min(at + DAY, end)
        if at.astimezone(zone).utcoffset() != step.astimezone(zone).utcoffset():
            quarter = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0) + QUARTER
            step = min(quarter, end)
        yield at, step
        at = step


def _spans(hours: Hours, day: date) -> Iterable[tuple[datetime, datetime]]:
    if _is_off(hours, day):
        return []
    return [(_moment(day, begin), _moment(day, stop)) for begin, stop in hours["days"][day.weekday()]]


def _moment(day: date, told: str) -> datetime:
    if told == "24:00":
        return datetime.combine(day + DAY, time())
    return datetime.combine(day, time.fromisoformat(told))


def _is_off(hours: Hours, day: date) -> bool:
    for row in hours.get("closed", ()):
        if date.fromisoformat(row["date"]) <= day <= date.fromisoformat(row.get("until") or row["date"]):
            return True
    told = hours.get("holidays")
    if not told or day.isoformat() in told.get("open", ()):
        return False
    return day in _holidays(told["country"], told.get("region"), day.year)


@cache
def _holidays(country: str, region: str | None, year: int) -> set[date]:
    return set(holidays.country_holidays(country, subdiv=region, years=year))
