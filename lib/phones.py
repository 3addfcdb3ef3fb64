"""Telephone numbers in one form each: E.164, however they were written, and whatever a country once put before them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MEXICO = re.compile(r"\+521(\d{10})")  # the 1 of mobiles, dropped in 2019
BRAZIL = re.compile(r"\+55([1-9]\d)([6-9]\d{7})")  # mobiles without the 9 that all have had since 2016
ARGENTINA = re.compile(r"\+54([1-8]\d{9})")  # mobiles without the 9 that is dialled from abroad


def e164(text: str, region: str = "", *, mobile: bool = False) -> str:
    """The number as +<country><number>, "" for what is none. `region` (two letters) is where it is a local number.

    `mobile`: it is known to be one, which in Argentina the number itself does not say.
    """
    import phonenumbers  # only when there is a number: its patterns take longer to load than all else here

    given = text.strip().removeprefix("tel:")
    given = re.sub(r"^00(?=[1-9])", "+", given)
    try:
        number = phonenumbers.parse(given, region.upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    found = MEXICO.sub(r"+52\1", found) if MEXICO.fullmatch(found) else found
    if (short := BRAZIL.fullmatch(found)) is not None:
        found = f"+55{short[1]}9{short[2]}"
    if mobile and (bare := ARGENTINA.fullmatch(found)) is not None:
        found = f"+549{bare[1]}"
    return found if phonenumbers.is_possible_number(phonenumbers.parse(found)) else ""


def zone_of(number: str) -> str:
    """The time zone in which telephones with this number (E.164) are, by where the number belongs; "" where that is not
    one clock (a country with several, for numbers that tell no place) or not known.
    """
    import phonenumbers
    from phonenumbers import timezone as zones

    try:
        names = zones.time_zones_for_number(phonenumbers.parse(number))
        clocks = {datetime.now(UTC).astimezone(ZoneInfo(name)).utcoffset() for name in names}
    except (phonenumbers.NumberParseException, ZoneInfoNotFoundError):
        return ""
    return names[-1] if len(clocks) == 1 else ""
