"""Whole days out of an iCalendar file (RFC 5545), such as calendars export: holidays, days on which nobody works."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import dropwhile, islice
from typing import Any

MOST_BYTES = 1_000_000
MOST_DAYS = 1000
MOST_SECONDS = 5.0
LONGEST_NAME = 120
DAY = timedelta(days=1)
OFTEN = {"DAILY", "WEEKLY"}
# No calendar says these of what repeats so often (RFC 5545, 3.3.10).
SELDOM = {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"}
REPEATS = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}


@dataclass(frozen=True, slots=True)
class Days:
    """One whole day, or several in a row up to `last`, which is one of them."""

    first: date
    last: date
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a calendar says: days in order, and how many events were left out, for having times of the day or for lying
    outside of what was asked for.
    """

    days: list[Days]
    timed: int
    outside: int


def whole_days(content: bytes, start: date, until: date) -> Found:
    """The events of whole days that touch [start, until), those that repeat as often as they do.

    Raises ValueError where this is no calendar, or one too large.
    """
    from icalendar import Calendar  # a tenth of a second that only whoever brings such a file waits

    if len(content) > MOST_BYTES:
        raise ValueError("too large")
    try:
        read = Calendar.from_ical(content, multiple=True)
        events: list[Any] = [event for calendar in read for event in calendar.walk("VEVENT")]
        moved = {(str(one.get("UID")), _day(one["RECURRENCE-ID"].dt)) for one in events if "RECURRENCE-ID" in one}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError("not a calendar") from error
    if not read:
        raise ValueError("not a calendar")
    found: set[tuple[date, date, str]] = set()
    timed = outside = 0
    began = time.monotonic()
    for event in events:
        if time.monotonic() - began > MOST_SECONDS:
            raise ValueError("too large")
        try:
            if str(event.get("STATUS", "")).upper() == "CANCELLED":
                continue
            first = event["DTSTART"].dt
            if isinstance(first, datetime):
                timed += 1
                continue
            length = _length(event, first)
            uid = "" if "RECURRENCE-ID" in event else str(event.get("UID"))
            days = [day for day in _starts(event, first, start - length, until) if (uid, day) not in moved]
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError("not a calendar") from error
        name = " ".join(str(event.get("SUMMARY", "")).split())[:LONGEST_NAME]
        fitting = [(day, day + length, name) for day in days if day < until and day + length >= start]
        outside += not fitting
        found.update(fitting)
        if len(found) > MOST_DAYS:
            raise ValueError("too large")
    return Found([Days(*one) for one in sorted(found)], timed, outside)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _length(event: Any, first: date) -> timedelta:
    """How many days the last one lies behind the first: an end is not one of them."""
    if "DTEND" in event:
        behind = _day(event["DTEND"].dt) - first
    elif "DURATION" in event:
        behind = timedelta(days=event["DURATION"].dt.days)
    else:
        behind = DAY
    return min(max(behind - DAY, timedelta()), timedelta(days=366))


def _starts(event: Any, first: date, start: date, until: date) -> Iterator[date]:
    """The first days of an event within [start, until)."""
    left_out = {_day(one.dt) for many in _several(event, "EXDATE") for one in many.dts}
    more = {_day(one.dt) for many in _several(event, "RDATE") for one in many.dts}
    if "RRULE" not in event:
        yield from sorted(({first} | more) - left_out)
        return
    from dateutil.rrule import rrulestr

    rule = event["RRULE"]
    rule = rule[0] if isinstance(rule, list) else rule
    if str(rule.get("FREQ", [""])[0]).upper() not in REPEATS or first.year < 1900:
        raise ValueError("repeats more often than daily")
    if rule["FREQ"][0].upper() in OFTEN and SELDOM & {str(name).upper() for name in rule}:
        return  # such a rule may never come true, of which dateutil makes sure day by day, up to the year 9999
    if rule.get("INTERVAL", [1])[0] < 1:  # dateutil would look for the next one for ever
        raise ValueError("not a calendar")
    midnight = datetime.min.time()
    end = datetime.combine(until, midnight)
    ends = ("UNTIL=", "COUNT=")
    text = ";".join(part for part in rule.to_ical().decode().split(";") if not part.upper().startswith(ends))
    last = [_day(one) for one in rule.get("UNTIL", [])]
    stop = min([end - DAY, *(datetime.combine(one, midnight) for one in last)])
    days = rrulestr(text, dtstart=datetime.combine(first, midnight), ignoretz=True).replace(until=stop)
    counted = islice(days, int(rule["COUNT"][0])) if "COUNT" in rule else days
    upcoming = dropwhile(lambda one: one.date() < start, counted)
    yield from sorted(({one.date() for one in islice(upcoming, MOST_DAYS + 1)} | more) - left_out)


def _several(event: Any, name: str) -> list[Any]:
    value = event.get(name)
    return [] if value is None else value if isinstance(value, list) else [value]
