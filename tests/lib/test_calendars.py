"""Holidays of countries, and whole days out of iCalendar files, well-formed or not."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import calendars, ical
from lib.ical import Days, Found

START, UNTIL = date(2026, 1, 1), date(2029, 1, 1)


def calendar(*events: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a test//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", *([] if "UID:" in event else [f"UID:{number}"]), *event.split(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).replace("_", " ").encode()


def days(content: bytes) -> list[tuple[str, str, str]]:
    found = ical.whole_days(content, START, UNTIL)
    return [(one.first.isoformat(), one.last.isoformat(), one.name) for one in found.days]


def test_countries_and_their_regions() -> None:
    names = calendars.countries()
    assert (names["PK"], names["GB"], names["BA"]) == ("Pakistan", "United Kingdom", "Bosnia and Herzegovina")
    assert calendars.regions("DE")["BY"] == "Bayern"
    assert calendars.regions("nowhere") == {} == calendars.of_year("nowhere", "", 2026)
    corpus_christi = date(2026, 6, 4)
    assert corpus_christi in calendars.of_year("DE", "BY", 2026)
    assert calendars.of_year("DE", "gone", 2026) == calendars.of_year("DE", "", 2026)
    assert corpus_christi not in calendars.of_year("DE", "", 2026)
    found = calendars.between("PK", "", date(2026, 12, 25), date(2027, 2, 6))
    assert [day for day, _name in found] == [date(2026, 12, 25), date(2027, 2, 5)]


def test_whole_days_of_a_calendar() -> None:
    content = calendar(
        "DTSTART;VALUE=DATE:20261224 DTEND;VALUE=DATE:20270102 SUMMARY:Between_the_years",
        "DTSTART;VALUE=DATE:20260501 SUMMARY:One_day",
        "DTSTART;VALUE=DATE:20260310 DURATION:P2D SUMMARY:Two",
        "DTSTART:20260310T090000Z DTEND:20260310T100000Z SUMMARY:A_meeting",
        "DTSTART;VALUE=DATE:20200101 SUMMARY:Long_ago",
        "DTSTART;VALUE=DATE:20260601 STATUS:CANCELLED SUMMARY:Never",
    )
    found = ical.whole_days(content, START, UNTIL)
    assert found == Found(
        [
            Days(date(2026, 3, 10), date(2026, 3, 11), "Two"),
            Days(date(2026, 5, 1), date(2026, 5, 1), "One day"),
            Days(date(2026, 12, 24), date(2027, 1, 1), "Between the years"),
        ],
        timed=1,
        outside=1,
    )


def test_events_that_repeat() -> None:
    yearly = "DTSTART;VALUE=DATE:20200317 RRULE:FREQ=YEARLY SUMMARY:Founders"
    assert [one[0] for one in days(calendar(yearly))] == ["2026-03-17", "2027-03-17", "2028-03-17"]
    some = "DTSTART;VALUE=DATE:20260101 RRULE:FREQ=MONTHLY;UNTIL=20260401 EXDATE;VALUE=DATE:20260201 SUMMARY:x UID:m"
    moved = "UID:m RECURRENCE-ID;VALUE=DATE:20260301 DTSTART;VALUE=DATE:20260303 SUMMARY:moved"
    assert [one[0] for one in days(calendar(some, moved))] == ["2026-01-01", "2026-03-03", "2026-04-01"]
    assert [one[0] for one in days(calendar("DTSTART;VALUE=DATE:20251231 DURATION:P3D"))] == ["2025-12-31"]
    twice = "DTSTART;VALUE=DATE:20260101 RRULE:FREQ=YEARLY;COUNT=2"
    assert [one[0] for one in days(calendar(twice))] == ["2026-01-01", "2027-01-01"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7 nonsense",
        b"BEGIN:VCALENDAR",
        b"x" * (ical.MOST_BYTES + 1),
        calendar("SUMMARY:no_date"),
        calendar("DTSTART;VALUE=DATE:20269999"),
        calendar("DTSTART;VALUE=DATE:00010101 RRULE:FREQ=DAILY"),
        calendar("DTSTART;VALUE=DATE:20260101 RRULE:FREQ=SECONDLY"),
        calendar("DTSTART;VALUE=DATE:20200101 RRULE:FREQ=DAILY"),
        calendar("DTSTART;VALUE=DATE:20260101 RRULE:FREQ=YEARLY;BYMONTH=x"),
        calendar("DTSTART;VALUE=DATE:20200101 RRULE:FREQ=DAILY;INTERVAL=0"),
    ],
    ids=range(11),
)
def test_what_is_no_calendar_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"calendar|large|often"):
        ical.whole_days(content, START, UNTIL)


def test_what_is_counted_and_what_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical, "MOST_SECONDS", 600.0)  # also where ten others run
    counted = calendar("DTSTART;VALUE=DATE:20251231 RRULE:FREQ=DAILY;COUNT=3 SUMMARY:x")
    assert days(counted) == [("2026-01-01", "2026-01-01", "x"), ("2026-01-02", "2026-01-02", "x")]
    never = "DTSTART;VALUE=DATE:20230101 RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    assert days(calendar(never, f"{never};COUNT=3", never.replace("YEARLY", "DAILY"))) == []


def test_a_calendar_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical, "MOST_SECONDS", 0.0)
    with pytest.raises(ValueError, match="too large"):
        days(calendar(*["DTSTART;VALUE=DATE:20260101"] * 3))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([
    "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "DTSTART;VALUE=DATE:20260101",
    "DTSTART:x", "DTEND;VALUE=DATE:20250101", "DURATION:P-1D", "DURATION:PT1H", "RRULE:FREQ=YEARLY;INTERVAL=0",
    "RRULE:", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=0", "EXDATE:x", "RDATE;VALUE=PERIOD:20260101T000000Z/P1D",
    "RECURRENCE-ID:20260101", "SUMMARY:\x00", "DTSTART;TZID=Nowhere:20260101T000000", ":", "\ud800",
]), max_size=12))  # fmt: skip
def test_no_file_breaks_it(lines: list[str]) -> None:
    try:
        found = ical.whole_days("\r\n".join(lines).encode("utf-8", "surrogatepass"), START, UNTIL)
    except ValueError:
        return
    assert all(one.first <= one.last and one.first < UNTIL and one.last >= START for one in found.days)
