"""Hours of business as people and programs give them, checked: what is stored, or what is wrong by its dotted path.

The form is that of `lib.hours.read`; a chat's setting `hours` is checked here, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from lib import calendars, zones
from lib.hours import LONGEST_CLOSED

MOST_SPANS = 6  # a day
MOST_CLOSED = 400  # rows of days
MOST_OPEN = 400
LONGEST_NAME = 120
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PARTS = ("zone", "days", "closed", "holidays")
Wrong = dict[str, list[str]]


def checked(given: Any) -> tuple[dict[str, Any], Wrong]:
    """(what is stored, what is wrong by its path). What says nothing is left out."""
    wrong: Wrong = {}
    if not isinstance(given, Mapping):
        return {}, {"": [_("Give an object.")]}
    for name in [name for name in given if name not in PARTS][:5]:
        known = CONTROL.sub("", str(name).encode("utf-8", "replace").decode())[:60]
        _say(wrong, known, _("%(name)s does not belong to hours of business.") % {"name": known})
    found = {
        "zone": _zone(given.get("zone"), wrong),
        "days": _week(given.get("days"), wrong),
        "closed": _closed(given.get("closed"), wrong),
        "holidays": _holidays(given.get("holidays"), wrong),
    }
    return {name: value for name, value in found.items() if value}, wrong


def _say(wrong: Wrong, path: str, text: str) -> None:
    wrong.setdefault(path, []).append(text)


def _zone(given: Any, wrong: Wrong) -> str:
    if isinstance(given, str) and given.strip() in zones.names():
        return given.strip()
    _say(wrong, "zone", _("This is no time zone: give one such as Asia/Karachi."))
    return ""


def _week(given: Any, wrong: Wrong) -> list[list[list[str]]]:
    """Seven days, Monday first: each a list of spans from and to, which do not overlap."""
    if not isinstance(given, list) or len(given) != 7:
        _say(wrong, "days", _("This is needed.") if not given else _("Give seven lists, Monday first."))
        return []
    return [_day(one, f"days.{at}", wrong) for at, one in enumerate(given)]


def _day(given: Any, path: str, wrong: Wrong) -> list[list[str]]:
    if not isinstance(given, list) or len(given) > MOST_SPANS:
        _say(wrong, path, _("Give a list of at most %(n)d spans.") % {"n": MOST_SPANS})
        return []
    found: list[list[str]] = []
    for at, span in enumerate(given):
        here = f"{path}.{at}"
        if not isinstance(span, list) or len(span) != 2 or not all(isinstance(one, str) for one in span):
            _say(wrong, here, _('Give a span as ["09:00", "17:00"].'))
        elif not all(TIME.fullmatch(one) for one in span) or span[0] == "24:00":
            _say(wrong, here, _("Give times as 09:00, from 00:00 to 24:00."))
        elif span[0] >= span[1]:
            text = _("This ends before it begins. Over midnight: give two, until 24:00 and from 00:00.")
            _say(wrong, here, text)
        else:
            found.append(span)
    found.sort()
    if any(before[1] > after[0] for before, after in itertools.pairwise(found)):
        _say(wrong, path, _("These times overlap."))
    return found


def _closed(given: Any, wrong: Wrong) -> list[dict[str, str]]:
    """Days on which nobody works, each once, in order: one, or several in a row."""
    if not given:
        return []
    if not isinstance(given, list) or len(given) > MOST_CLOSED:
        _say(wrong, "closed", _("At most %(n)d.") % {"n": MOST_CLOSED})
        return []
    found = [_row(one, f"closed.{at}", wrong) for at, one in enumerate(given)]
    return sorted({str(one): one for one in found if one}.values(), key=lambda one: (one["date"], str(one)))


def _row(given: Any, path: str, wrong: Wrong) -> dict[str, str]:
    row = {"date": given} if isinstance(given, str) else given
    if not isinstance(row, Mapping):
        _say(wrong, path, _("Give a date as 2026-12-24."))
        return {}
    day, last = _date(row.get("date")), _date(row.get("until") or row.get("date"))
    if day is None:
        _say(wrong, f"{path}.date", _("Give a date as 2026-12-24."))
    elif last is None:
        _say(wrong, f"{path}.until", _("Give a date as 2026-12-24."))
    elif last < day:
        _say(wrong, f"{path}.until", _("This lies before the first day."))
    elif last - day > LONGEST_CLOSED:
        _say(wrong, f"{path}.until", _("At most a year at once."))
    else:
        name = CONTROL.sub(" ", str(row.get("name") or "")).encode("utf-8", "ignore").decode()
        name = " ".join(name.split())[:LONGEST_NAME]
        until = {"until": last.isoformat()} if last > day else {}
        return {"date": day.isoformat(), **until, **({"name": name} if name else {})}
    return {}


def _date(given: Any) -> date | None:
    try:
        found = date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found if found is not None and 1970 <= found.year < 2200 else None


def _holidays(given: Any, wrong: Wrong) -> dict[str, Any]:
    if not given:
        return {}
    if not isinstance(given, Mapping):
        _say(wrong, "holidays", _("Give an object."))
        return {}
    country, region = given.get("country") or "", given.get("region") or ""
    if not country:
        return {}
    if country not in calendars.countries():
        _say(wrong, "holidays.country", _("No holidays are known of this country."))
        return {}
    found = {"country": country}
    if region and region not in calendars.regions(country):
        _say(wrong, "holidays.region", _("No holidays are known of this part of the country."))
    elif region:
        found["region"] = region
    opened = given.get("open") or []
    days = [_date(one) for one in opened] if isinstance(opened, list) and len(opened) <= MOST_OPEN else [None]
    if None in days:
        _say(wrong, "holidays.open", _("Give dates as 2026-12-24."))
        return {}
    kept = sorted({day.isoformat() for day in days if day})
    return {**found, **({"open": kept} if kept else {})}
