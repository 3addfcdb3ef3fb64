"""Single messages: delivery states, retry, moving to another ticket, confirming a sender."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import bulk, log, wake, wishes
from inbox.actions import base, calls, counts, customers, drafts, mentions, reach, states
from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryUpdate, Party, adapter_for
from inbox.models import (
    NEXT_STATES,
    ActorKind,
    Agent,
    Channel,
    DeliveryState,
    Direction,
    Event,
    Identity,
    Message,
    MessagePart,
    Participant,
    ParticipantRole,
    Status,
    Ticket,
)

MARK_REACHES = timedelta(days=7)  # back from a mark that says how far somebody has read
ANSWER_TAKES = timedelta(seconds=3)
STAMPS = {DeliveryState.SENT: "sent_at", DeliveryState.DELIVERED: "delivered_at", DeliveryState.READ: "read_at"}


def advance(
    message: Message, state: str, *, at: datetime | None = None, by: Agent | None = None, **fields: Any
) -> bool:
    """Move a locked row to a later delivery state; false, and nothing changed, where that would be a step back."""
    if state not in NEXT_STATES.get(message.state, ()):
        return False
    message.state = state
    message.lease_until = None
    stamp = STAMPS.get(state)  # type: ignore[call-overload]
    if stamp is not None:
        setattr(message, stamp, at or timezone.now())
        fields[stamp] = getattr(message, stamp)
    for name, value in fields.items():
        setattr(message, name, value)
    message.save(update_fields=["state", "lease_until", *fields])
    if state in {DeliveryState.QUEUED, DeliveryState.SENDING}:
        log_kind = "message_retried" if by is not None else None
    else:
        log_kind = f"message_{state}"
    if log_kind:
        log.record(message.ticket, log_kind, by=by, message=message.pk)
    base.announce([message.ticket_id], [message.pk])
    return True


# What `advance` and `log.record` would do after a `lock`, as common table expressions: delivery records a sent message
# and claims the next in one statement, which is one round trip and one commit. A message whose lease ran out, but that
# nobody has begun to send again, is taken back.
ACCEPTED = """
accepted AS (
    UPDATE inbox_message
    SET state = 'sent', lease_until = NULL, error = '', sent_at = %(now)s, external_id = %(external_id)s
    WHERE id = %(message)s AND attempts = %(attempts)s AND state IN ('sending', 'queued', 'unknown')
    RETURNING ticket_id
),
told AS (
    INSERT INTO inbox_event (ticket_id, kind, actor_kind, at, data)
    SELECT ticket_id, 'message_sent', 'system', %(now)s, %(data)s::jsonb FROM accepted
    RETURNING ticket_id AS left_ticket
)
"""


def accepted(message: Message, external_id: str) -> dict[str, Any]:
    """The parameters of ACCEPTED but `now`, for a claimed message that the far server took for all its recipients."""
    data = json.dumps({"message": message.pk})
    return {"message": message.pk, "attempts": message.attempts, "external_id": external_id, "data": data}


def reported(ids: Sequence[int], state: str) -> int:
    """Many messages were delivered or read, all as one report says; returns how many that was news of.

    As `advance` for each, in two statements: a state that would be a step back stays.
    """
    if not ids:
        return 0
    now = timezone.now()
    before = [one for one, after in NEXT_STATES.items() if state in after]
    with transaction.atomic():
        rows = Message.objects.select_for_update(no_key=True).filter(pk__in=ids, state__in=before).order_by("pk")
        found = list(rows.values_list("pk", "ticket_id"))
        if not found:
            return 0
        Message.objects.filter(pk__in=[pk for pk, _ in found]).update(
            state=state, **{STAMPS[DeliveryState(state)]: now}
        )
        bulk.insert(
            [
                Event(
                    ticket_id=ticket, kind=f"message_{state}", actor_kind=ActorKind.SYSTEM, at=now, data={"message": pk}
                )
                for pk, ticket in found
            ]
        )
        base.announce({ticket for _, ticket in found}, [pk for pk, _ in found])
    return len(found)


def lock(pk: int) -> Message:
    """The message's row, locked. No join: had its ticket changed while we waited, PostgreSQL would find no row."""
    return Message.objects.select_for_update(no_key=True).get(pk=pk)


def fail(message: Message, reason: str, **fields: Any) -> bool:
    """A locked row has failed for good: say so on the message, and open the ticket so that somebody acts."""
    if not advance(message, DeliveryState.FAILED, error=_keepable(message, reason), **fields):
        return False
    open_after_failure(message)
    return True


def _keepable(message: Message, reason: str) -> str:
    """What may be written down of a reason: it names people, and of those who were erased nothing is kept."""
    emptied = Q(erased_at__isnull=False) | Q(customer__erased_at__isnull=False)
    erased = Ticket.objects.filter(emptied, pk=message.ticket_id).exists()
    return "" if erased else reason[:2000]


def open_after_failure(message: Message) -> None:
    """Somebody has to act: open the ticket, or say so at least where it was no answer to the customer that failed."""
    row = Ticket.objects.select_for_update(no_key=True).get(pk=message.ticket_id)
    row.delivery_failed = True
    waits = message.side_id is None or row.status == Status.ON_HOLD
    base.save(row, "delivery_failed", *(unanswered(row, by=None) if waits else ()))


def unanswered(ticket: Ticket, *, by: Agent | None, **told: Any) -> list[str]:
    """Open a locked ticket whose answer did not leave; returns the fields to save, none when nothing changes.

    `told` is what the log says of it beside.
    """
    if ticket.status not in {Status.PENDING, Status.ON_HOLD, Status.SOLVED}:
        return []
    log.record(ticket, "status_changed", by=by, **{"from": ticket.status, "to": Status.OPEN.value, **told})
    ticket.status, ticket.solved_at = Status.OPEN, None
    return ["status", "solved_at"]


def _only_some(message: Message, recipients: tuple[str, ...]) -> bool:
    """Whether a report names some of a message's recipients and leaves out others."""
    named = {address.lower() for address in recipients}
    return bool(named) and any(one["address"].lower() not in named for one in [*message.to, *message.cc, *message.bcc])


def refused(message: Message, reason: str, count: int) -> None:
    """Some recipients of a locked row did not get it, others did: to send it again would reach those twice."""
    message.error = _keepable(message, reason)
    message.save(update_fields=["error"])
    log.record(message.ticket, "message_refused", message=message.pk, count=count)
    open_after_failure(message)
    base.announce([message.ticket_id], [message.pk])


def delivery_update(channel: Channel, update: DeliveryUpdate) -> bool:
    """What a platform reports about a message of ours; false when there is no such message."""
    with transaction.atomic():
        if update.through is not None and update.person is not None:
            _through(channel, update.person, update.state, update.through)
            return True
        found, part = _named(channel, update)
        if found is None:
            return False
        message = lock(found)
        if update.delayed:
            if not message.delayed and message.state in {DeliveryState.SENT, DeliveryState.SENDING}:
                message.delayed, message.error = True, _keepable(message, update.error)
                message.save(update_fields=["delayed", "error"])
                base.announce([message.ticket_id], [message.pk])
        elif update.state == "failed" and _only_some(message, update.recipients):
            refused(message, update.error or ", ".join(update.recipients), len(update.recipients))
        elif update.state == "failed":
            _failed_later(message, update)
        elif (state := update.state if part is None else _of_parts(part, update.state)) is not None:
            unheard = not message.external_id
            if part is None and update.external_id:
                note_part(message, update.external_id)
            if part is not None or not is_part_missing(message):
                _is_there(message, unheard, update.at)
                failed = message.state == DeliveryState.FAILED and not is_part_missing(message)
                if failed and state == DeliveryState.READ:
                    _was_read(message, update.at)
                else:
                    advance(message, state, at=update.at)
        return True


def _was_read(message: Message, at: datetime | None) -> None:
    """All of a locked message was read that was told to have failed: whichever came first, it is there.

    Somebody may have tried it again by now; then it is no failed one any more.
    """
    message.state = DeliveryState.SENT
    message.payload.pop("fault", None)
    advance(message, DeliveryState.READ, at=at, error="", payload=message.payload)
    row = Ticket.objects.select_for_update(no_key=True).get(pk=message.ticket_id)
    row.delivery_failed = Message.objects.filter(ticket=row, state=DeliveryState.FAILED).exists()
    base.save(row, "delivery_failed")


def _failed_later(message: Message, update: DeliveryUpdate) -> None:
    """The platform took a locked message, and says later that it did not arrive: as if it had refused it."""
    if update.fault:
        message.payload["fault"] = update.fault
    kept = {"payload": message.payload} if update.fault else {}
    if fail(message, update.error or str(_("The message was returned.")), **kept):
        reach.refused(message, update.fault, update.at)


def _is_there(message: Message, unheard: bool, at: datetime | None) -> None:
    """The platform knows a locked message of which we had no answer yet (`unheard`), or are just sending: it has left.

    One that was to be tried again would be there twice.
    """
    if message.state == DeliveryState.QUEUED and message.attempts and unheard:
        message.state = DeliveryState.SENDING
    if message.state == DeliveryState.SENDING:
        advance(message, DeliveryState.SENT, at=at, error="")


def _named(channel: Channel, update: DeliveryUpdate) -> tuple[int | None, MessagePart | None]:
    """The message (id) that a report is about, and which part of it where it left in several."""
    ours = Message.objects.filter(direction=Direction.OUT)
    if not adapter_for(channel.kind).global_ids:
        ours = ours.filter(channel=channel)
    if update.external_id:
        parts = MessagePart.objects.filter(external_id=update.external_id, message__channel=channel)
        part = parts.order_by("pk").first() if adapter_for(channel.kind).messenger else None
        if part is not None:
            return part.message_id, part
        found = ours.filter(external_id=update.external_id).order_by("pk").values_list("pk", flat=True).first()
        if found is not None:
            return found, None
    # By our own id: what the platform calls it may not be written down yet.
    found = ours.filter(pk=update.reference).values_list("pk", flat=True).first() if update.reference else None
    return found, None


def note_part(message: Message, external_id: str) -> None:
    """The platform took the next part of a locked message, and calls it so; the first part's id is the message's own.

    A message that is one part has no rows of them.
    """
    fields = [] if message.external_id else ["external_id"]
    message.external_id = message.external_id or external_id
    if message.payload.get("parts", 1) > 1:
        here = MessagePart.objects.filter(message=message)
        if not here.filter(external_id=external_id).exists():
            MessagePart.objects.create(message=message, position=here.count(), external_id=external_id)
    if fields:
        message.save(update_fields=fields)


def begin_parts(message: Message, count: int) -> list[str]:
    """A claimed message leaves in so many parts; returns the platform's ids of those that have left before."""
    if count > 1 and message.payload.get("parts") != count:
        message.payload["parts"] = count
        Message.objects.filter(pk=message.pk).update(payload=message.payload)
    if count < 2:
        return []
    return list(MessagePart.objects.filter(message=message).order_by("position").values_list("external_id", flat=True))


def part_left(message: Message, external_id: str) -> None:
    """Write down at once that the platform took a part of a message that this worker sends, whatever comes next."""
    with transaction.atomic():
        note_part(lock(message.pk), external_id)
    message.external_id = message.external_id or external_id


def is_part_missing(message: Message) -> bool:
    """Whether some parts of a message are not known to have left."""
    total = int(message.payload.get("parts", 1))
    return total > 1 and MessagePart.objects.filter(message=message).count() < total


PART_STATES = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)


def _of_parts(part: MessagePart, state: str) -> str | None:
    """Note how far one part has come; returns how far the whole has, None while not all of it has left."""
    if PART_STATES.index(DeliveryState(state)) > PART_STATES.index(DeliveryState(part.state)):
        MessagePart.objects.filter(pk=part.pk).update(state=state)
    message = Message.objects.get(pk=part.message_id)
    if message.state in {DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN}:
        return None  # the others have not left, or nobody knows
    states = MessagePart.objects.filter(message=part.message_id).values_list("state", flat=True)
    return min((DeliveryState(one) for one in states), key=PART_STATES.index)


def _through(channel: Channel, person: Party, state: str, until: datetime) -> None:
    """Everything that had been sent to this person by then is delivered, or read.

    The mark is the platform's time of a message, ours of it is a moment later: that of its answer.
    """
    scope = person.scope or adapter_for(channel.kind).scope(channel)
    whose = Identity.objects.active().filter(kind=person.kind, scope=scope, value=person.value)
    tickets = Ticket.objects.filter(customer__in=whose.values("customer"), last_message_at__gt=until - MARK_REACHES)
    before = [one for one, after in NEXT_STATES.items() if state in after and one != DeliveryState.UNKNOWN]
    ours = Message.objects.filter(
        ticket__in=list(tickets.values_list("pk", flat=True)[:100]),
        channel=channel,
        direction=Direction.OUT,
        state__in=before,
        created_at__range=(until - MARK_REACHES, until),
        sent_at__lte=until + ANSWER_TAKES,
        to__contains=[{"address": person.value}],
    )
    reported(list(ours.values_list("pk", flat=True)), state)


def _still_there(ticket: Ticket) -> None:
    if ticket.is_erased:
        raise ActionError(_("Nothing is left of this message: its customer was erased."), "erased")
    if ticket.trashed_at is not None:
        raise ActionError(_("This ticket is in the trash; restore it first."), "trashed")


def retry(message: Message, *, by: Agent | None) -> Message:
    """Queue a failed message, or one of unknown fate, again: now, to the same people, with the same id.

    Raises ActionError for what was taken back into a composer, or written again.
    """
    with transaction.atomic():
        row = lock(message.pk)
        if row.state not in {DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED}:
            return row
        _still_there(row.ticket)
        if row.deleted_at is not None or "replaced_by" in row.payload:
            raise ActionError(_("This was written again: send that instead."), "written_again")
        if row.state == DeliveryState.FAILED and drafts.is_written_again(row):
            raise ActionError(
                _("This is being written again: send that draft instead, or discard it."), "written_again"
            )
        if row.side_id is None and (unwanted := wishes.refusal(row.ticket, row.channel, automatic=row.is_auto_reply)):
            raise ActionError(unwanted, "opted_out")
        taken_back = row.state == DeliveryState.CANCELLED
        if taken_back:  # it was not said then, but is now
            Participant.objects.filter(pk__in=row.payload.get("joined", []), ticket=row.ticket_id).update(until=None)
            row.created_at = timezone.now()
            row.save(update_fields=["created_at"])
        for name in ("changed", "acts", "since"):  # the ticket went its way without it
            row.payload.pop(name, None)
        advance(
            row,
            DeliveryState.QUEUED,
            by=by,
            payload=row.payload,
            error="",
            delayed=False,
            trying_since=None,
            lost_leases=0,
            next_attempt_at=timezone.now(),
        )
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=row.ticket_id)
        still = Message.objects.filter(ticket=ticket, state=DeliveryState.FAILED).exists()
        if taken_back:
            counts.recount(ticket)
        elif ticket.delivery_failed != still:
            ticket.delivery_failed = still
            base.save(ticket, "delivery_failed")
        Channel.objects.filter(pk=row.channel_id).update(next_send_at=timezone.now())
        wake.deliver(row.channel_id, row.channel.kind)
        return row


def move(message: Message, *, to: Ticket | None, by: Agent | None) -> Message:
    """Move a message, with its files, to another ticket, or (None) to a new one; both are counted anew."""
    with transaction.atomic():
        row = lock(message.pk)
        source = row.ticket
        _still_there(source)
        if row.side_id is not None and row.direction != Direction.IN:
            raise ActionError(_("What we wrote in a side conversation stays there."), "side")
        if to is not None and to.pk == source.pk and row.side_id is None:
            return row
        if to is None:
            to = new_ticket_for(row)
            log.record(to, "ticket_created", by=by, channel=row.channel_id, **states.at_first(to))
        numbers = sorted([source.pk, to.pk])
        tickets = {t.pk: t for t in Ticket.objects.select_for_update(no_key=True).filter(pk__in=numbers).order_by("pk")}
        target = tickets[to.pk]
        if target.is_locked:
            raise ActionError(_("Ticket #%(number)s takes no more messages.") % {"number": target.pk}, "closed")
        row.ticket, row.thread_rule, row.thread_detail = target, "moved", f"#{source.pk}"
        row.unverified, row.side = False, None
        row.save(update_fields=["ticket", "thread_rule", "thread_detail", "unverified", "side"])
        calls.engagements_of(source, [row.pk]).update(ticket=target)
        mentions.follow([row.pk], target)
        if row.direction == Direction.IN and row.author_address:
            customers.join(target, _writer(row), by=by)
        for ticket in tickets.values():
            log.record(ticket, "message_moved", by=by, message=row.pk, **{"from": source.pk, "to": target.pk})
            counts.recount(ticket)
        base.said(numbers, [row.pk])
        return row


def _writer(message: Message) -> Party:
    """Who wrote a message: on messengers an address means somebody within its scope alone."""
    adapter = adapter_for(message.channel.kind)
    theirs = Identity.objects.filter(customer=message.customer_id, value=message.author_address)
    known = theirs.order_by("pk").first() if adapter.messenger else None
    if known is not None:
        return Party(known.kind, known.value, message.author_name, known.scope)
    return Party(adapter.identity_kind, message.author_address, message.author_name, adapter.scope(message.channel))


def new_ticket_for(message: Message) -> Ticket:
    customer = message.customer or message.ticket.customer
    ticket = Ticket.objects.create(
        customer=customer,
        organisation_id=customer.organisation_id,
        channel=message.channel,
        reply_channel=message.channel,
        subject=message.subject[:500] or message.ticket.subject,
        team=message.ticket.team,
        created_at=message.created_at,
    )
    if message.author_address:
        customers.join(ticket, _writer(message), by=None, role=ParticipantRole.REQUESTER)
    return ticket


def confirm_sender(message: Message, *, by: Agent | None) -> Message:
    """An agent vouches for the sender of a message that came by a forwarded token: answers reach them from now on."""
    with base.locked(message.ticket) as ticket:
        row = lock(message.pk)
        if not row.unverified:
            return row
        row.unverified = False
        row.save(update_fields=["unverified"])
        if row.side_id is None:
            here = Participant.objects.filter(ticket=ticket, identity__value=row.author_address)
            here.update(confirmed=True)
        log.record(ticket, "participant_confirmed", by=by, message=row.pk)
        base.said([ticket.pk], [row.pk])
        return row
