"""Count a ticket anew from its messages, after messages moved."""

from __future__ import annotations

from django.db.models import Max, Min, Q

from inbox.actions import base
from inbox.adapters import AUTOMATIC
from inbox.models import DeliveryState, Direction, Message, Origin, Ticket
from inbox.previews import preview, title


def recount(ticket: Ticket) -> None:
    """Set everything that lists show of a locked ticket's messages; call it inside the transaction."""
    messages = Message.objects.filter(ticket=ticket, deleted_at__isnull=True)
    public = messages.said().conversation().exclude(direction=Direction.NOTE)
    last = public.order_by("-created_at", "-pk").first()
    by_hand = public.exclude(kind__in=AUTOMATIC)
    from_customer = by_hand.filter(direction=Direction.IN)
    spoken = from_customer.aggregate(first=Min("created_at"), last=Max("created_at"))
    answers = by_hand.filter(Q(direction=Direction.OUT) | Q(origin=Origin.LOGGED))  # in a call they were answered
    last_answer = answers.aggregate(at=Max("created_at"))["at"]
    first_answer = (
        answers.filter(created_at__gte=spoken["first"]).aggregate(at=Min("created_at"))["at"]
        if spoken["first"]
        else None
    )
    written = from_customer.exclude(origin=Origin.LOGGED)
    waiting = written.filter(created_at__gt=last_answer) if last_answer else written
    ticket.message_count = messages.count()
    ticket.last_message_at = last.created_at if last else ticket.created_at
    ticket.last_direction = last.direction if last else ""
    ticket.preview = preview(last) if last else ""
    ticket.last_customer_message_at = spoken["last"]
    ticket.first_replied_at = first_answer
    ticket.waiting_since = None if ticket.is_done else waiting.aggregate(at=Min("created_at"))["at"]
    ticket.delivery_failed = messages.filter(state=DeliveryState.FAILED).exists()
    last_in = written.order_by("-created_at", "-pk").first()
    if last_in is not None:
        ticket.reply_channel_id = last_in.channel_id
    base.save(
        ticket,
        "message_count",
        "last_message_at",
        "last_direction",
        "preview",
        "last_customer_message_at",
        "first_replied_at",
        "waiting_since",
        "delivery_failed",
        "reply_channel",
    )


def refresh_preview(message: Message, was: str) -> None:
    """What a message says has changed: where lists show it as a ticket's last, they show that. In a transaction.

    `was` is what its ticket may be called after it.
    """
    ticket = Ticket.objects.select_for_update(no_key=True).get(pk=message.ticket_id)
    said = Message.objects.filter(ticket=ticket).said().conversation().exclude(direction=Direction.NOTE)
    last = said.order_by("-created_at", "-pk").first()
    changed: dict[str, str] = {}
    if last is not None and last.pk == message.pk:
        changed["preview"] = preview(message)
    if was and ticket.subject == was:
        changed["subject"] = title(message)
    changed = {name: value for name, value in changed.items() if getattr(ticket, name) != value}
    for name, value in changed.items():
        setattr(ticket, name, value)
    if changed:
        base.save(ticket, *changed)
