"""The rows of one message as its adapter read it: what was said, and its files. `intake` says where they belong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from inbox.actions.work import Work, one_line, wire
from inbox.adapters import Party
from inbox.models import (
    Attachment,
    AuthorKind,
    Customer,
    DeliveryState,
    Direction,
    Message,
    Origin,
    RemoteFile,
    Ticket,
)
from inbox.threads import Decision


def message(
    work: Work,
    ticket: Ticket,
    customer: Customer,
    party: Party | None,
    decision: Decision,
    *,
    unverified: bool,
    at: datetime,
) -> Message:
    """The message itself, not saved. `party` is who wrote it, and `at` when; what columns cannot hold is cut."""
    inbound = work.inbound
    return Message(
        ticket=ticket,
        first_ticket=ticket,
        channel=work.channel,
        receipt=work.receipt,
        **(_ours(work, at) if inbound.echo else _theirs(customer, party or inbound.sender)),
        to=wire(inbound.to),
        cc=wire(inbound.cc),
        reply_to=wire(inbound.reply_to),
        content_kind=inbound.content_kind,
        subject=one_line(inbound.subject, 998),
        text=inbound.text,
        visible_text=inbound.visible_text,
        html=inbound.html,
        payload={**inbound.payload, "warnings": list(inbound.warnings)} if inbound.warnings else dict(inbound.payload),
        language=inbound.language,
        kind=inbound.kind,
        suppress_auto_reply=inbound.suppress_auto_reply,
        unverified=unverified,
        side_id=decision.side,
        external_id=inbound.external_id[:998],
        in_reply_to=inbound.in_reply_to[:998],
        references=[reference[:998] for reference in inbound.references],
        thread_rule=decision.rule,
        thread_detail=decision.detail[:300],
        created_at=at,
        received_at=work.receipt.received_at,
    )


def _theirs(customer: Customer, writer: Party | None) -> dict[str, Any]:
    return {
        "direction": Direction.IN,
        "author_kind": AuthorKind.CUSTOMER,
        "customer": customer,
        "author_name": (writer.name if writer else "")[:200],
        "author_address": (writer.value if writer else "")[:320],
    }


def _ours(work: Work, at: datetime) -> dict[str, Any]:
    """What a colleague wrote in the platform's own app: ours, and gone already."""
    return {
        "direction": Direction.OUT,
        "origin": Origin.ECHO,
        "author_kind": AuthorKind.SYSTEM,
        "author_name": work.channel.name,
        "state": DeliveryState.SENT,
        "sent_at": at,
    }


def files(work: Work, of: Message, now: datetime) -> Iterator[Attachment]:
    """What came with it and is stored already."""
    for file in work.files:
        yield Attachment(
            message=of,
            name=file.name,
            content_type=file.content_type[:127],
            size=file.size,
            digest=file.digest,
            stored=file.stored,
            inline=file.inline,
            content_id=file.content_id[:255],
            created_at=now,
        )


def remote(work: Work, of: Message, now: datetime) -> Iterator[RemoteFile]:
    """What its platform keeps, and is still to be fetched."""
    for position, one in enumerate(work.inbound.remote):
        yield RemoteFile(
            message=of,
            position=position,
            ref=dict(one.ref),
            name=one.name[:255],
            content_type=one.content_type[:127],
            size=one.size,
            next_attempt_at=now,
        )
