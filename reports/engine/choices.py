"""What the organisation has chosen for its figures, and a question with all of that in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from inbox.models import Agent, Setting, Tag
from inbox.rights import Right, may
from reports.engine.question import DAYS, Question

WINDOW = "reports.window"  # the setting of W: days, 1 to 30
LEFT_OUT = "reports.left_out"  # the setting of tags (ids) whose tickets are in no figure unless asked for
RATES = "reports.hourly_rates"  # the setting of money an hour, by a team's id or of all others
RATES_OF_ALL = "all"


def window() -> int:
    """W, in days."""
    return int(chosen()["window"])


def left_out() -> tuple[str, ...]:
    """The tags whose tickets are in no figure."""
    names: tuple[str, ...] = chosen()["left_out"]
    return names


def chosen(tags: Collection[str] = ()) -> dict[str, Any]:
    """What the organisation has chosen, as a question has it: the window, and the tags whose tickets are left out. Of
    those nothing is left out where the question asks for one of them by name, among `tags`.
    """
    kept = dict(Setting.objects.filter(pk__in=[WINDOW, LEFT_OUT]).values_list("key", "value"))
    days, ids = kept.get(WINDOW), kept.get(LEFT_OUT)
    names = tuple(Tag.objects.filter(pk__in=ids).values_list("name", flat=True)) if ids else ()
    return {
        "window": days if isinstance(days, int) and 1 <= days <= 30 else DAYS,
        "left_out": () if set(names) & set(tags) else names,
    }


def rates() -> dict[str, float]:
    """What an hour costs, by the id of a team as text, or by `RATES_OF_ALL`."""
    return dict(Setting.objects.filter(pk=RATES).values_list("value", flat=True).first() or {})


def ask(start: date, end: date, zone: ZoneInfo | None = None, **filters: Any) -> Question:
    """A question of now, as the organisation has chosen to count; in its zone where none is given."""
    filters = {**chosen(filters.get("tags", ())), **filters}
    return Question(start, end, zone or ZoneInfo(settings.TIME_ZONE), now=timezone.now(), **filters)


def seen_by(agent: Agent, question: Question) -> Question:
    """The question as this agent may ask it: of the tickets that they see; without the right to read the figures of
    teams and people, of their own work alone. Raises PermissionDenied where they ask for somebody else's, and for
    whoever answers nobody: they have no figures.
    """
    if not may(agent, Right.ANSWER):
        raise PermissionDenied
    own = (agent.pk,)
    if may(agent, Right.REPORTS):
        return replace(question, viewer=agent)
    if question.agents not in ((), own):
        raise PermissionDenied
    return replace(question, viewer=agent, agents=own)
