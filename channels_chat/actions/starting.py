"""What a visitor's message does to their chat: it begins one, or goes on; then the bot or the queue has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from channels_chat.actions import chats, flow, identify, proactive, queueing
from channels_chat.models import Chat, ChatState, Visitor
from inbox.actions.work import one_line
from inbox.adapters import Arrival
from inbox.models import SUBJECT_LENGTH, Ticket

LONGEST_SUBJECT = 80
PAUSE = timedelta(seconds=30)  # between two messages, from which on what the visitor did meanwhile is looked at


def heard(visitor: Visitor, live: dict[int, Chat], arrival: Arrival) -> None:
    """One message, in the transaction that took it in; `live` are the chats that are under way, by visitor."""
    message, ticket = arrival.message, arrival.ticket
    if visitor.customer_id is None:
        visitor.customer_id = ticket.customer_id
        visitor.save(update_fields=["customer"])
        _met(visitor, ticket)
    if not ticket.subject:
        _name(ticket, message.visible_text or message.text)
    chat = live.get(visitor.pk)
    if ticket.spam:
        return  # nobody is called for what a blocked sender writes
    if chat is None:
        told = arrival.receipt.meta
        visit, invitation = told.get("visit") or "", told.get("invitation") or ""
        wanted = proactive.wanted(visitor.channel, visit, invitation)
        chat = live[visitor.pk] = chats.begin(
            visitor,
            ticket,
            at=message.created_at,
            fields=told.get("fields"),
            topic=told.get("topic") or "",
            page=told.get("page") or "",
            language=told.get("language") or visitor.language,
            invitation=invitation,
            wanted=wanted,
        )
        if wanted is not None:
            proactive.began(chat, visit)
        proactive.wrote(visitor.channel, visit, visitor)
        _first(chat, offline=bool(told.get("offline")))
    else:
        if chat.last_visitor_at is None or message.created_at - chat.last_visitor_at > PAUSE:
            proactive.wrote(visitor.channel, arrival.receipt.meta.get("visit") or "", visitor)
        _go_on(chat, ticket, message)


def _name(ticket: Ticket, words: str) -> None:
    """What they said first is what it is about, until somebody says better; their messages themselves have no subject,
    so that a number in one finds no other ticket.
    """
    line = one_line(words, SUBJECT_LENGTH)
    if len(line) > LONGEST_SUBJECT:
        line = f"{line[:LONGEST_SUBJECT].rsplit(' ', 1)[0]}…"
    if line:
        ticket.subject = line
        Ticket.objects.filter(pk=ticket.pk, subject="").update(subject=line)


def _go_on(chat: Chat, ticket: Ticket, message: Any) -> None:
    chat.last_visitor_at, chat.warned_at = message.created_at, None
    chat.save(update_fields=["last_visitor_at", "warned_at"])
    if chat.engagement.ticket_id != ticket.pk and chat.engagement.ticket.is_done:
        chat.engagement.ticket = ticket  # they went on in a follow-up
        chat.engagement.save(update_fields=["ticket"])
    if chat.state == ChatState.BOT:
        flow.hear(chat, message)


def _first(chat: Chat, *, offline: bool) -> None:
    if offline:
        return  # a message and no chat: whoever took it says so right after
    if not flow.start(chat):
        queueing.ask_for_human(chat, reason="wrote")


def _met(visitor: Visitor, ticket: Ticket) -> None:
    """They have a customer now: what they said of themselves before goes there."""
    identify.wrote(visitor, ticket)
