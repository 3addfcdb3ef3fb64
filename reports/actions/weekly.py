"""Who wants the figures by mail, and on which morning."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent
from inbox.rights import Right, may
from reports.models import WeeklyMail


def want(agent: Agent, weekday: int | None) -> None:
    """Have the mail on this weekday (Monday is 0), or no longer. Raises ActionError."""
    if not may(agent, Right.ANSWER):
        raise ActionError(_("You may not do that."), "right")
    with transaction.atomic():
        known = WeeklyMail.objects.select_for_update().filter(agent=agent).first()
        if (known.weekday if known else None) == weekday:
            return
        if weekday is None:
            WeeklyMail.objects.filter(agent=agent).delete()
        else:
            WeeklyMail.objects.update_or_create(agent=agent, defaults={"weekday": weekday})
        log.record(None, "weekly_mail_changed", by=agent, weekday=weekday)
