"""Hours of business: a week of spans in a time zone, and which instants lie in them.

One rule decides: it is open when a clock on the wall there shows a time within a span. Where clocks are set forward, a
span that lies in the missing hour is not there that day; where they are set back, it is there twice. Spans are
half-open, several a day, and may go on past midnight; they belong to the day on which they begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
LOOK_AHEAD = timedelta(days=15)

Span = tuple[timedelta, timedelta]  # since midnight of its day; the end lies up to a day behind the start


@dataclass(frozen=True, slots=True)
class Hours:
    zone: ZoneInfo
    days: tuple[tuple[Span, ...], ...]  # seven, Monday first
    closed: frozenset[date] = frozenset()  # days on which no span begins

    def of(self, day: date) -> tuple[Span, ...]:
        return () if day in self.closed else self.days[day.weekday()]


def _time(text: Any) -> timedelta:
    hour, colon, minute = str(text).partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(f"not a time of the day: {text!r}")
    found = timedelta(hours=int(hour), minutes=int(minute))
    if int(minute) > 59 or found > DAY:
        raise ValueError(f"not a time of the day: {text!r}")
    return found


def read(given: Mapping[str, Any]) -> Hours:
    """{"zone": "Asia/Karachi", "days": [[["09:00", "17:00"], …], …], "closed"?: ["2026-03-23"]} as values.

    An end that is not behind its start is one of the next day; "24:00" is midnight. Raises ValueError.
    """
    try:
        zone = ZoneInfo(str(given["zone"]))
        if len(given["days"]) != 7:
            raise ValueError("a week has seven days")
        days = []
        for spans in given["days"]:
            day = []
            for one in spans:
                start, end = (_time(text) for text in one)
                if start == DAY:
                    raise ValueError("nothing begins at 24:00")
                day.append((start, end if end > start else end + DAY))
            days.append(tuple(sorted(day)))
        return Hours(zone, tuple(days), frozenset(date.fromisoformat(str(day)) for day in given.get("closed") or ()))
    except (KeyError, TypeError, ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"not hours of business: {error!r}") from error


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether this instant lies in a span."""
    wall = at.astimezone(hours.zone)
    today = wall.date()
    since = wall.replace(tzinfo=None) - datetime.combine(today, datetime.min.time())
    if any(start <= since < end for start, end in hours.of(today)):
        return True
    return any(since + DAY < end for _start, end in hours.of(today - DAY))


def spans(hours: Hours, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When it is open within [start, until), in order, each stretch as one half-open pair in UTC."""
    open_from: datetime | None = None
    open_until = start
    for begin, end, offset in _pieces(hours.zone, start.astimezone(UTC), until.astimezone(UTC)):
        day = (begin + offset).date() - DAY
        while day <= (end + offset).date():
            midnight = datetime.combine(day, datetime.min.time(), UTC) - offset
            for first, last in hours.of(day):
                one, two = max(begin, midnight + first), min(end, midnight + last)
                if one >= two:
                    continue
                if open_from is None:
                    open_from, open_until = one, two
                elif one <= open_until:
                    open_until = max(open_until, two)
                else:
                    yield open_from, open_until
                    open_from, open_until = one, two
            day += DAY
    if open_from is not None:
        yield open_from, open_until


def opens_at(hours: Hours, at: datetime) -> datetime | None:
    """The first open instant from `at` on, in UTC; None where none comes soon."""
    first = next(spans(hours, at, at + LOOK_AHEAD), None)
    return first[0] if first else None


def _pieces(zone: ZoneInfo, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """[start, until), cut where clocks are changed: (from, to, what the wall's clock is ahead of UTC)."""
    while start < until:
        end = min(start + DAY, until)
        offset = _offset(zone, start)
        if _offset(zone, end) != offset:  # the first instant with another offset lies in (start, end]
            low, high = start, end
            while high - low > timedelta(microseconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
            end = high
        yield start, end, offset
        start = end


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
