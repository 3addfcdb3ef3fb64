"""Open seconds against an oracle that asks the clock on the wall minute by minute, and shares no code."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from lib import calendars, hours

MINUTE = timedelta(minutes=1)
ZONES = [
    "Asia/Karachi", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
    "Africa/Casablanca", "UTC",
]  # fmt: skip
# Days around which clocks are changed somewhere, and the turn of a year.
TURNS = [date(2025, month, day) for month, day in ((1, 1), (3, 9), (3, 30), (4, 6), (10, 26), (11, 2))]

begins = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
ends = st.one_of(begins, st.just("24:00"))
weeks = st.lists(st.lists(st.tuples(begins, ends).map(list), max_size=3), min_size=7, max_size=7)
near = st.sampled_from(TURNS)
schedules = st.fixed_dictionaries(
    {"zone": st.sampled_from(ZONES), "days": weeks},
    optional={
        "closed": st.lists(near.map(date.isoformat), max_size=3),
        "holidays": st.fixed_dictionaries(
            {"country": st.sampled_from(["PK", "DE", "US"])}, optional={"open": st.just(["2025-01-01"])}
        ),
    },
)
instants = st.builds(
    lambda day, offset: datetime(day.year, day.month, day.day, tzinfo=UTC) + offset,
    near,
    st.timedeltas(timedelta(days=-2), timedelta(days=2)),
)


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def closed(given: dict[str, Any], day: date) -> bool:
    if day.isoformat() in given.get("closed", ()):
        return True
    free = given.get("holidays", {})
    if not free or day.isoformat() in free.get("open", ()):
        return False
    return day in dict(calendars.between(free["country"], "", day, day + timedelta(days=1)))


def is_open(given: dict[str, Any], moment: datetime) -> bool:
    """What the clock on the wall says: of today's spans, and of yesterday's that go on past midnight."""
    wall = moment.astimezone(ZoneInfo(given["zone"]))
    now, today = wall.hour * 60 + wall.minute, wall.date()
    for day, since in ((today, now), (today - timedelta(days=1), now + 24 * 60)):
        if closed(given, day):
            continue
        for begin, end in given["days"][day.weekday()]:
            first, last = minutes(begin), minutes(end)
            last += 24 * 60 if last <= first else 0
            if first <= since < last:
                return True
    return False


def counted(given: dict[str, Any], start: datetime, end: datetime) -> int:
    found = timedelta()
    cell = start.replace(second=0, microsecond=0)
    while cell < end:
        if is_open(given, cell):
            found += min(cell + MINUTE, end) - max(cell, start)
        cell += MINUTE
    return found // timedelta(seconds=1)


@settings(max_examples=40, deadline=None)
@given(schedules, instants, st.timedeltas(timedelta(), timedelta(days=2)))
def test_open_seconds_are_those_of_the_clock_on_the_wall(
    given: dict[str, Any], start: datetime, lasting: timedelta
) -> None:
    there = hours.read(given)
    assert hours.seconds(there, start, start + lasting) == counted(given, start, start + lasting)


@settings(max_examples=40, deadline=None)
@given(schedules, instants, st.lists(st.timedeltas(timedelta(), timedelta(days=500)), min_size=2, max_size=4))
def test_long_stretches_are_the_sum_of_their_parts(
    given: dict[str, Any], start: datetime, parts: list[timedelta]
) -> None:
    """Also over the edges of what a meter remembers; and what `spans` says in all."""
    there = hours.read(given)
    measure = hours.Meter(there)
    edges = sorted([start, *(start + one for one in parts)])
    at = [hours.micros(one) for one in edges]
    whole = measure.between(at[0], at[-1])
    assert whole == sum(measure.between(one, two) for one, two in itertools.pairwise(at))
    span = sum((two - one for one, two in hours.spans(there, edges[0], edges[-1])), timedelta())
    assert whole == span // timedelta(microseconds=1)
    assert measure.between(at[-1], at[0]) == 0


def test_what_is_told_of_one_measure() -> None:
    there = hours.read({"zone": "Asia/Karachi", "days": [[["09:00", "17:00"]]] * 5 + [[], []],
                        "closed": [{"date": "2026-11-25", "until": "2026-11-26", "name": "Stocktaking"}],
                        "holidays": {"country": "PK", "open": ["2026-12-25"]}})  # fmt: skip
    karachi = ZoneInfo("Asia/Karachi")
    monday = datetime(2026, 11, 23, tzinfo=karachi)
    assert hours.seconds(there, monday, monday + timedelta(days=7)) == 3 * 8 * 3600
    assert hours.seconds(there, monday.replace(hour=16, minute=59), monday + timedelta(days=1, hours=10)) == 3660
    half = timedelta(milliseconds=500)
    assert hours.seconds(there, monday.replace(hour=9) - half, monday.replace(hour=9) + half) == 0  # whole seconds
    assert hours.seconds(there, monday.replace(hour=9) + half, monday.replace(hour=9) + 3 * half) == 1
    christmas = datetime(2026, 12, 25, tzinfo=karachi)  # the day of the Quaid-e-Azam, which they keep open
    assert hours.seconds(there, christmas, christmas + timedelta(days=1)) == 8 * 3600
    pakistan_day = datetime(2027, 3, 23, tzinfo=karachi)
    assert hours.seconds(there, pakistan_day, pakistan_day + timedelta(days=1)) == 0
    always = hours.read({"zone": "Europe/Berlin", "days": [[["00:00", "24:00"]]] * 7})
    assert hours.seconds(always, datetime(1960, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)) == 86_400
    assert hours.seconds(always, monday, monday + timedelta(days=3650)) == 3650 * 86_400
