"""What figures are broken down by: how each is found in SQL, told in words, and filled where nothing happened."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import formats
from django.utils.dates import MONTHS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.models import Agent, Channel, Priority, Team, TicketType
from reports.engine.question import Question, instant
from reports.engine.sources import Source

Key = str | int | None
TIMES = ("day", "week", "month", "hour_of_week")
PLACES = ("channel", "team", "agent")
OF_TICKET = ("tag", "type", "topic", "severity", "language", "priority")  # as the ticket has it now
ALL = TIMES + PLACES + OF_TICKET
HOURS = 7 * 24
NOUNS: dict[str, Any] = {"channel": Channel.objects, "team": Team.objects, "agent": Agent.objects}
NAMES = {
    "day": gettext_lazy("day"),
    "week": gettext_lazy("week"),
    "month": gettext_lazy("month"),
    "hour_of_week": gettext_lazy("hour of the week"),
    "channel": gettext_lazy("channel"),
    "team": gettext_lazy("team"),
    "agent": gettext_lazy("agent"),
    "tag": gettext_lazy("tag"),
    "type": gettext_lazy("type"),
    "topic": gettext_lazy("topic"),
    "severity": gettext_lazy("severity"),
    "language": gettext_lazy("language"),
    "priority": gettext_lazy("priority"),
}


def bucket(at: str, by: str) -> str:
    """SQL of the day, week, month or hour of the week that an instant falls in, in the zone asked for."""
    local = f"(({at}) AT TIME ZONE %(zone)s)"
    if by == "hour_of_week":
        return f"((EXTRACT(isodow FROM {local}) - 1) * 24 + EXTRACT(hour FROM {local}))::int"
    if by == "day":
        return f"{local}::date"
    return f"date_trunc('{by}', {local})::date"


def expression(source: Source, by: str) -> str:
    """SQL of what rows of this source are grouped by. Raises ValueError where there is no such breakdown."""
    if by in TIMES and source.at:
        return bucket(f"f.{source.at}", by)
    if by in PLACES:
        return f"f.{getattr(source, by)}"
    if by == "tag":
        return "tag.name"
    if by in OF_TICKET:
        return "t.severity" if by == "severity" else f"NULLIF(t.{by}, '')"
    raise ValueError(f"no figures by {by}")


def joins(by: str) -> str:
    """What has to be read beside the facts for it."""
    if by not in OF_TICKET:
        return ""
    tags = " LEFT JOIN LATERAL unnest(t.tags) AS tag(name) ON TRUE" if by == "tag" else ""
    return f" JOIN inbox_ticket t ON t.number = f.ticket_id{tags}"


def key_of(value: object, by: str) -> Key:
    """A value of `expression` as the key of a group."""
    if isinstance(value, date):
        return f"{value:%Y-%m}" if by == "month" else value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


def value_of(key: Key, by: str) -> object:
    """The other way round. Raises ValueError where there is no such key."""
    if by == "month":
        return date.fromisoformat(f"{key}-01")
    if by in ("day", "week"):
        return date.fromisoformat(str(key))
    if by in ("hour_of_week", "severity", *PLACES) and key is not None:
        return int(key)
    return key


def start_of(question: Question, by: str, key: Key) -> datetime:
    """When this day, week or month of the period begins in it."""
    value = value_of(key, by)
    assert isinstance(value, date)
    return instant(max(value, question.start), question.zone)


def end_of(question: Question, by: str, key: Key) -> datetime:
    """When it ends in the period."""
    value = value_of(key, by)
    assert isinstance(value, date)
    days = {"day": 1, "week": 7, "month": monthrange(value.year, value.month)[1]}[by]
    return instant(min(value + timedelta(days=days), question.end), question.zone)


def all_keys(question: Question, by: str) -> list[Key]:
    """The groups that are there though nothing happened in them: those of time."""
    if by == "hour_of_week":
        return list(range(HOURS))
    if by not in TIMES:
        return []
    days = [question.start + timedelta(days=n) for n in range((question.end - question.start).days)]
    first = {"day": lambda d: d, "week": lambda d: d - timedelta(days=d.weekday()), "month": lambda d: d.replace(day=1)}
    return [key_of(day, by) for day in dict.fromkeys(map(first[by], days))]


def labels(keys: Iterable[Key], by: str) -> dict[Key, str]:
    """What each group is called, in the reader's language; sorts as they come, names by their letters."""
    keys = list(keys)
    if by in PLACES:
        ids = [key for key in keys if key is not None]
        names: dict[Key, str] = dict(NOUNS[by].filter(pk__in=ids).values_list("pk", "name"))
        none = {"channel": _("No channel"), "team": _("No team"), "agent": _("Outside Rabta")}[by]
        gone = _("Removed")
        return {key: none if key is None else names.get(key, f"{gone} ({key})") for key in keys}
    return {key: _label(key, by) for key in keys}


def _label(key: Key, by: str) -> str:
    if key is None:
        return _("None")
    if by == "hour_of_week":
        weekday, hour = divmod(int(key), 24)
        return f"{WEEKDAYS_ABBR[weekday]} {hour:02}:00"
    if by == "month":
        return f"{MONTHS[int(str(key)[5:])]} {str(key)[:4]}"
    if by in ("day", "week"):
        return formats.date_format(date.fromisoformat(str(key)), "SHORT_DATE_FORMAT")
    words: dict[str, object] = {"type": dict(TicketType.choices), "priority": dict(Priority.choices)}.get(by, {})  # type: ignore[assignment]
    return str(words.get(str(key), key))
