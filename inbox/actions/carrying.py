"""What was said to a customer on one channel goes to them on another, too: they left before it reached them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from inbox import wake
from inbox.actions import base
from inbox.actions.recipients import last_inbound
from inbox.adapters import adapter_for
from inbox.models import Agent, Attachment, AuthorKind, Channel, DeliveryState, Direction, Message, Ticket


def carry(
    ticket: Ticket,
    said: Iterable[Message],
    channel: Channel,
    *,
    to: Mapping[str, str],
    text: str,
    html: str = "",
    subject: str = "",
    language: str = "",
    writer: Agent | None = None,
    files: Iterable[Attachment] = (),
) -> Message:
    """Queue one message for `channel` that brings `said` to the address `to`; the ticket's row is locked.

    It is the system's, in the name of `writer` where the channel shows one: nobody's reply, so the ticket's status,
    clocks and row stay as they are. Those it continues (`payload.continues`) keep its id (`payload.carried`), so that
    none is carried twice. `files` go with it.
    """
    adapter = adapter_for(channel.kind)
    now = timezone.now()
    rows = list(said)
    message = Message(
        ticket=ticket,
        first_ticket=ticket,
        direction=Direction.OUT,
        channel=channel,
        author_kind=AuthorKind.SYSTEM,
        agent=writer,
        author_name=writer.name if writer else channel.name,
        to=[dict(to)],
        subject=subject,
        text=text,
        visible_text=text,
        html=html,
        language=language,
        payload={"continues": [one.pk for one in rows], "unsigned": True},
        state=DeliveryState.QUEUED,
        next_attempt_at=now,
        created_at=now,
        received_at=now,
    )
    adapter.freeze(message, last_inbound(ticket, channel) or _before(ticket, channel))
    message.agent = None
    message.save(force_insert=True)
    Attachment.objects.bulk_create([_copy(one, message) for one in files])
    for one in rows:
        one.payload = {**one.payload, "carried": message.pk}
    Message.objects.bulk_update(rows, ["payload"])
    ticket.message_count += 1
    base.save(ticket, "message_count")
    base.said([ticket.pk], [message.pk])
    wake.deliver(channel.pk, channel.kind)
    return message


def _before(ticket: Ticket, channel: Channel) -> Message | None:
    """What was carried there last: programs for mail show the next one below it."""
    found = Message.objects.filter(ticket=ticket, channel=channel, direction=Direction.OUT)
    return found.filter(payload__has_key="continues").order_by("-pk").first()


def _copy(file: Attachment, message: Message) -> Attachment:
    """The same file in storage as one of this message's."""
    values: dict[str, Any] = {
        name: getattr(file, name) for name in ("name", "content_type", "size", "digest", "stored")
    }
    return Attachment(message=message, **values)
