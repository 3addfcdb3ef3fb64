"""Mentions: written with their note, seen once their reader opens the ticket."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction
from django.utils import timezone

from inbox import live
from inbox.models import Agent, Mention, Message, Notification, Ticket


def write(message: Message, agents: Collection[int], *, by: Agent | None) -> None:
    """The colleagues whom a note names; call it inside the note's transaction."""
    if not agents:
        return
    Mention.objects.bulk_create(
        [Mention(agent_id=pk, ticket_id=message.ticket_id, message=message, by=by) for pk in agents],
        ignore_conflicts=True,
    )
    transaction.on_commit(partial(live.hint, list(agents), mention=message.ticket_id), robust=True)


def forget(messages: Collection[int], ticket: Ticket) -> None:
    """These notes are taken back: whom they name need not look, and what was not told yet is not told."""
    Notification.objects.filter(message__in=messages, read_at__isnull=True).delete()
    agents = set(Mention.objects.filter(message__in=messages).values_list("agent", flat=True))
    if agents:
        Mention.objects.filter(message__in=messages).delete()
        transaction.on_commit(partial(live.hint, list(agents), mention=ticket.pk), robust=True)


def seen(agent: Agent, ticket: Ticket) -> int:
    """Their reader has the ticket open. Returns how many were new."""
    found = Mention.objects.filter(agent=agent, ticket=ticket, seen_at__isnull=True).update(seen_at=timezone.now())
    if found:
        transaction.on_commit(partial(live.hint, [agent.pk], mention=ticket.pk), robust=True)
    return found


def follow(messages: Collection[int], ticket: Ticket) -> None:
    """Messages went to another ticket, and what they mention with them."""
    Mention.objects.filter(message__in=messages).update(ticket=ticket)
