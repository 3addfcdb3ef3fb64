"""What the organisation has chosen for its figures, and a question with all of that in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from inbox.models import Agent, Setting
from inbox.rights import Right, may
from reports.engine.question import DAYS, Question

WINDOW = "reports.window"  # the setting of W: days, 1 to 30
RATES = "reports.hourly_rates"  # the setting of money an hour, by a team's id or of all others
RATES_OF_ALL = "all"


def window() -> int:
    """W, in days."""
    value = Setting.objects.filter(pk=WINDOW).values_list("value", flat=True).first()
    return value if isinstance(value, int) and 1 <= value <= 30 else DAYS


def rates() -> dict[str, float]:
    """What an hour costs, by the id of a team as text, or by `RATES_OF_ALL`."""
    return dict(Setting.objects.filter(pk=RATES).values_list("value", flat=True).first() or {})


def ask(start: date, end: date, zone: ZoneInfo | None = None, **filters: Any) -> Question:
    """A question of now, with the organisation's window; in its zone where none is given."""
    return Question(
        start, end, zone or ZoneInfo(settings.TIME_ZONE), now=timezone.now(), **{"window": window(), **filters}
    )


def seen_by(agent: Agent, question: Question) -> Question:
    """The question as this agent may ask it: of the tickets that they see; without the right to read the figures of
    teams and people, of their own work alone. Raises PermissionDenied where they ask for somebody else's.
    """
    own = (agent.pk,)
    if may(agent, Right.REPORTS):
        return replace(question, viewer=agent)
    if question.agents not in ((), own):
        raise PermissionDenied
    return replace(question, viewer=agent, agents=own)
