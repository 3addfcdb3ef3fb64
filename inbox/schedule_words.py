"""Hours of business in words, as lists and pages show them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import schedules
from inbox.models import Channel
from lib import calendars, hours


def week() -> list[str]:
    """The days, Monday first."""
    return [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")]


@dataclass(frozen=True, slots=True)
class Told:
    """Hours in words. `lines` are (days, spans as 09:00–17:00), days alike together; closed ones are left out."""

    lines: list[tuple[str, list[str]]]
    zone: str
    country: str  # whose holidays are free, with the region; empty: none
    free: int  # rows of other days off
    open_now: bool


def told(stored: Mapping[str, Any]) -> Told | None:
    """None where there are none, or none that can be read."""
    try:
        read = hours.read(stored) if stored else None
    except ValueError:
        return None
    if read is None:
        return None
    names, lines = week(), []
    for _same, group in itertools.groupby(range(7), lambda day: stored["days"][day]):
        first, *more = group
        if spans := stored["days"][first]:
            days = names[first]
            if more:
                days = _("%(first)s–%(last)s") % {"first": names[first], "last": names[more[-1]]}
            lines.append((days, [f"{start}–{end}" for start, end in spans]))
    country = calendars.countries().get(read.country, "")
    if country and read.region:
        country = f"{country}, {calendars.regions(read.country).get(read.region, read.region)}"
    free = len(stored.get("closed") or ())
    return Told(lines, read.zone.key, country, free, hours.is_open(read, timezone.now()))


def whose(channel: Channel, of_organisation: bool) -> str:
    """Whose hours hold for tickets of this channel whose team has none."""
    if schedules.own(channel):
        return _("its own")
    if channel.brand and channel.brand.schedule:
        return _("those of the brand “%(name)s”") % {"name": channel.brand.name}
    return _("those of the organisation") if of_organisation else _("none: all time counts")
