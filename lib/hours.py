"""Hours of business: a week of spans in a time zone, and which instants lie in them.

One rule decides: it is open when a clock on the wall there shows a time within a span. Where clocks are set forward, a
span that lies in the missing hour is not there that day; where they are set back, it is there twice. Spans are
half-open, several a day, and may go on past midnight; they belong to the day on which they begin. On holidays, those
of a country and those that are named one by one, no span begins.

`seconds` measures how long it was open between two instants. Whoever asks that millions of times keeps the `Meter`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lib import calendars

DAY = timedelta(days=1)
LOOK_AHEAD = timedelta(days=15)
LONGEST_CLOSED = timedelta(days=366)  # of one row of `closed`
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000  # microseconds

Span = tuple[timedelta, timedelta]  # since midnight of its day; the end lies up to a day behind the start


@dataclass(frozen=True, slots=True)
class Hours:
    zone: ZoneInfo
    days: tuple[tuple[Span, ...], ...]  # seven, Monday first
    closed: frozenset[date] = frozenset()  # days on which no span begins
    country: str = ""  # whose public holidays are such days, too
    region: str = ""
    kept_open: frozenset[date] = frozenset()  # but for these of them

    def of(self, day: date) -> tuple[Span, ...]:
        return () if self.is_holiday(day) else self.days[day.weekday()]

    def is_holiday(self, day: date) -> bool:
        if day in self.closed:
            return True
        if not self.country or day in self.kept_open:
            return False
        return day in calendars.of_year(self.country, self.region, day.year)


def _time(text: Any) -> timedelta:
    hour, colon, minute = str(text).partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(f"not a time of the day: {text!r}")
    found = timedelta(hours=int(hour), minutes=int(minute))
    if int(minute) > 59 or found > DAY:
        raise ValueError(f"not a time of the day: {text!r}")
    return found


def read(given: Mapping[str, Any]) -> Hours:
    """As values what is stored as

        {"zone": "Asia/Karachi", "days": [[["09:00", "17:00"], …], … seven, Monday first],
         "closed"?: ["2026-03-23", {"date": "2026-12-24", "until"?: "2026-12-31", "name"?: "Stocktaking"}],
         "holidays"?: {"country": "PK", "region"?: "", "open"?: ["2026-05-01"]}}

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
        holidays = given.get("holidays") or {}
        return Hours(
            zone,
            tuple(days),
            frozenset(day for one in given.get("closed") or () for day in _closed(one)),
            str(holidays.get("country") or ""),
            str(holidays.get("region") or ""),
            frozenset(date.fromisoformat(str(day)) for day in holidays.get("open") or ()),
        )
    except (KeyError, TypeError, AttributeError, ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"not hours of business: {error!r}") from error


def _closed(given: Any) -> Iterator[date]:
    """The days of one row of `closed`."""
    row = given if isinstance(given, Mapping) else {"date": given}
    day = date.fromisoformat(str(row["date"]))
    last = date.fromisoformat(str(row.get("until") or row["date"]))
    if not timedelta() <= last - day <= LONGEST_CLOSED:
        raise ValueError(f"not days in a row: {given!r}")
    while day <= last:
        yield day
        day += DAY


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


def seconds(hours: Hours, start: datetime, end: datetime) -> int:
    """How many whole seconds it is open within [start, end); 0 where the end is not behind the start."""
    return meter(hours).between(micros(start), micros(end)) // SECOND


def micros(at: datetime) -> int:
    """An instant as microseconds since 1970."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


@lru_cache(maxsize=1024)
def meter(hours: Hours) -> Meter:
    return Meter(hours)


class Meter:
    """Measures open time between instants, both in microseconds since 1970, and remembers what it looked at: a measure
    is two searches in sums that are there already. Nothing before 1970 or after 2199 counts.
    """

    PIECE = 44  # of so many bits of microseconds, 203 days, are the pieces that it remembers
    LAST = micros(datetime(2200, 1, 1, tzinfo=UTC))

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self._pieces: dict[int, tuple[list[int], list[int], list[int]]] = {}

    def between(self, start: int, end: int) -> int:
        """Open microseconds within [start, end); 0 where the end is not behind the start."""
        start, end = max(start, 0), min(end, self.LAST)
        if start >= end:
            return 0
        first, last = start >> self.PIECE, end >> self.PIECE
        if first == last:
            return self._until(end) - self._until(start)
        whole = sum(self._piece(one)[2][-1] for one in range(first, last))
        return whole - self._until(start) + self._until(end)

    def _until(self, at: int) -> int:
        """Open microseconds from the beginning of its piece."""
        starts, ends, sums = self._piece(at >> self.PIECE)
        place = bisect_right(starts, at) - 1
        if place < 0:
            return 0
        return sums[place] + min(at, ends[place]) - starts[place]

    def _piece(self, number: int) -> tuple[list[int], list[int], list[int]]:
        """Where the spans of a piece begin and end, and what was open before each; at last what was open in all."""
        found = self._pieces.get(number)
        if found is None:
            begin, end = (EPOCH + timedelta(microseconds=one << self.PIECE) for one in (number, number + 1))
            starts, ends, sums = [], [], [0]
            for one, two in spans(self.hours, begin, end):
                starts.append(micros(one))
                ends.append(micros(two))
                sums.append(sums[-1] + ends[-1] - starts[-1])
            found = self._pieces[number] = starts, ends, sums
        return found
