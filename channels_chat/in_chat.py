"""What a visitor does in a chat beside speaking: buttons, forms, a human, its end, how it was. Called by `deeds.do`.

A page that lost its connection says each of these again, until it is answered: twice does what once does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_chat import history, protocol
from channels_chat.actions import after, chats, endings, filling, flow, queueing
from channels_chat.models import Chat, Visitor
from inbox import presses
from inbox.actions.errors import ActionError
from inbox.models import Direction, Message

Frames = list[dict[str, Any]]
ANSWERED = frozenset({"press", "form", "human", "end", "rate"})  # pages keep them until they are told
ALL = ANSWERED | {"transcript"}


def do(what: str, visitor: Visitor, said: Mapping[str, Any]) -> Frames:
    """One of ALL; what is answered, with `ok` once nothing is left to be done. Raises ActionError."""
    told, cid = _do(what, visitor, said), protocol.word(said.get("cid"))
    return [*told, {"t": "ok", "cid": cid}] if cid and what in ANSWERED else told


def _do(what: str, visitor: Visitor, said: Mapping[str, Any]) -> Frames:
    if what in {"rate", "transcript"}:
        last = _named(visitor, protocol.number(said.get("chat")))
        if last is None:
            raise _unreadable()
        if what == "rate":
            after.rate(last, protocol.number(said.get("score")), protocol.words(said.get("comment"), 2000))
            return [{"t": "rated"}]
        after.send_transcript(last, protocol.line(said.get("email"), 320))
        return [{"t": "sent"}]
    chat = chats.live_of(visitor)
    match what:
        case "press":
            number, button = protocol.number(said.get("id")), protocol.line(said.get("button"), 60)
            if _stays(visitor, number):
                with transaction.atomic():
                    presses.press_button(number, button, timezone.now())
            elif not (chat is not None and flow.press(chat, number, button)) and not _kept(visitor, number, "pressed"):
                raise _over(chat)
        case "form":
            number, values = protocol.number(said.get("id")), protocol.table(said.get("values"), longest=2000)
            if not (chat is not None and filling.fill(chat, number, values)) and not _kept(visitor, number, "values"):
                raise _over(chat) if chat is None else _unreadable()
        case "human" if chat is not None and _means(said, chat):
            if not flow.human(chat):
                queueing.ask_for_human(chat, reason="asked")
        case "end" if chat is not None and _means(said, chat):
            endings.end(chat, why="visitor")
    return []


def _named(visitor: Visitor, chat: int) -> Chat | None:
    """Their chat of this id; without one their newest."""
    if not chat:
        return history.newest(visitor)
    found = Chat.objects.filter(visitor=visitor, pk=chat)
    return found.select_related("engagement__ticket", "visitor", "channel").first()


def _means(said: Mapping[str, Any], chat: Chat) -> bool:
    """Whether a frame is about this chat, or says of none: one that comes late must not end the next."""
    return protocol.number(said.get("chat")) in {0, chat.pk}


def _stays(visitor: Visitor, message: int) -> bool:
    """Whether this message to them has buttons that can be pressed for as long as it stands there, and anew."""
    to_them = history.said_to(visitor)
    mine = Message.objects.filter(to_them, pk=message, channel=visitor.channel_id, direction=Direction.OUT)
    return mine.filter(payload__has_key="buttons").exists()


def _kept(visitor: Visitor, message: int, what: str) -> bool:
    """Whether this message to them was answered already: a button of it `pressed`, its `values` filled in."""
    to_them = history.said_to(visitor)
    mine = Message.objects.filter(to_them, pk=message, channel=visitor.channel_id, direction=Direction.OUT)
    payload = mine.values_list("payload", flat=True).first() or {}
    return bool((payload.get("chat") or {}).get("data", {}).get(what))


def _over(chat: Chat | None) -> ActionError:
    if chat is None:
        return ActionError(_("This chat is over."), "ended")
    return ActionError(_("The chat has gone on without that. Please write what you need."), "late")


def _unreadable() -> ActionError:
    return ActionError(_("This could not be read."), "wrong")
