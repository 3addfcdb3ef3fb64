"""Surveys themselves: made, changed, switched on and off, deleted by those who may see reports."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent
from inbox.rights import Right, require
from reports.models import Survey

FIELDS = ("name", "look", "question", "texts", "choices", "further", "rules")


def create(kind: str, *, by: Agent, **fields: Any) -> Survey:
    """A survey, which asks nobody until it is switched on."""
    require(by, Right.REPORTS)
    with transaction.atomic():
        row = Survey.objects.create(kind=kind, **{name: fields[name] for name in FIELDS if name in fields})
        log.record(None, "survey_created", by=by, survey=row.pk)
    return row


def update(survey: Survey, *, by: Agent, **changes: Any) -> Survey:
    """Change what is named, of FIELDS. Answers that were given keep their values: of a closed question no choice goes
    that was chosen already. Raises ActionError.
    """
    require(by, Right.REPORTS)
    with transaction.atomic():
        row = Survey.objects.select_for_update().get(pk=survey.pk)
        if "choices" in changes and _takes_away(row.choices, changes["choices"]) and row.answers.exists():
            words = _("Customers have chosen among these: reword them, add others behind them, but keep all in order.")
            raise ActionError(words, "choices")
        changed = [name for name in FIELDS if name in changes and getattr(row, name) != changes[name]]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            row.save(update_fields=changed)
            log.record(None, "survey_edited", by=by, survey=row.pk, fields=changed)
    return row


def _takes_away(old: list[dict[str, str]], new: list[dict[str, str]]) -> bool:
    """Whether a choice is gone, or stands elsewhere: an answer is the place of what was chosen."""
    moved = any(
        place != other and new[other].get(code) == text != new[place].get(code)
        for place, one in enumerate(old[: len(new)])
        for code, text in one.items()
        for other in range(len(new))
    )
    return len(new) < len(old) or moved


def switch(survey: Survey, active: bool, *, by: Agent) -> Survey:
    """On: whoever is solved from now on is asked. Off: who waits to be asked is not."""
    require(by, Right.REPORTS)
    with transaction.atomic():
        row = Survey.objects.select_for_update().get(pk=survey.pk)
        if row.active != active:
            row.active = active
            row.save(update_fields=["active"])
            log.record(None, "survey_switched_on" if active else "survey_switched_off", by=by, survey=row.pk)
    return row


def delete(survey: Survey, *, by: Agent) -> None:
    """Raises ActionError for one that was asked: its answers are figures."""
    require(by, Right.REPORTS)
    with transaction.atomic():
        log.record(None, "survey_deleted", by=by, survey=survey.pk)
        try:
            survey.delete()
        except ProtectedError as error:
            raise ActionError(_("This survey was asked already: switch it off, its answers stay."), "asked") from error
