"""Times as people say them: "tomorrow 9", "next monday", "in 3 days", "کل صبح", "2026-03-01 14:30".

English and Urdu, in the zone of whoever types. Where only a day is said it begins at nine; an hour from one to six
without more is one of the afternoon. What is understood is shown before it is used; what is not is refused.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeVar

MORNING, NOON, AFTERNOON, EVENING, NIGHT = time(9), time(12), time(15), time(18), time(21)
FURTHEST = timedelta(days=366 * 2)
LONGEST = 80  # characters that are looked at

DAYS = {
    0: "monday mon پیر سوموار", 1: "tuesday tue tues منگل", 2: "wednesday wed بدھ", 3: "thursday thu thur thurs جمعرات",
    4: "friday fri جمعہ جمعے", 5: "saturday sat ہفتہ سنیچر weekend", 6: "sunday sun اتوار",
}  # fmt: skip
MONTHS = {
    1: "january jan جنوری", 2: "february feb فروری", 3: "march mar مارچ", 4: "april apr اپریل", 5: "may مئی",
    6: "june jun جون", 7: "july jul جولائی", 8: "august aug اگست", 9: "september sep sept ستمبر",
    10: "october oct اکتوبر", 11: "november nov نومبر", 12: "december dec دسمبر",
}  # fmt: skip
PARTS = {
    MORNING: "morning صبح سویرے", NOON: "noon midday دوپہر", AFTERNOON: "afternoon سہپہر",
    EVENING: "evening شام", NIGHT: "night رات",
}  # fmt: skip
UNITS = {
    "minutes": "minute minutes min mins منٹ", "hours": "hour hours hr hrs h گھنٹا گھنٹہ گھنٹے گھنٹوں",
    "days": "day days d دن دنوں", "weeks": "week weeks w ہفتہ ہفتے ہفتوں",
    "months": "month months مہینہ مہینے مہینوں ماہ",
}  # fmt: skip
COUNTS = {
    1: "a an one ایک", 2: "two دو", 3: "three تین", 4: "four چار", 5: "five پانچ", 6: "six چھ", 7: "seven سات",
    8: "eight آٹھ", 9: "nine نو", 10: "ten دس", 11: "eleven گیارہ", 12: "twelve بارہ",
}  # fmt: skip
AHEAD = {0: "today آج", 1: "tomorrow tmrw کل", 2: "overmorrow پرسوں"}
NEXT = frozenset("next coming اگلے اگلا اگلی آئندہ".split())
FILLING = frozenset("at on by the of in this from now later o'clock کو میں پر بعد سے بجے اس تک".split())

What = TypeVar("What")


def _by_word(table: Mapping[What, str]) -> dict[str, What]:
    return {_folded(word): what for what, words in table.items() for word in words.split()}


_SAME = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ه": "ہ", "ة": "ہ", "أ": "ا", "،": " ", ",": " ", "\u200c": ""})


def _folded(text: str) -> str:
    """Digits of any script as ours, letters in one spelling."""
    same = "".join(
        str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter
        for letter in unicodedata.normalize("NFC", text).lower().translate(_SAME)
    )
    return (
        same.replace("سہ پہر", "سہپہر").replace("day after tomorrow", "overmorrow").replace("tonight", "today evening")
    )


_DAY, _MONTH, _PART, _UNIT = _by_word(DAYS), _by_word(MONTHS), _by_word(PARTS), _by_word(UNITS)
_COUNT, _AHEAD, _NEXT, _FILLING = _by_word(COUNTS), _by_word(AHEAD), set(map(_folded, NEXT)), set(map(_folded, FILLING))
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?")


@dataclass
class _Said:
    day: date | None = None
    clock: tuple[int, int] | None = None
    half: str = ""  # am or pm
    part: time | None = None
    after: timedelta | None = None  # from now, by the minute


class _NotUnderstood(Exception):
    pass


def understand(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """The time that `text` says, in UTC; None where it says none, or one that is over or too far away."""
    try:
        at = _at(_read(_folded(text[:LONGEST]), now.astimezone(zone).date()), now, zone)
    except (_NotUnderstood, ValueError, OverflowError):
        return None
    return at if now < at <= now + FURTHEST else None


def _read(text: str, today: date) -> _Said:
    text = re.sub(r"(\d)t(\d)", r"\1 \2", text)  # 2026-03-01T14:30
    text = re.sub(r"(\d)([ap])\.?m\.?(?=\s|$)", r"\1\2m", re.sub(r"(\d)\s+([ap])\.?m\.?(?=\s|$)", r"\1\2m", text))
    words = re.sub(r"(?<=\d)(?=[^\W\d_])(?!am|pm|st|nd|rd|th)", " ", text).split()
    said, at = _Said(), 0
    while at < len(words):
        at += _take(words[at:], said, today)
    if said == _Said():
        raise _NotUnderstood
    return said


def _take(words: list[str], said: _Said, today: date) -> int:
    """Take in what the first words say; returns how many. Raises where they say nothing, or a second time the same."""
    word, then = words[0], words[1] if len(words) > 1 else ""
    if word in _NEXT and then in _UNIT:
        if _UNIT[then] == "weeks":
            return _day(said, today + timedelta(days=7 - today.weekday()), 2)
        if _UNIT[then] == "months":
            return _day(said, (today.replace(day=1) + timedelta(days=32)).replace(day=1), 2)
        raise _NotUnderstood
    if word in _NEXT and then in _DAY:
        return 1
    if (count := _COUNT.get(word, int(word) if word.isdecimal() and len(word) < 4 else None)) is not None:
        if then in _UNIT:
            return _ahead(said, count, _UNIT[then], today)
        if then in _MONTH or (len(words) > 2 and then == "of" and words[2] in _MONTH):
            return _in_month(words, said, today)
    if word in _MONTH or re.fullmatch(r"\d{1,2}(st|nd|rd|th)", word):
        return _in_month(words, said, today)
    if word in _AHEAD:
        return _day(said, today + timedelta(days=_AHEAD[word]), 1)
    if word in _DAY:
        return _day(said, today + timedelta(days=(_DAY[word] - today.weekday() - 1) % 7 + 1), 1)
    if found := _DATE.fullmatch(word):
        return _day(said, date(*map(int, found.groups())), 1)
    if word in _PART and said.part is None:
        said.part = _PART[word]
        return 1
    if (found := _CLOCK.fullmatch(word)) and said.clock is None:
        said.clock, said.half = (int(found[1]), int(found[2] or 0)), found[3] or ""
        return 1
    if word in _FILLING:
        return 1
    raise _NotUnderstood


def _day(said: _Said, day: date, words: int) -> int:
    if said.day is not None or said.after is not None:
        raise _NotUnderstood
    said.day = day
    return words


def _ahead(said: _Said, count: int, unit: str, today: date) -> int:
    if unit in {"minutes", "hours"}:
        if said.day is not None or said.after is not None:
            raise _NotUnderstood
        said.after = timedelta(**{unit: count})
        return 2
    if unit == "months":
        month = today.month - 1 + count
        year, month = today.year + month // 12, month % 12 + 1
        return _day(said, date(year, month, min(today.day, calendar.monthrange(year, month)[1])), 2)
    return _day(said, today + timedelta(**{unit: count}), 2)


def _in_month(words: list[str], said: _Said, today: date) -> int:
    """`1 march`, `march 1st`, with or without a year; without one the next that comes."""
    named = [word for word in words[:3] if word != "of"]
    used = 2 + (len(named) < len(words[:3]))
    pair = named[:2] if named[0] in _MONTH else named[1::-1]
    if len(pair) < 2 or pair[0] not in _MONTH or not (found := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", pair[1])):
        raise _NotUnderstood
    year = int(words[used]) if len(words) > used and re.fullmatch(r"2\d{3}", words[used]) else None
    day = date(year or today.year, _MONTH[pair[0]], int(found[1]))
    if year is None and day <= today:
        day = date(today.year + 1, day.month, day.day)
    return _day(said, day, used + (year is not None))


def _at(said: _Said, now: datetime, zone: tzinfo) -> datetime:
    if said.after is not None:
        if said.clock or said.part:
            raise _NotUnderstood
        return now.astimezone(UTC) + said.after
    clock = _clock(said)
    if said.day is not None:
        return _in_zone(said.day, clock or MORNING, zone)
    if clock is None:
        raise _NotUnderstood
    today = now.astimezone(zone).date()
    at = _in_zone(today, clock, zone)
    return at if at > now else _in_zone(today + timedelta(days=1), clock, zone)


def _clock(said: _Said) -> time | None:
    if said.clock is None:
        return said.part
    hour, minute = said.clock
    if said.half:
        if not 1 <= hour <= 12:
            raise _NotUnderstood
        hour = hour % 12 + (12 if said.half == "pm" else 0)
    else:
        later = 12 if said.part is not None and said.part > MORNING else 7 if said.part is None else 0
        hour += 12 if 1 <= hour < later else 0
    return time(hour, minute)


def _in_zone(day: date, clock: time, zone: tzinfo) -> datetime:
    """That time there; one that a clock put forward leaves out is as much later, of two alike it is the first."""
    return datetime.combine(day, clock, zone).astimezone(UTC)
