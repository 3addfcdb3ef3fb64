"""Replies and notes: what agents write. Recipients, channel and body are frozen into the row here, at the click."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import counting, fitting, log, mentions, quiet, wake, wishes
from inbox.actions import attention, base, customers, drafts, solving, states, uploads
from inbox.actions import mentions as mentioning
from inbox.actions.errors import ActionError, Stale
from inbox.actions.meanwhile import written_since
from inbox.actions.once import already, client_key, digest_of, once
from inbox.actions.recipients import Recipients, choose_channel, default_recipients, last_inbound
from inbox.actions.work import is_ours
from inbox.adapters import Adapter, Party, adapter_for, kinds
from inbox.fitting import Takes
from inbox.models import (
    PREVIEW_LENGTH,
    Agent,
    Attachment,
    AuthorKind,
    Channel,
    DeliveryState,
    Direction,
    Event,
    Message,
    Participant,
    Status,
    Ticket,
)
from inbox.presses import Buttons
from lib import html as markup

# What is put back of a ticket when a reply is taken back: what sending it changed, and what its macros did.
SENDING_CHANGES = ("status", "solved_at", "reopen_count", "snoozed_until", "assignee_id")
MACROS_CHANGE = (
    "priority", "assignee_id", "team_id", "tags", "subject", "snoozed_until", "type", "severity", "topic", "attributes",
    "due_at", "language",
)  # fmt: skip
LONGEST_WAIT = timedelta(days=366)  # of a reply that is to leave later


def reply(
    ticket: Ticket,
    *,
    by: Agent | None,
    text: str = "",
    html: str = "",
    channel: Channel | None = None,
    to: Recipients | None = None,
    cc: Recipients | None = None,
    bcc: Recipients | None = None,
    attachments: Sequence[int] = (),
    status: str | None = None,
    client_id: str | None = None,
    send_at: datetime | None = None,
    subject: str | None = None,
    automatic: bool = False,
    newest: int | None = None,
    event: int = 0,
    undoable: bool = False,
    signed: bool = True,
    draft: int | None = None,
    also: Callable[[Ticket], object] | None = None,
    macros: Sequence[int] = (),
    options: Mapping[str, Any] | None = None,
    unasked: bool = False,
    buttons: Buttons | None = None,
    even_if_closed: bool = False,
) -> Message:
    """Write a reply and queue it for its channel, in one transaction; `by` None is the system.

    `to`, `cc` and `bcc` are [{"name", "address"}]; None takes the defaults. `status` is what the ticket becomes
    (default AFTER_REPLY_STATUS). With `send_at`, a time to come, it waits, and the ticket stays as it is until then
    (`inbox.actions.scheduling`); in the customer's quiet hours it may have to wait without one (`inbox.quiet`).
    An automatic reply goes to the requester alone and changes no status. `undoable`: it is held for
    UNDO_SEND_SECONDS where its channel allows that. `newest` is the id of the last message that its writer knew of,
    `event` of the last line of the log: where a customer or colleague has written since, or what they wrote was
    moved here, it is refused (`Stale`).
    Not `signed`: its channel puts no signature under it. `draft` is the version of the draft that it was.
    `also` is done with the ticket once the message is new, in the same transaction: what it refuses is not sent, and
    what it fills in is there when the ticket is solved. `macros` names what `also` applies: taken back, they stand in
    the composer again. `options` are those of its channel's kind (`Adapter.prepare`). `unasked`: nobody saw where it
    stands, so that what everybody could read is refused unless `options` say so; automatic replies always are.
    `buttons` stand below it, as far as its channel shows such. What is automatic may leave `even_if_closed`: a closed
    ticket stays closed.
    The same `client_id` again returns the first message, or is refused if it comes with something else. Raises
    ActionError.
    """
    # An automatic reply is one reply for good, even where its words have been changed since.
    digest = "" if automatic else asked_by(text, html, (to, cc, bcc), attachments, subject, options=options)
    with base.locked(ticket, even_if_closed=automatic and even_if_closed) as row:
        first = already(by, client_id, digest)
        if first is not None:
            return first
        if newest is not None and (since := written_since(row, newest, by, event)):
            raise Stale(since, Event.objects.filter(ticket=row).aggregate(last=Max("pk"))["last"] or 0)
        channel = channel or choose_channel(row)[0]
        adapter = adapter_for(channel.kind)
        becomes = status or adapter.after_reply(row)
        solves = not automatic and solving.asks(row, becomes, by=by)
        hold = settings.UNDO_SEND_SECONDS if undoable and adapter.undoable and send_at is None else 0
        if unwanted := wishes.refusal(row, channel, automatic=automatic):
            raise ActionError(unwanted, "opted_out")
        text, chosen = adapter.prepare(row, channel, text, options or {})
        verdict = adapter.may_reply(row, channel)
        if not verdict.allowed and chosen.get("way") not in verdict.allows:
            raise ActionError(verdict.reason, "window_closed")
        if send_at is not None:
            check_time(send_at)
        waits = quiet.leaves(row, channel, send_at or timezone.now(), late="way" in chosen)
        send_at = waits or send_at
        message = _write(
            row,
            adapter,
            channel,
            by,
            text,
            html,
            (to, cc, bcc),
            attachments,
            send_at,
            subject,
            automatic,
            once(client_id, digest)
            | _then(row, status, becomes, by, now=send_at is None and not automatic)
            | ({} if signed else {"unsigned": True})
            | ({"macros": list(macros)} if macros else {})
            | ({"options": chosen} if chosen else {})
            | ({"quiet": str(quiet.zone_of(row.customer))} if waits else {})
            | (buttons.as_payload() if buttons is not None else {}),
            hold,
            adapter.takes(row, channel, chosen),
        )
        if unasked and message.payload.get("public") and not _says_public(options or {}):
            raise ActionError(
                _("Everybody could read this answer, and nothing says that it is meant for all."), "public"
            )
        client_key(message, by, client_id)
        drafts.sent(message, client_id, draft)
        _replace_failed(row, message, client_id)
        if send_at is None:
            began = log.record(row, "message_added", by=by, message=message.pk, channel=channel.pk, automatic=automatic)
            if adapter.stores:
                log.record(row, "message_sent", message=message.pk)
            after(row, message, by, becomes, automatic)
            if not hold and not adapter.stores:  # else the sweep finds it when its time has come
                wake.deliver(channel.pk, channel.kind)
        else:
            began = log.record(row, "message_scheduled", by=by, **scheduled(message))
            row.message_count += 1
            base.save(row, "message_count")
        if also is not None:
            _do_also(also, row, message)
        if send_at is None:
            adapter.replied(message)
            base.said([row.pk], [message.pk])
        states.mark(message, began, "changed", "acts")
        if solves:
            solving.require(row)
        base.announce([row.pk], [message.pk])
        return message


def asked_by(
    text: str,
    html: str,
    recipients: tuple[Recipients | None, Recipients | None, Recipients | None],
    attachments: Sequence[int],
    subject: str | None,
    kind: str = "reply",
    options: Mapping[str, Any] | None = None,
) -> str:
    """The digest of a reply, or of the message that a ticket begins with."""
    to, cc, bcc = recipients
    more = ([subject] if subject else []) + ([json.dumps(options, sort_keys=True)] if options else [])
    return digest_of(kind, text, html, (to, cc, bcc or []), attachments, more)


def _replace_failed(ticket: Ticket, message: Message, client_id: str | None) -> None:
    """What failed and was put into the composer that this message was written in need trouble nobody any more."""
    if not ticket.delivery_failed or not client_id:
        return
    failed = Message.objects.filter(ticket=ticket, state=DeliveryState.FAILED)
    for one in failed.filter(payload__written_again=client_id).select_for_update(no_key=True, skip_locked=True):
        one.state, one.error = DeliveryState.CANCELLED, _("It was written again.")
        one.payload["replaced_by"] = message.pk
        one.save(update_fields=["state", "error", "payload"])
        base.announce([ticket.pk], [one.pk])
    ticket.delivery_failed = failed.exists()
    base.save(ticket, "delivery_failed")


def _do_also(also: Callable[[Ticket], object], ticket: Ticket, message: Message) -> None:
    """Do it with the ticket, and keep on the message what it changes, so that it can be put back."""
    before = states.of(ticket, MACROS_CHANGE)
    also(ticket)
    ticket.refresh_from_db()
    notes = Message.objects.filter(ticket=ticket, direction=Direction.NOTE, agent=message.agent, pk__gt=message.pk)
    changed, noted = states.changes(before, states.of(ticket, MACROS_CHANGE)), list(notes.values_list("pk", flat=True))
    if changed or noted:
        message.payload |= ({"acts": changed} if changed else {}) | ({"noted": noted} if noted else {})
        message.save(update_fields=["payload"])


def scheduled(message: Message) -> dict[str, Any]:
    """What the log keeps of a message that waits for its time, and whether that is the end of the quiet hours."""
    assert message.send_at is not None
    held = {"quiet": True} if "quiet" in message.payload else {}
    return {"message": message.pk, "send_at": message.send_at.isoformat(), **held}


def check_time(send_at: datetime) -> None:
    """Raises ActionError for a time that is over, or so far that nobody will think of what waits for it."""
    now = timezone.now()
    if send_at <= now:
        raise ActionError(_("That time is over."), "past")
    if send_at > now + LONGEST_WAIT:
        raise ActionError(_("A reply can wait for a year at most. Choose an earlier time."), "too_far")


def _write(
    ticket: Ticket,
    adapter: Adapter,
    channel: Channel,
    by: Agent | None,
    text: str,
    html: str,
    recipients: tuple[Recipients | None, Recipients | None, Recipients | None],
    attachments: Sequence[int],
    send_at: datetime | None,
    subject: str | None,
    automatic: bool,
    kept: dict[str, Any],
    hold: int,
    takes: Takes,
) -> Message:
    if not text.strip() and not html.strip() and not attachments:
        raise ActionError(_("Write something first."), "empty")
    if html and not adapter.rich_text:
        text, html = text if text.strip() else markup.to_text(html), ""
    _check_fits(takes, channel, by, text, attachments)
    to, cc, bcc = recipients
    if to is None:
        to, default_cc = default_recipients(ticket, channel)
        cc = ([] if automatic else default_cc) if cc is None else cc
    if not to:
        raise ActionError(_("This customer has no address on %(channel)s.") % {"channel": channel.name}, "no_address")
    answered = last_inbound(ticket, channel)
    now = timezone.now()
    message = Message(
        ticket=ticket,
        first_ticket=ticket,
        direction=Direction.OUT,
        channel=channel,
        answers=answered,
        author_kind=AuthorKind.SYSTEM if by is None else AuthorKind.BOT if by.is_bot else AuthorKind.AGENT,
        agent=by,
        author_name=by.name if by else channel.name,
        to=to,
        cc=cc or [],
        bcc=bcc or [],
        subject=(subject or "")[:998],
        text=text.replace("\x00", ""),
        visible_text=text.replace("\x00", ""),
        html=html.replace("\x00", ""),
        payload=kept | ({"written_html": html} if html and (hold or send_at) else {}),  # to be written on, if not sent
        kind="auto_reply" if automatic else "message",
        suppress_auto_reply=automatic,
        send_at=send_at,
        **_state(adapter, now, hold, send_at),
        created_at=now,
        received_at=now,
    )
    adapter.freeze(message, answered)
    if automatic and message.payload.get("public"):
        raise ActionError(_("Nothing automatic is said where everybody can read it."), "public")
    message.save(force_insert=True)
    uploads.attach(message, attachments, by=by)
    here = Participant.objects.filter(ticket=ticket, until__isnull=True).values_list("identity__value", flat=True)
    members = {one.lower() for one in [*here, *(one["address"] for one in default_recipients(ticket, channel)[0])]}
    own = adapter.own_addresses(channel)
    joined = [
        customers.join(ticket, Party(adapter.identity_kind, one["address"], one.get("name", "")), by=by).pk
        for one in [*to, *(cc or [])]
        if one["address"].lower() not in members and not is_ours(one["address"].lower(), own)
    ]
    if joined:  # they leave again with it, should it be taken back
        message.payload["joined"] = joined
        message.save(update_fields=["payload"])
    return message


def _says_public(options: Mapping[str, Any]) -> bool:
    """Whether whoever asked for this answer named it one that everybody reads (docs/adding-a-channel.md)."""
    return options.get("way") == "public" or options.get("public") in {"yes", True}


def _check_fits(takes: Takes, channel: Channel, by: Agent | None, text: str, attachments: Sequence[int]) -> None:
    """Raises ActionError for words or files that cannot arrive: nobody should hear of it from a worker."""
    limit = takes.limit
    if limit is not None and limit.most and len(counting.split(text, limit)) > limit.most:
        raise ActionError(
            _("This is too long for %(channel)s: it would be more than %(most)s messages.")
            % {"channel": channel.name, "most": limit.most},
            "too_long",
        )
    if attachments:
        files = Attachment.objects.filter(pk__in=attachments, message__isnull=True, uploaded_by=by).order_by("pk")
        if why := fitting.problem(takes.files, files):
            raise ActionError(why, "files")


def _state(adapter: Adapter, now: datetime, hold: int, send_at: datetime | None) -> dict[str, Any]:
    """The fields of delivery of a new reply."""
    if send_at is not None:
        return {"state": DeliveryState.QUEUED, "next_attempt_at": None}
    if adapter.stores:
        return {"state": DeliveryState.SENT, "sent_at": now}
    return {"state": DeliveryState.QUEUED, "next_attempt_at": now + timedelta(seconds=hold)}


def _then(ticket: Ticket, status: str | None, becomes: str, by: Agent | None, *, now: bool) -> dict[str, Any]:
    """What a message's payload keeps of the status that was asked for and, if said `now`, of what that changes."""
    return ({"after": status} if status else {}) | (turns(ticket, becomes, by) if now else {})


def turns(ticket: Ticket, to: str, by: Agent | None) -> dict[str, Any]:
    """For the payload of a reply: what `after` will change of the ticket, so that it can be put back."""
    before = states.of(ticket, SENDING_CHANGES)
    now: states.State = {**before, "snoozed_until": None, "status": to}
    if _takes(ticket, by):
        now["assignee_id"] = by.pk if by else None
    if ticket.is_done and to not in {Status.SOLVED, Status.CLOSED}:
        now |= {"solved_at": None, "reopen_count": ticket.reopen_count + 1}
    changed = states.changes(before, now)
    return {"changed": changed} if changed else {}


def _takes(ticket: Ticket, by: Agent | None) -> bool:
    """Whether a reply of this person gives them the ticket: nobody has it yet."""
    return ticket.assignee_id is None and by is not None and by.is_active and not by.is_bot


def after(ticket: Ticket, message: Message, by: Agent | None, status: str, automatic: bool) -> None:
    """What a reply does to its ticket; `status` is what it becomes."""
    show(ticket, message)
    fields = ["message_count", "last_message_at", "last_direction", "preview"]
    if not automatic:
        ticket.waiting_since = ticket.snoozed_until = ticket.woke_at = None
        fields += ["waiting_since", "snoozed_until", "woke_at"]
        if ticket.first_replied_at is None and ticket.last_customer_message_at is not None:
            ticket.first_replied_at = message.created_at
            fields.append("first_replied_at")
        if by is not None and _takes(ticket, by):
            ticket.assignee = by
            fields.append("assignee")
            log.record(ticket, "assigned", by=by, **{"from": None, "to": by.pk})
        fields += change_status(ticket, status, by=by)
    base.save(ticket, *fields)
    if by is not None:
        attention.answered(by, ticket)


def show(ticket: Ticket, message: Message) -> None:
    """Let the ticket's row in lists show this message."""
    ticket.message_count += 1
    ticket.last_message_at = max(ticket.last_message_at, message.created_at)
    ticket.last_direction = message.direction
    # What was written, without the signature that its channel put under `text`.
    ticket.preview = " ".join(message.visible_text[: PREVIEW_LENGTH * 4].split())[:PREVIEW_LENGTH]


def change_status(ticket: Ticket, status: str, *, by: Agent | None, why: str = "") -> list[str]:
    """Set the status of a locked row and record it; returns the fields to save, none when nothing changes.

    `why` is a code for the log where nobody meant to solve or open it: spam, merge, erased.
    """
    if status not in Status.values:
        raise ActionError(_("There is no such status."), "status")
    if ticket.status == status:
        return []
    before, now = ticket.status, timezone.now()
    cause = {"why": why} if why else {}
    was_done = ticket.is_done
    ticket.status = status
    fields = ["status"]
    if ticket.is_done:
        ticket.waiting_since = ticket.snoozed_until = ticket.woke_at = None
        ticket.solved_at = ticket.solved_at or now
        fields += ["waiting_since", "snoozed_until", "woke_at", "solved_at"]
        if status == Status.CLOSED:
            ticket.closed_at = now
            fields.append("closed_at")
    elif was_done:
        ticket.solved_at = None
        ticket.reopen_count += 1
        fields += ["solved_at", "reopen_count"]
        log.record(ticket, "reopened", by=by, was=before, **cause)
    log.record(ticket, "status_changed", by=by, **{"from": before, "to": status, **cause})
    if ticket.is_done != was_done:
        for adapter in kinds().values():
            adapter.status_changed(ticket, by=by)
    return fields


def note(
    ticket: Ticket,
    *,
    by: Agent | None,
    text: str,
    attachments: Sequence[int] = (),
    client_id: str | None = None,
    draft: int | None = None,
    also: Callable[[Ticket], object] | None = None,
) -> Message:
    """Leave a note for colleagues; it never reaches the customer. `draft` and `also` are as for a reply. Raises
    ActionError.
    """
    if not text.strip() and not attachments:
        raise ActionError(_("Write something first."), "empty")
    digest = digest_of("note", text, attachments=attachments)
    with base.locked(ticket, even_if_closed=True) as row:
        first = already(by, client_id, digest)
        if first is not None:
            return first
        now = timezone.now()
        whom = mentions.named(text, row, by)
        message = Message.objects.create(
            ticket=row,
            first_ticket=row,
            direction=Direction.NOTE,
            channel=row.channel,
            author_kind=AuthorKind.SYSTEM if by is None else AuthorKind.BOT if by.is_bot else AuthorKind.AGENT,
            agent=by,
            author_name=by.name if by else "",
            text=text.replace("\x00", ""),
            visible_text=text.replace("\x00", ""),
            payload=once(client_id, digest) | whom.as_payload(),
            created_at=now,
            received_at=now,
        )
        mentioning.write(message, whom.agents, by=by)
        uploads.attach(message, attachments, by=by)
        client_key(message, by, client_id)
        drafts.sent(message, client_id, draft)
        log.record(row, "note_added", by=by, message=message.pk)
        row.message_count += 1
        base.save(row, "message_count")
        if also is not None:
            also(row)
        base.said([row.pk], [message.pk])
        return message
