"""The weekly mail: the eight figures of the seven days before, beside those of the seven before them.

It leaves on the morning that its reader chose, in their language and zone. The row of each reader keeps for which
morning the mail has left: two workers at once, a sweep that comes again, a kill in between send none twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inbox import frames, post, second_factor
from inbox.actions.errors import ActionError
from inbox.models import Agent
from inbox.rights import Right, may
from reports import engine
from reports.definitions import DEFINITIONS
from reports.models import Target, WeeklyMail
from reports.pages import asked as asking
from reports.pages import cards, words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)

MORNING = 8  # o'clock, where the reader is
LATE = timedelta(days=2)  # a mail that could not leave for so long does not come any more: the next one will


@dataclass(frozen=True, slots=True)
class Line:
    title: StrOrPromise
    value: str
    basis: str
    comparison: words.Comparison | None
    target: str
    reason: str

    @property
    def moved(self) -> str:
        """How it has moved, in words: in a mail there is no drawing."""
        if self.comparison is None:
            return ""
        sign = {"up": "▲", "down": "▼"}.get(self.comparison.direction, "=")
        return words.list_of([f"{sign} {self.comparison.change}", self.comparison.words])


def morning(row: WeeklyMail, now: datetime) -> date | None:
    """The morning whose mail is due for this reader now, where there is one."""
    here = now.astimezone(zone_of(row.agent))
    day = here.date() - timedelta(days=(here.weekday() - row.weekday) % 7)
    begins = datetime.combine(day, datetime.min.time(), here.tzinfo) + timedelta(hours=MORNING)
    if here < begins or here - begins > LATE or row.sent_for == day:
        return None
    return day


def zone_of(agent: Agent) -> ZoneInfo:
    return ZoneInfo(agent.time_zone or settings.TIME_ZONE)


def send_due(now: datetime | None = None) -> int:
    """Send the mails that are due; returns how many left. Without a way for mail nothing does."""
    now = now or timezone.now()
    rows = WeeklyMail.objects.filter(agent__is_active=True).select_related("agent").order_by("pk")
    due = {row.agent_id: row.pk for row in rows.iterator() if morning(row, now) is not None}
    if not due or not post.available():
        return 0
    return sum(_send(due[agent.pk], agent, now) for agent in frames.with_sight(set(due)))


def _send(pk: int, agent: Agent, now: datetime) -> bool:
    with transaction.atomic():  # said to have left before it does: never twice, whatever dies in between
        row = WeeklyMail.objects.select_for_update(skip_locked=True, of=("self",)).select_related("agent")
        mine = row.filter(pk=pk).first()
        day = morning(mine, now) if mine is not None else None
        if mine is None or day is None:
            return False
        mine.sent_for = day
        mine.save(update_fields=["sent_for"])
    if second_factor.is_missing(agent) or not may(agent, Right.ANSWER):
        return False
    try:
        post.send(letter(agent, day, now))
    except ActionError as error:
        logger.warning("a weekly mail was not sent: %s", error)
        return False
    return True


def letter(agent: Agent, day: date, now: datetime) -> EmailMessage:
    """The mail of this morning, in its reader's language."""
    zone = zone_of(agent).key
    with translation.override(agent.language or settings.LANGUAGE_CODE):
        params = QueryDict(mutable=True)
        params.update({"from": str(day - timedelta(days=7)), "through": str(day - timedelta(days=1)), "zone": zone})
        asked = asking.of(agent, params, now)
        base = settings.BASE_URL.rstrip("/")
        context = {
            "lines": lines(asked),
            "period": words.days(asked.start, asked.end),
            "organisation": settings.ORGANISATION_NAME,
            "own": asked.own,
            "url": f"{base}{reverse('reports')}?{asked.query}",
            "settings_url": f"{base}{reverse('settings-profile')}#weekly-mail",
            "right_to_left": translation.get_language_bidi(),
            "language": translation.get_language(),
        }
        subject = _("The week in figures · %(organisation)s") % {"organisation": settings.ORGANISATION_NAME}
        text = render_to_string("reports/weekly.txt", context)
        return post.letter(subject, text, agent.email, html=render_to_string("reports/weekly.html", context))


def lines(asked: asking.Asked) -> list[Line]:
    """The eight, each beside what it was in the period before."""
    now = engine.figures(cards.KEYS, asked.question)
    before = engine.figures(cards.KEYS, asked.question.before())
    targets = dict(Target.objects.values_list("figure", "value"))
    found = []
    for key in cards.KEYS:
        definition = DEFINITIONS[key]
        figure = now[key]
        target = words.said(figure.unit, targets[key]) if key in targets else ""
        compared = words.compared(figure, before[key], definition.better)
        value, basis = words.said(figure.unit, figure.value), words.basis(figure)
        found.append(Line(cards.title(key), value, basis, compared, target, cards.reason_of(figure)))
    return found
