"""A chat as messages make it: it begins with the first one, and what is written moves its clocks.

Who takes it, hands it on and ends it stands in `channels_chat.actions.queueing`. Locks are taken in one order:
customers, tickets by number, chats by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from channels_chat import hub
from channels_chat.actions import continuity
from channels_chat.models import LIVE, Chat, Visitor
from inbox import log
from inbox.actions import base, reply
from inbox.adapters import Arrival
from inbox.models import (
    Agent,
    AuthorKind,
    Channel,
    DeliveryState,
    Direction,
    Engagement,
    EngagementKind,
    Message,
    Ticket,
)


def live_of(visitor: Visitor) -> Chat | None:
    """The chat of this visitor that is not over."""
    return _live().filter(visitor=visitor).first()


def live_in(ticket: Ticket) -> Chat | None:
    """The chat of this ticket that is not over: the newest, where a merge brought two together."""
    return _live().filter(engagement__ticket=ticket).order_by("-pk").first()


def is_live(ticket: Ticket) -> bool:
    """Whether somebody chats in this ticket now."""
    return Chat.objects.filter(LIVE, engagement__ticket=ticket).exists()


def _live() -> QuerySet[Chat]:
    return Chat.objects.filter(LIVE).select_related("engagement", "visitor", "channel")


def begin(
    visitor: Visitor,
    ticket: Ticket,
    *,
    at: datetime | None = None,
    fields: Mapping[str, Any] | None = None,
    topic: str = "",
    page: str = "",
    language: str = "",
    invitation: str = "",
    wanted: Agent | None = None,
) -> Chat:
    """A chat of this visitor in this ticket, locked. It waits for nobody yet: whoever calls asks the bot or a human."""
    at = at or timezone.now()
    engagement = Engagement.objects.create(
        ticket=ticket, channel_id=visitor.channel_id, kind=EngagementKind.CHAT, requested_at=at
    )
    chat = Chat.objects.create(
        engagement=engagement,
        visitor=visitor,
        channel_id=visitor.channel_id,
        team_id=ticket.team_id,
        fields=dict(fields or {}),
        topic=topic[:60],
        page=page[:1000],
        language=language[:10],
        invitation=invitation[:60],
        wanted=wanted,
        last_visitor_at=at,
    )
    log.record(ticket, "chat_started", engagement=engagement.pk, channel=visitor.channel_id)
    return chat


def arrived(arrivals: Sequence[Arrival]) -> None:
    """Messages of visitors were taken in: their chats begin or go on. In that transaction, tickets locked."""
    from channels_chat.actions import starting

    ids = {arrival.message.payload.get("visitor") for arrival in arrivals}
    visitors = {one.pk: one for one in Visitor.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
    live = {
        chat.visitor_id: chat
        for chat in _live().select_for_update(no_key=True, of=("self",)).filter(visitor__in=visitors).order_by("pk")
    }
    for arrival in arrivals:
        visitor = visitors.get(arrival.message.payload.get("visitor"))
        if visitor is None:
            continue  # forgotten meanwhile: what they wrote stays a ticket like any other
        starting.heard(visitor, live, arrival)
    hub.tell(visitors)


def replied(message: Message) -> None:
    """We wrote to a visitor: the chat's clocks move, whoever wrote has it, and their pages are told."""
    from channels_chat.actions import queueing  # which writes lines with `say`

    queueing.answered(message)
    continuity.owe(message)
    hub.tell_of([message.ticket_id])


def say(
    chat: Chat,
    text: str,
    *,
    kind: str = "text",
    data: Mapping[str, Any] | None = None,
    by: Agent | None = None,
    name: str = "",
) -> Message:
    """Write to the visitor in the name of the bot `by`, which may be called `name`, or of nobody (a line of the
    system); the ticket's row is locked meanwhile, its status and clocks stay as they are.
    """
    with base.locked(chat.engagement.ticket) as ticket:
        now = timezone.now()
        channel = Channel.objects.get(pk=chat.channel_id)
        author = AuthorKind.SYSTEM if by is None else AuthorKind.BOT if by.is_bot else AuthorKind.AGENT
        message = Message(
            ticket=ticket,
            first_ticket=ticket,
            direction=Direction.OUT,
            channel=channel,
            author_kind=author,
            agent=by,
            author_name=name or (by.name if by else channel.name),
            to=[{"name": chat.visitor.name, "address": chat.visitor.address}],
            text=text,
            visible_text=text,
            payload={"chat": {"kind": kind, "data": dict(data or {})}},
            kind="message" if by is not None else "auto_reply",
            state=DeliveryState.SENT,
            sent_at=now,
            created_at=now,
            received_at=now,
        )
        message.external_id = f"chat-{ticket.pk}-{now.timestamp():.6f}"
        message.save(force_insert=True)
        log.record(ticket, "message_added", by=by, message=message.pk, channel=channel.pk, automatic=author != "agent")
        reply.show(ticket, message)
        base.save(ticket, "message_count", "last_message_at", "last_direction", "preview")
        base.announce([ticket.pk], [message.pk])
        hub.tell([chat.visitor_id])
    return message
