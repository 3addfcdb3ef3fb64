"""Times as people say them, in English and Urdu, in zones with and without summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox import spoken

KARACHI, BERLIN = ZoneInfo("Asia/Karachi"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 10, 30, tzinfo=KARACHI)  # a Thursday


@pytest.mark.parametrize(
    ("said", "local"),
    [
        ("tomorrow", "2026-11-27 09:00"), ("Tomorrow 9", "2026-11-27 09:00"), ("tomorrow at 5", "2026-11-27 17:00"),
        ("tomorrow 5am", "2026-11-27 05:00"), ("9:30 PM tomorrow", "2026-11-27 21:30"),
        ("next monday", "2026-11-30 09:00"), ("thursday", "2026-12-03 09:00"),
        ("on friday at 14:15", "2026-11-27 14:15"),
        ("next week", "2026-11-30 09:00"), ("next month", "2026-12-01 09:00"), ("weekend", "2026-11-28 09:00"),
        ("in 3 days", "2026-11-29 09:00"), ("in a week", "2026-12-03 09:00"), ("3d", "2026-11-29 09:00"),
        ("in 2 hours", "2026-11-26 12:30"), ("2h", "2026-11-26 12:30"), ("45 minutes", "2026-11-26 11:15"),
        ("in three months", "2027-02-26 09:00"), ("day after tomorrow evening", "2026-11-28 18:00"),
        ("tonight", "2026-11-26 18:00"), ("8am", "2026-11-27 08:00"), ("17:45", "2026-11-26 17:45"),
        ("march 1", "2027-03-01 09:00"), ("1st of March 2028 at 8:00", "2028-03-01 08:00"),
        ("2026-12-24 14:30", "2026-12-24 14:30"), ("2026-12-24T14:30", "2026-12-24 14:30"),
        ("کل صبح", "2026-11-27 09:00"), ("کل شام 5 بجے", "2026-11-27 17:00"), ("اگلے پیر", "2026-11-30 09:00"),
        ("اگلے ہفتے", "2026-11-30 09:00"), ("پرسوں", "2026-11-28 09:00"), ("۳ دن بعد", "2026-11-29 09:00"),
        ("دو گھنٹے بعد", "2026-11-26 12:30"), ("آج رات", "2026-11-26 21:00"),
        ("جمعہ کو سہ پہر", "2026-11-27 15:00"), ("ہفتہ", "2026-11-28 09:00"), ("5 جنوری", "2027-01-05 09:00"),
        ("", None), ("soon", None), ("tomorrow tomorrow", None), ("in 2 hours at 9", None), ("yesterday", None),
        ("2026-11-26 09:00", None), ("30 february", None), ("tomorrow 25", None), ("9", "2026-11-27 09:00"),
        ("in 999 weeks", None), ("13pm", None), ("next", None), ("3", "2026-11-26 15:00"), ("1/2", None),
    ],
)  # fmt: skip
def test_what_is_understood(said: str, local: str | None) -> None:
    at = spoken.understand(said, NOW, KARACHI)
    shown = at.astimezone(KARACHI).strftime("%Y-%m-%d %H:%M") if at else None
    assert shown == local


WORDS = st.sampled_from(
    "tomorrow today next monday week in 3 days 2 hours 9 9:30 pm 5pm morning کل صبح اگلے پیر march 31 29 february 2026"
    " 2027 2026-03-29 at on بعد گھنٹے ۴ month minutes 02:30 sunday".split()
)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(WORDS, max_size=5).map(" ".join), st.text(max_size=30)), TIMES)
def test_whatever_is_typed_is_a_time_to_come_or_nothing(said: str, now: datetime) -> None:
    for zone in (KARACHI, BERLIN):
        at = spoken.understand(said, now, zone)
        assert at is None or (now < at <= now + spoken.FURTHEST and at.tzinfo is UTC)


@settings(max_examples=200, deadline=None)
@given(TIMES, st.integers(0, 23), st.integers(0, 59), st.integers(1, 300))
def test_a_written_time_is_that_on_the_clock_there(now: datetime, hour: int, minute: int, days: int) -> None:
    day = (now.astimezone(BERLIN) + timedelta(days=days)).date()
    at = spoken.understand(f"{day} {hour:02}:{minute:02}" + ("" if hour > 6 or hour == 0 else "am"), now, BERLIN)
    if at is None:  # only a time that is over: the same day can have begun
        assert day <= now.astimezone(BERLIN).date()
        return
    there = at.astimezone(BERLIN)
    left_out = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN).astimezone(UTC).astimezone(BERLIN)
    assert there == left_out
    assert (there.hour, there.minute) == (hour, minute) or there.hour == hour + 1  # the hour that is skipped in March


def test_hours_are_hours_even_where_the_clock_is_put_back() -> None:
    now = datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN)
    assert spoken.understand("in 5 hours", now, BERLIN) == now.astimezone(UTC) + timedelta(hours=5)
