"""Hours of business: the rule of the clock on the wall, over all zones and the days when clocks are changed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import hours

ZONES = ["Asia/Karachi", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]


def week(*spans: tuple[str, str], zone: str = "Asia/Karachi", **more: Any) -> hours.Hours:
    return hours.read({"zone": zone, "days": [[list(one) for one in spans]] * 7, **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("when", "open_"),
    [("08:59:59.999999", False), ("09:00", True), ("12:59", True), ("13:00", False), ("14:00", True), ("18:00", False)],
)
def test_spans_are_half_open_and_several_a_day(when: str, open_: bool) -> None:
    there = week(("09:00", "13:00"), ("14:00", "18:00"))
    assert hours.is_open(there, at(f"2026-11-26T{when}+05:00")) is open_


def test_past_midnight_and_closed_days() -> None:
    there = week(("22:00", "02:00"), closed=["2026-11-26"])
    assert hours.is_open(there, at("2026-11-26T01:59+05:00"))  # what began on the day before
    assert not hours.is_open(there, at("2026-11-26T23:00+05:00"))
    assert not hours.is_open(there, at("2026-11-27T01:00+05:00"))
    assert hours.opens_at(there, at("2026-11-26T02:00+05:00")) == at("2026-11-27T22:00+05:00")
    assert hours.opens_at(there, at("2026-11-26T01:00+05:00")) == at("2026-11-26T01:00+05:00")


def test_never_and_always() -> None:
    assert hours.opens_at(hours.read({"zone": "UTC", "days": [[]] * 7}), at("2026-11-26T00:00Z")) is None
    always = week(("00:00", "24:00"), zone="Europe/Berlin")
    [(start, end)] = hours.spans(always, at("2026-03-20T00:00Z"), at("2026-04-03T00:00Z"))
    assert (start, end) == (at("2026-03-20T00:00Z"), at("2026-04-03T00:00Z"))
    assert week(("00:00", "00:00")).days == week(("00:00", "24:00")).days


def test_when_clocks_change() -> None:
    """In Berlin 02:00 to 03:00 is missing on 29 March 2026, and there twice on 25 October."""
    there = week(("02:15", "02:45"), zone="Europe/Berlin")
    day = timedelta(days=1)
    assert list(hours.spans(there, at("2026-03-29T00:00+01:00"), at("2026-03-30T00:00+02:00"))) == []
    twice = list(hours.spans(there, at("2026-10-25T00:00+02:00"), at("2026-10-26T00:00+01:00")))
    assert [end - start for start, end in twice] == [timedelta(minutes=30)] * 2
    night = week(("22:00", "06:00"), zone="Europe/Berlin")
    [(start, end)] = hours.spans(night, at("2026-10-24T12:00+02:00"), at("2026-10-25T12:00+01:00"))
    assert end - start == timedelta(hours=9)
    assert list(hours.spans(night, start + day, start + day)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"zone": "Mars/Olympus", "days": [[]] * 7},
        {"zone": "../../etc/passwd", "days": [[]] * 7},
        {"zone": "UTC", "days": [[]] * 6},
        {"zone": "UTC", "days": [[["9", "17:00"]]] * 7},
        {"zone": "UTC", "days": [[["09:60", "17:00"]]] * 7},
        {"zone": "UTC", "days": [[["09:00", "25:00"]]] * 7},
        {"zone": "UTC", "days": [[["24:00", "08:00"]]] * 7},
        {"zone": "UTC", "days": [[["09:00"]]] * 7},
        {"zone": "UTC", "days": 7},
        {"zone": "UTC", "days": [[]] * 7, "closed": ["tomorrow"]},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        hours.read(wrong)


clock = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
weeks = st.lists(st.lists(st.tuples(clock, clock).map(list), max_size=3), min_size=7, max_size=7)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))


@given(st.sampled_from(ZONES), weeks, instants, st.integers(0, 20 * 24 * 3600))
def test_spans_and_the_rule_agree(zone: str, days: list[Any], start: datetime, seconds: int) -> None:
    there = hours.read({"zone": zone, "days": days})
    until = start + timedelta(seconds=seconds)
    found = list(hours.spans(there, start, until))
    least = timedelta(microseconds=1)
    edge = start
    for one, two in found:
        assert edge <= one < two <= until
        assert hours.is_open(there, one) and hours.is_open(there, two - least)
        assert one == start or not hours.is_open(there, one - least)
        assert two == until or not hours.is_open(there, two)
        edge = two + least  # stretches that touch are one
    step = max(timedelta(seconds=seconds) / 50, least)
    for place in range(50):
        moment = start + place * step
        if moment < until:
            assert hours.is_open(there, moment) == any(one <= moment < two for one, two in found)


@given(st.sampled_from(ZONES), weeks, instants)
def test_what_opens_next_is_the_first(zone: str, days: list[Any], start: datetime) -> None:
    there = hours.read({"zone": zone, "days": days})
    found = hours.opens_at(there, start)
    if found is not None:
        assert found >= start and hours.is_open(there, found)
    assert (found == start) == hours.is_open(there, start)
    assert there.zone == ZoneInfo(zone)
