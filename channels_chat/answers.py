"""What agents write to visitors at the desk, and to whom they are typing: synchronous, in a thread of the room."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _

from channels_chat import history, patience
from channels_chat.actions import chats, quick
from channels_chat.intake_values import Took
from inbox import access
from inbox.actions import reply
from inbox.actions.errors import ActionError
from inbox.models import Agent

logger = logging.getLogger(__name__)


def _agent(pk: int) -> Agent | None:
    return Agent.objects.filter(pk=pk, is_active=True).first()


@dataclass(frozen=True, slots=True)
class Asked:
    """An agent's line to a visitor, as their page sent it."""

    agent: int
    ticket: int
    text: str
    cid: str
    language: str
    draft: int = 0  # the version of their draft that it knew


@dataclass(frozen=True, slots=True)
class Answered:
    """What their page is told, and the line, where this process has it at hand."""

    told: dict[str, Any]
    took: Took | None = None


def answer(asked: Sequence[Asked], origin: str = "") -> list[Answered]:
    """Lines of agents to visitors, by the one way out. The same `cid` again is answered with the first message."""
    try:
        took = quick.answer(
            [quick.Answer(one.agent, one.ticket, one.text, one.cid, one.draft) for one in asked], origin
        )
    except DatabaseError as error:
        if quick.is_away(error):
            raise
        took = [None] * len(asked)
    return [
        Answered({"t": "took", "id": it.message, "at": history.moment(it.at)}, it) if it is not None else _alone(one)
        for one, it in zip(asked, took, strict=True)
    ]


def _alone(asked: Asked) -> Answered:
    """One line that goes the long way: where it fails, those beside it are no worse off, and its page is told.

    What the database being away stops passes through: it is said again.
    """
    try:
        return _answer(asked)
    except (OperationalError, InterfaceError):
        raise
    except patience.Held:
        with translation.override(asked.language):
            later = _("We could not take this just now. It is sent again in a moment.")
        return Answered({"t": "no", "why": "later", "text": later, "after": 2})
    except Exception:
        logger.exception("an agent's line cannot be sent")
        with translation.override(asked.language):
            return Answered({"t": "no", "why": "wrong", "text": _("This could not be read.")})


@patience.bounded
def _answer(asked: Asked) -> Answered:
    person = _agent(asked.agent)
    with translation.override(asked.language):
        if person is None or not person.may_write:
            return Answered({"t": "no", "why": "rights", "text": _("You may not answer here.")})
        row = access.tickets(person).filter(pk=asked.ticket).first()
        if row is None:
            return Answered({"t": "no", "why": "gone", "text": _("This ticket is not there any more.")})
        try:
            chat = chats.live_in(row)
            message = reply.reply(
                row,
                by=person,
                text=asked.text,
                client_id=asked.cid,
                channel=chat.channel if chat else None,
                draft=asked.draft,
            )
        except ActionError as error:
            return Answered({"t": "no", "why": error.code, "text": str(error.reason)})
    return Answered({"t": "took", "id": message.pk, "at": history.moment(message.created_at)})


def typing_to(agent: int, ticket: int) -> tuple[int, str] | None:
    """Whom an agent is typing to, and under which name."""
    person = _agent(agent)
    row = access.tickets(person).filter(pk=ticket).first() if person is not None else None
    chat = chats.live_in(row) if row is not None else None
    return None if person is None or chat is None else (chat.visitor_id, person.name)
