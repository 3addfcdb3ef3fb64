"""Side conversations: with a third party inside a ticket. What is said there never reaches the customer, and changes
nothing that is between the customer and us: no clock, no status, no recipients, no preview.

Each message is a row like any other, with `side` set, and leaves by the one way out. Its Reply-To and Message-ID name
the side conversation, so that answers come back into it (`inbox.threads`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import access, forwarding, log, wake
from inbox.actions import base, counts, customers, drafts, messages, uploads
from inbox.actions.errors import ActionError
from inbox.actions.once import already, client_key, digest_of, once
from inbox.actions.recipients import Recipients
from inbox.actions.withdrawing import withdraw
from inbox.actions.work import is_ours, typed
from inbox.adapters import Adapter, adapter_for
from inbox.models import (
    SUBJECT_LENGTH,
    Agent,
    AuthorKind,
    Channel,
    DeliveryState,
    Direction,
    Draft,
    DraftKind,
    Message,
    Participant,
    SideConversation,
    Ticket,
)

MOST_FORWARDED = 100  # messages of a ticket in one forward, the latest


def start(
    ticket: Ticket,
    *,
    by: Agent,
    to: Recipients,
    cc: Recipients | None = None,
    subject: str = "",
    text: str = "",
    html: str = "",
    attachments: Sequence[int] = (),
    channel: Channel | None = None,
    forwards: Sequence[Message] = (),
    client_id: str | None = None,
) -> Message:
    """Write the first message of a new side conversation, which is its `side`; `forwards` are quoted below, with files.

    The same `client_id` again returns the first message. Raises ActionError, also where a recipient takes part in the
    ticket itself: they are answered there.
    """
    digest = digest_of("side", text, html, (to, cc), attachments)
    with base.locked(ticket) as row:
        first = already(by, client_id, digest)
        if first is not None:
            return first
        if forwards and any(one.ticket_id != row.pk or not one.is_public or one.side_id for one in forwards):
            raise ActionError(_("Only what was said between the customer and you can be forwarded."), "not_public")
        if not forwards and not text.strip() and not html.strip() and not attachments:
            raise ActionError(_("Write something first."), "empty")
        used = channel or way_out(row, by)
        title = " ".join((subject or forwarding.subject(row, forwards)).split())[:SUBJECT_LENGTH]
        side = SideConversation.objects.create(
            ticket=row,
            channel=used,
            subject=title,
            forwards=forwards[0] if len(forwards) == 1 else None,
            created_by=by,
        )
        if forwards:
            text, html = forwarding.below(text, html, forwards)
            attachments = [*attachments, *(pk for one in forwards for pk in uploads.again(one, by=by))]
        log.record(row, "side_started", by=by, side=side.pk, forwards=[one.pk for one in forwards])
        return _say(row, side, by, text, html, to, cc or [], attachments, once(client_id, digest), client_id)


def answer(
    side: SideConversation,
    *,
    by: Agent,
    text: str = "",
    html: str = "",
    to: Recipients | None = None,
    cc: Recipients | None = None,
    attachments: Sequence[int] = (),
    client_id: str | None = None,
    draft: int | None = None,
    undoable: bool = False,
) -> Message:
    """Go on in a side conversation; `to` and `cc` None are those of its last message. A closed one opens again.

    `draft` and `undoable` are as for a reply.
    """
    digest = digest_of("side", text, html, (to, cc), attachments)
    with base.locked(side.ticket, even_if_closed=True) as row:
        first = already(by, client_id, digest)
        if first is not None:
            return first
        if not text.strip() and not html.strip() and not attachments:
            raise ActionError(_("Write something first."), "empty")
        held = SideConversation.objects.select_related("channel").get(pk=side.pk)
        if to is None:
            to, default_cc = recipients(held)
            cc = default_cc if cc is None else cc
        hold = settings.UNDO_SEND_SECONDS if undoable and adapter_for(held.channel.kind).undoable else 0
        kept = once(client_id, digest) | ({"written_html": html} if html and hold else {})
        return _say(row, held, by, text, html, to, cc or [], attachments, kept, client_id, draft=draft, hold=hold)


def take_back(message: Message, *, by: Agent) -> Draft:
    """Undo what was said in a side conversation before it leaves: it goes back to where it was written. Raises
    ActionError once it has left, or is leaving.
    """
    with transaction.atomic():
        row = messages.lock(message.pk)
        if row.state != DeliveryState.QUEUED or row.attempts > 0 or row.side is None:
            raise ActionError(_("It is too late: this message has left, or is leaving."), "already_left")
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=row.ticket_id)
        held = row.side
        withdraw(ticket, row, by=by)
        row.deleted_at = timezone.now()
        row.save(update_fields=["deleted_at"])
        to, cc = recipients(held)
        usual = {"to": to, "cc": cc}
        written = {
            "kind": DraftKind.SIDE,
            "text": row.visible_text,
            "html": row.payload.get("written_html", ""),
            "recipients": {
                name: typed(people)
                for name, people in (("to", row.to), ("cc", row.cc))
                if [one["address"] for one in people] != [one["address"] for one in usual[name]]
            },
            "attachments": uploads.again(row, by=by),
        }
        draft = drafts.put_back(by, ticket, written, held)
        said = Message.objects.filter(side=held, deleted_at__isnull=True).order_by("-pk")
        last = said.first()
        if last is not None:
            held.answered, held.last_message_at = last.direction == Direction.IN, last.created_at
            held.save(update_fields=["answered", "last_message_at"])
        counts.recount(ticket)
        base.announce([ticket.pk], [row.pk])
        return draft


def set_closed(side: SideConversation, closed: bool, *, by: Agent) -> SideConversation:
    """Close a side conversation, or open it again; an answer opens it by itself."""
    with base.locked(side.ticket, even_if_closed=True) as row:
        held = SideConversation.objects.get(pk=side.pk)
        if (held.closed_at is not None) != closed:
            log.record(row, "side_closed" if closed else "side_opened", by=by, side=held.pk)
            held.closed_at = timezone.now() if closed else None
            held.answered = held.answered and not closed
            held.save(update_fields=["closed_at", "answered"])
            base.save(row)
        return held


def way_out(ticket: Ticket, by: Agent) -> Channel:
    """The channel of a new side conversation: the ticket's, where that is e-mail, else a mailbox that `by` sees."""
    own = Channel.objects.get(pk=ticket.channel_id)
    if adapter_for(own.kind).identity_kind == "email":
        return own
    for channel in access.channels(by).filter(paused=False).order_by("pk"):
        if adapter_for(channel.kind).identity_kind == "email":
            return channel
    raise ActionError(_("Connect a mailbox first: a side conversation is held by e-mail."), "no_mailbox")


def recipients(side: SideConversation) -> tuple[Recipients, Recipients]:
    """Whom an answer goes to: whoever wrote last, and in copy who else was on it; else those we wrote to last."""
    said = Message.objects.filter(side=side, unverified=False, deleted_at__isnull=True)
    last = said.filter(direction=Direction.IN).order_by("-pk").first() or said.order_by("-pk").first()
    if last is None:
        return [], []
    own = adapter_for(side.channel.kind).own_addresses(side.channel)
    theirs = _takes_part(side.ticket)
    if last.direction == Direction.OUT:
        people = [last.to, last.cc]
    else:
        writer = [{"name": last.author_name, "address": last.author_address}]
        people = [writer, [*last.to, *last.cc]]
    found: list[Recipients] = []
    seen: set[str] = set()
    for some in people:
        kept = []
        for one in some:
            address = one["address"].lower()
            if address not in seen and address not in theirs and not is_ours(address, own):
                seen.add(address)
                kept.append(one)
        found.append(kept)
    return found[0], found[1]


def _takes_part(ticket: Ticket) -> set[str]:
    """The addresses of the customer and of all who take part in the ticket."""
    here = Participant.objects.filter(ticket=ticket, until__isnull=True, confirmed=True)
    values = here.values_list("identity__value", flat=True)
    return {value.lower() for value in [*values, *customers.active_values(ticket.customer_id, "email")]}


def _say(
    ticket: Ticket,
    side: SideConversation,
    by: Agent,
    text: str,
    html: str,
    to: Recipients,
    cc: Recipients,
    attachments: Sequence[int],
    kept: dict[str, Any],
    client_id: str | None,
    draft: int | None = None,
    hold: int = 0,
) -> Message:
    adapter = adapter_for(side.channel.kind)
    _check(ticket, adapter, side, [*to, *cc], to)
    said = Message.objects.filter(side=side, deleted_at__isnull=True)
    answered = said.filter(direction=Direction.IN).order_by("-pk").first() or said.order_by("-pk").first()
    now = timezone.now()
    message = Message(
        ticket=ticket,
        first_ticket=ticket,
        side=side,
        direction=Direction.OUT,
        channel=side.channel,
        answers=answered,
        author_kind=AuthorKind.BOT if by.is_bot else AuthorKind.AGENT,
        agent=by,
        author_name=by.name,
        to=to,
        cc=cc,
        subject="" if answered else side.subject,
        text=text.replace("\x00", ""),
        visible_text=text.replace("\x00", ""),
        html=html.replace("\x00", ""),
        payload=kept,
        state=DeliveryState.QUEUED,
        next_attempt_at=now + timedelta(seconds=hold),
        created_at=now,
        received_at=now,
    )
    adapter.freeze(message, answered)
    message.save(force_insert=True)
    uploads.attach(message, attachments, by=by)
    client_key(message, by, client_id)
    drafts.sent(message, client_id, draft)
    log.record(ticket, "side_message_added", by=by, message=message.pk, side=side.pk, channel=side.channel_id)
    side.answered, side.closed_at, side.last_message_at = False, None, now
    side.save(update_fields=["answered", "closed_at", "last_message_at"])
    ticket.message_count += 1
    base.save(ticket, "message_count")
    base.announce([ticket.pk], [message.pk])
    if not hold:  # else the sweep finds it when its time has come
        wake.deliver(side.channel_id, side.channel.kind)
    return message


def _check(ticket: Ticket, adapter: Adapter, side: SideConversation, everybody: Recipients, to: Recipients) -> None:
    """Raises ActionError unless these may be written to beside the customer."""
    if not to:
        raise ActionError(_("Name somebody in To."), "no_address")
    own = adapter.own_addresses(side.channel)
    theirs = _takes_part(ticket)
    for one in everybody:
        if is_ours(one["address"].lower(), own):
            raise ActionError(
                _("%(address)s is one of our own addresses.") % {"address": one["address"]}, "own_address"
            )
        if one["address"].lower() in theirs:
            raise ActionError(
                _("%(address)s takes part in this ticket: write them a reply instead.") % {"address": one["address"]},
                "takes_part",
            )
