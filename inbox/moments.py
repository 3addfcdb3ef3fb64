"""Times that people name rather than type: in an hour, this evening, tomorrow, Monday; in the reader's own zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MORNING, EVENING = 9, 18


@dataclass(frozen=True, slots=True)
class Moment:
    key: str
    label: StrOrPromise
    at: datetime


KEYS = ("hour", "evening", "tomorrow", "monday")


def ahead(now: datetime | None = None) -> list[Moment]:
    """The moments to come, soonest first; one that is over, or is another one's day, is left out."""
    here = timezone.localtime(now)
    found = [Moment("hour", _("In an hour"), here + timedelta(hours=1))]
    if here.hour < EVENING - 1:
        found.append(Moment("evening", _("This evening"), _at(here, 0, EVENING)))
    found.append(Moment("tomorrow", _("Tomorrow morning"), _at(here, 1, MORNING)))
    days = 7 - here.weekday()
    if days > 1:
        found.append(Moment("monday", _("Monday morning"), _at(here, days, MORNING)))
    return found


def resolve(key: str, now: datetime | None = None) -> datetime | None:
    """The moment of a key; None where it is over."""
    return next((one.at for one in ahead(now) if one.key == key), None)


def _at(here: datetime, days: int, hour: int) -> datetime:
    day = here.date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=here.tzinfo)
