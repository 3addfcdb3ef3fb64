"""Chats in which nothing happens any more: a visitor who left, or says nothing. What is due is a plain decision over
the row; `keep` looks again under the locks and does it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from django.utils.translation import ngettext

from channels_chat.actions import chats, endings, queueing
from channels_chat.config import Queue
from channels_chat.models import Chat, ChatEnd, ChatState
from inbox import log

Due = Literal["", "left", "offline", "warn", "inactive"]


def visitor_waits(chat: Chat) -> bool:
    """Whether the visitor wrote last."""
    if chat.last_visitor_at is None:
        return False
    return chat.last_agent_at is None or chat.last_visitor_at > chat.last_agent_at


def due(chat: Chat, queue: Queue, now: datetime) -> Due:
    """What is to be done about a chat that is under way, if anything."""
    gone = chat.visitor.gone_at
    if chat.state != ChatState.ACTIVE and chat.first_human_at is None and _old(gone, queue.visitor_gone, now):
        # Whoever said since how they can be reached is answered there.
        said = not chat.reachable and bool(chat.visitor.email or chat.visitor.phone)
        return "offline" if said and chat.state == ChatState.WAITING else "left"
    if chat.state == ChatState.WAITING and _old(gone, queue.visitor_gone, now):
        return "offline"  # it was answered once, came back, and nobody waits any more
    if chat.state == ChatState.WAITING or (chat.state == ChatState.ACTIVE and visitor_waits(chat)):
        return ""  # they wait for us
    last = max((at for at in (chat.last_visitor_at, chat.last_agent_at) if at is not None), default=None)
    if chat.warned_at is not None:
        return "inactive" if _old(chat.warned_at, queue.close, now) else ""
    return "warn" if _old(last, queue.warn, now) else ""


def keep(chat: Chat, queue: Queue, now: datetime) -> None:
    """Do what is due of this chat, if it still is."""
    with queueing.held(chat) as (row, ticket):
        match due(row, queue, now) if row.is_live else "":
            case "left":
                endings.end(row, why=ChatEnd.LEFT)
            case "offline":
                endings.end(row, why=ChatEnd.OFFLINE)
            case "inactive":
                endings.end(row, why=ChatEnd.INACTIVE)
            case "warn":
                row.warned_at = now
                row.save(update_fields=["warned_at"])
                log.record(ticket, "chat_warned", engagement=row.engagement_id)
                minutes = max(1, round(queue.close / 60))
                with queueing.in_their_language(row):
                    line = ngettext(
                        "Are you still there? This chat ends in %(minutes)s minute if nobody writes.",
                        "Are you still there? This chat ends in %(minutes)s minutes if nobody writes.",
                        minutes,
                    ) % {"minutes": minutes}
                chats.say(row, line)
                queueing.changed(row)


def _old(at: datetime | None, seconds: float, now: datetime) -> bool:
    return at is not None and now - at >= timedelta(seconds=seconds)
