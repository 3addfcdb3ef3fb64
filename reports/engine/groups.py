"""What figures are broken down by: how each is found in SQL, told in words, and filled where nothing happened."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import formats
from django.utils.dates import MONTHS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.happenings import PAGE_VIEW
from inbox.models import Agent, Channel, Priority, Team, TicketType
from reports.engine.question import Question, instant
from reports.engine.sources import Source

Key = str | int | None
STRETCHES = ("day", "week", "month")  # of time, without a gap
TIMES = (*STRETCHES, "hour_of_week")
PLACES = ("channel", "team", "agent")
OF_TICKET = ("tag", "type", "topic", "severity", "language", "priority")  # as the ticket has it now
ALL = TIMES + PLACES + OF_TICKET
# Further ones, for pages that ask for them by name: over which channels customers went (ids in order; of the figure
# `paths` alone); the page that the customer had seen last within half an hour before
# they wrote; an attribute of the ticket by its key (`field:product`), each value of a list by itself.
PATH = "path"
MORE = "+"  # a path goes on
PAGE = "page"
FIELD = "field:"
_KEY = re.compile(r"[-\w]{1,60}", re.ASCII)
SEEN = f"""LEFT JOIN LATERAL (
    SELECT split_part(split_part(e.data ->> 'url', '?', 1), '#', 1) AS name
    FROM inbox_customerevent e JOIN reports_ticketfact o ON o.ticket_id = t.number
    WHERE e.customer_id = t.customer_id AND e.kind = '{PAGE_VIEW}'
      AND e.at <= o.opened_at AND e.at > o.opened_at - INTERVAL '30 minutes'
    ORDER BY e.at DESC, e.id DESC LIMIT 1) AS page ON TRUE"""  # noqa: S608
VALUES = """LEFT JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(t.attributes -> '{key}') WHEN 'array' THEN t.attributes -> '{key}'
    ELSE jsonb_build_array(t.attributes -> '{key}') END) AS attribute(value) ON TRUE"""
HOURS = 7 * 24
HOUR = "(%(hours)s::int[])[width_bucket({at}, %(marks)s::timestamptz[])]"
PARTS = (
    "unnest(%(keys)s::text[], %(begins)s::timestamptz[], %(finishes)s::timestamptz[]) AS part(key, begins, finishes)"
)
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


def is_known(by: str) -> bool:
    """Whether figures can be broken down by this."""
    return by in (*ALL, PAGE, PATH) or (by.startswith(FIELD) and bool(_KEY.fullmatch(by.removeprefix(FIELD))))


def hours(question: Question) -> dict[str, list[Any]]:
    """The hours of the period, as the parameters of `HOUR`: when each begins, and which of the week it is."""
    marks, labels, mark = [], [], question.starts
    while mark < question.ends:
        local = mark.astimezone(question.zone)
        marks.append(mark)
        labels.append(local.weekday() * 24 + local.hour)
        mark += timedelta(hours=1) - timedelta(minutes=local.minute, seconds=local.second)
    return {"marks": marks, "hours": labels}


def expression(source: Source, by: str) -> str:
    """SQL of what rows of this source are grouped by. Raises ValueError where there is no such breakdown."""
    if by == "hour_of_week" and source.at:
        return HOUR.format(at=f"f.{source.at}")
    if by in PLACES:
        return f"f.{getattr(source, by)}"
    if by == "tag":
        return "tag.name"
    if by in OF_TICKET:
        return "t.severity" if by == "severity" else f"NULLIF(t.{by}, '')"
    if by == PAGE:
        return "NULLIF(page.name, '')"
    if by.startswith(FIELD) and is_known(by):
        return "NULLIF(attribute.value, '')"
    raise ValueError(f"no figures by {by}")


def joins(by: str) -> str:
    """What has to be read beside the facts for it."""
    further = ""
    if by == "tag":
        further = "LEFT JOIN LATERAL unnest(t.tags) AS tag(name) ON TRUE"
    elif by == PAGE:
        further = SEEN
    elif by.startswith(FIELD) and is_known(by):
        further = VALUES.format(key=by.removeprefix(FIELD))
    elif by not in OF_TICKET:
        return ""
    return f" JOIN inbox_ticket t ON t.number = f.ticket_id {further}"


def key_of(value: object, by: str) -> Key:
    """A value of `expression` as the key of a group."""
    if isinstance(value, date):
        return f"{value:%Y-%m}" if by == "month" else value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


def value_of(key: Key, by: str) -> object:
    """The other way round. Raises ValueError where there is no such key."""
    if by in STRETCHES:
        found = date.fromisoformat(f"{key}-01" if by == "month" else str(key))
        if not date.min.year < found.year < date.max.year:  # it has to begin and to end
            raise ValueError(f"no such {by}")
        return found
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


def stretches(question: Question, by: str) -> dict[str, list[Any]]:
    """The days, weeks or months of the period, as the parameters of `PARTS`: when each begins in it, when it ends."""
    keys = all_keys(question, by)
    return {
        "keys": keys,
        "begins": [start_of(question, by, key) for key in keys],
        "finishes": [end_of(question, by, key) for key in keys],
    }


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
    if by == PATH:
        return _paths(keys)
    return {key: _label(key, by) for key in keys}


def _paths(keys: list[Key]) -> dict[Key, str]:
    """Channels by their names, in order; the mark between them turns with the direction of the script."""
    steps = {key: str(key or "").split("-") for key in keys}
    ids = {int(one) for path in steps.values() for one in path if one.isdecimal()}
    names = dict(Channel.objects.filter(pk__in=ids).values_list("pk", "name"))

    def name(step: str) -> str:
        return names.get(int(step), _("Removed")) if step.isdecimal() else "…"

    return {key: " › ".join(map(name, path)) for key, path in steps.items()}


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
    if by.startswith(FIELD):  # what is ticked or not is kept as a boolean
        return {"true": _("Yes"), "false": _("No")}.get(str(key), str(key))
    words: dict[str, object] = {"type": dict(TicketType.choices), "priority": dict(Priority.choices)}.get(by, {})  # type: ignore[assignment]
    return str(words.get(str(key), key))
