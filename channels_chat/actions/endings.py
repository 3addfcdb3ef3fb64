"""How chats end: solved, by either side, of silence, because the visitor left, as a message."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from channels_chat.actions import flow, queueing
from channels_chat.models import LIVE, Chat, ChatEnd, ChatState, Visitor
from inbox import log
from inbox.models import Agent, Ticket

SHORT = 15  # seconds: who leaves sooner counts neither as having waited nor as having been let down
BY = {ChatEnd.VISITOR: "customer", ChatEnd.LEFT: "customer", ChatEnd.OFFLINE: "customer", ChatEnd.SOLVED: "agent"}


def end(chat: Chat, *, why: str, by: Agent | None = None) -> bool:
    """End a chat; its ticket stays as it is. `why` is a ChatEnd. Returns whether it was under way."""
    with queueing.held(chat) as (row, ticket):
        if not row.is_live:
            return False
        _end(row, ticket, ChatEnd(why), by)
        return True


def _end(chat: Chat, ticket: Ticket, why: ChatEnd, by: Agent | None) -> None:
    """Both rows are locked."""
    now, engagement, offered = timezone.now(), chat.engagement, chat.offered_to_id
    if why in {ChatEnd.LEFT, ChatEnd.VISITOR} and _is_abandoned(chat):
        _abandoned(chat, ticket, why, now)
    engagement.ended_at, engagement.ended_by = now, "agent" if by is not None else BY.get(why, "system")
    engagement.save(update_fields=["ended_at", "ended_by"])
    for name, value in {**queueing.FREE, "state": ChatState.ENDED, "end": why, "bot_until": None}.items():
        setattr(chat, name, value)
    chat.agent_gone_at = chat.overflow_at = None
    chat.save()
    log.record(
        ticket,
        "chat_ended",
        by=by,
        engagement=engagement.pk,
        why=why.value,
        answered=chat.first_human_at is not None,
    )
    if offered is not None:
        queueing.offer_gone(offered, chat, ticket.pk, "ended")
    flow.ended(chat)
    queueing.changed(chat)


def _is_abandoned(chat: Chat) -> bool:
    """Whether somebody who asked for a human goes without a word of one, and can be answered no other way since."""
    if chat.queued_at is None or chat.first_human_at is not None:
        return False
    return chat.reachable or not (chat.visitor.email or chat.visitor.phone)


def _abandoned(chat: Chat, ticket: Ticket, why: ChatEnd, now: datetime) -> None:
    gone = chat.visitor.gone_at if why == ChatEnd.LEFT else None
    waited = max(0, int(((gone or now) - chat.engagement.requested_at).total_seconds()))
    log.record(
        ticket,
        "chat_abandoned",
        engagement=chat.engagement_id,
        waited=waited,
        short=waited < SHORT,
        left=(gone or now).isoformat(),
        how=why.value,
    )


def became_message(visitor: Visitor) -> None:
    """The visitor left a message instead of waiting; it was taken in like any other. What they chatted in is over, and
    the ticket is an ordinary one of its team's.
    """
    chat = Chat.objects.filter(LIVE, visitor=visitor).first()
    if chat is None:
        return
    with queueing.held(chat) as (row, _ticket):
        if row.state != ChatState.ACTIVE:  # else somebody took it meanwhile, and has the message before them
            end(row, why=ChatEnd.OFFLINE)


def status_changed(ticket: Ticket, *, by: Agent | None) -> None:
    """The ticket, locked, is solved or closed: so is what is chatted in it. Opening it again brings no chat back."""
    if ticket.is_done:
        for chat in Chat.objects.filter(LIVE, engagement__ticket=ticket).order_by("pk"):
            end(chat, why=ChatEnd.SOLVED, by=by)
