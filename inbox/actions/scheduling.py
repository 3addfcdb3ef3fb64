"""Replies that leave later: they wait as `queued` without a time of the next attempt, which delivery never claims.

When its time has come the sweep releases one: only then is it said, and does to its ticket what a reply does. Had the
customer written in the meantime, or may whoever wrote it not answer any more, it is not sent, and says so. What would
leave in the customer's quiet hours leaves at their end, unless somebody sends it now. Taking back and re-timing lock
the message's row, as a claim does, and only touch what no worker has ever had in hand.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inbox import log, quiet, wake, wishes
from inbox.actions import (
    base,
    counts,
    drafts,
    macros,
    mentions,
    messages,
    recipients,
    reply,
    solving,
    states,
    undoing,
    uploads,
    withdrawing,
)
from inbox.actions.errors import ActionError
from inbox.actions.withdrawing import withdraw
from inbox.actions.work import typed
from inbox.adapters import AUTOMATIC, adapter_for
from inbox.models import Agent, DeliveryState, Direction, Draft, DraftKind, Message, Origin, Status, Ticket
from inbox.rights import Right, may
from inbox.threads import bare_subject
from inbox.writing import FOR_ALL, OPTION

logger = logging.getLogger(__name__)


def cancel(message: Message, *, by: Agent | None) -> Message:
    """Take back a message that has not left. Raises ActionError once a worker has had it."""
    with transaction.atomic():
        ticket, row = _not_yet_tried(message)
        _cancel(ticket, row, by=by)
        return row


def retime(message: Message, send_at: datetime | None, *, by: Agent | None) -> Message:
    """Let a message that has not left leave at another time, or (None) now. Raises ActionError once it is too late."""
    if send_at is not None:
        reply.check_time(send_at)
    with transaction.atomic():
        ticket, row = _not_yet_tried(message)
        _to_the_customer(row)
        if send_at is None:
            if row.is_scheduled:
                if unwanted := wishes.refusal(ticket, row.channel, automatic=row.is_auto_reply):
                    raise ActionError(unwanted, "opted_out")
                release(ticket, row, by=by)
            return row
        waits = quiet.held(ticket, row.channel, send_at, late=_late(row))
        if row.is_scheduled and row.send_at == (waits or send_at):
            return row
        said = not row.is_scheduled
        _set_time(ticket, row, waits or send_at, quietly=waits is not None)
        log.record(ticket, "message_scheduled", by=by, **reply.scheduled(row))
        if said:
            _unsay(ticket, row, by=by, acts=False)
        base.announce([ticket.pk], [row.pk])
        return row


def _late(row: Message) -> bool:
    """Whether it may leave after its window has closed."""
    return "way" in row.payload.get("options", {})


def _set_time(ticket: Ticket, row: Message, at: datetime, *, quietly: bool) -> None:
    """Let a locked message wait until then; `quietly` says that the quiet hours end then."""
    row.send_at, row.next_attempt_at = at, None
    row.payload.pop("quiet", None)
    if quietly:
        row.payload["quiet"] = str(quiet.zone_of(ticket.customer))
    row.save(update_fields=["send_at", "next_attempt_at", "payload"])


def take_back(message: Message, *, by: Agent) -> Draft:
    """Put what a message says, its files and recipients into `by`'s composer, to be written on.

    What has not left is cancelled by that, and no longer stands in the ticket; what failed stays until it was written
    again, and is put into a composer once. Raises ActionError once it has left, or is leaving.
    """
    with transaction.atomic():
        # The draft they stand in becomes another one by this: they are locked with it, before the ticket.
        both = Message.objects.filter(pk=message.pk) | drafts.waiting_failures(message.ticket_id)
        row = {one.pk: one for one in both.select_for_update(no_key=True).order_by("pk")}[message.pk]
        _to_the_customer(row)
        if row.is_held and row.agent_id != by.pk:
            raise ActionError(_("Only whoever wrote this can undo it."), "not_yours")
        undone = row.state not in {DeliveryState.CANCELLED, DeliveryState.FAILED}
        if undone:
            ticket, row = _not_yet_tried(message)
            _cancel(ticket, row, by=by)
        else:
            ticket = Ticket.objects.select_for_update(no_key=True).get(pk=row.ticket_id)
            if row.state == DeliveryState.CANCELLED:
                _unsay(ticket, row, by=by, said=False)  # by its own hand now, where it was overtaken
        if row.deleted_at is not None or ticket.is_erased:
            raise ActionError(_("Nothing is left of this message."), "gone")
        if (again := row.payload.get("written_again")) and (
            there := drafts.of(by, ticket).filter(client_id=again).first()
        ):
            return there
        anew = undone and row.agent_id == by.pk  # what macros did was put back, where it was undone; else it is done
        draft = drafts.put_back(
            by,
            ticket,
            {
                "kind": DraftKind.REPLY,
                "channel": row.channel,
                "subject": "" if bare_subject(row.subject) == bare_subject(ticket.subject) else row.subject,
                "text": row.visible_text,
                "html": row.payload.get("written_html", row.html),
                "recipients": _changed_recipients(row, ticket) | _chosen(row),
                "attachments": uploads.again(row, by=by),
                "macros": row.payload.get("macros", []) if anew else [],
            },
        )
        if row.state == DeliveryState.CANCELLED:
            gone = [row.pk, *(_unwrite_notes(ticket, row) if anew else ())]
            Message.objects.filter(pk__in=gone).update(deleted_at=timezone.now())
            counts.recount(ticket)
            base.announce([ticket.pk], gone)
        else:
            # Whatever this becomes replaces it.
            row.payload |= {"written_again": draft.client_id, "again_by": by.pk}
            row.save(update_fields=["payload"])
        return draft


def _unwrite_notes(ticket: Ticket, row: Message) -> list[int]:
    """Ids of the notes that the macros of a reply wrote: they are in the composer again, and write them again."""
    notes = Message.objects.filter(pk__in=row.payload.get("noted", []), ticket=ticket).values_list("pk", flat=True)
    mentions.forget(found := list(notes), ticket)
    return found


def _changed_recipients(row: Message, ticket: Ticket) -> dict[str, str]:
    """As they would be typed; only what differs from the recipients that an answer has by itself."""
    to, cc = recipients.default_recipients(ticket, row.channel)
    return {
        name: typed(people)
        for name, people, usual in (("to", row.to, to), ("cc", row.cc, cc), ("bcc", row.bcc, []))
        if [one["address"] for one in people] != [one["address"] for one in usual]
    }


def _chosen(row: Message) -> dict[str, str]:
    """In public or in private, as its writer chose: what was meant for one alone stays so when it is written on."""
    options = row.payload.get("options", {})
    said = {name: options[name] for name in FOR_ALL if name in options}
    return {OPTION + name: str({True: "yes", False: "no"}.get(value, value)) for name, value in said.items()}


def _to_the_customer(row: Message) -> None:
    """Raises ActionError for what was written to a third party: it must not get into the reply to the customer, nor
    count as one when it leaves.
    """
    if row.side_id is not None:
        raise ActionError(_("What we wrote in a side conversation stays there."), "side")


def _not_yet_tried(message: Message) -> tuple[Ticket, Message]:
    """The locked rows of a message that no worker has had and of its ticket, in the order that delivery locks them."""
    row = messages.lock(message.pk)
    if row.state != DeliveryState.QUEUED or row.attempts > 0:
        raise ActionError(_("It is too late: this message has left, or is leaving."), "already_left")
    return Ticket.objects.select_for_update(no_key=True).get(pk=row.ticket_id), row


def _cancel(ticket: Ticket, row: Message, *, by: Agent | None = None, reason: str = "", words: str = "") -> None:
    said = not row.is_scheduled
    withdraw(ticket, row, by=by, reason=reason, words=words)
    _unsay(ticket, row, by=by, said=said)


def _unsay(ticket: Ticket, row: Message, *, by: Agent | None, said: bool = True, acts: bool = True) -> None:
    """A reply is not said after all: its ticket is as it was, and counted anew where it had been `said`."""
    setter = macros.put_back if acts and by is not None else None
    undoing.put_back(ticket, row, by=by, macros=setter, keep_acts=not acts)
    if said:
        counts.recount(ticket)


def release(ticket: Ticket, row: Message, *, by: Agent | None = None) -> None:
    """Say it now: hand a locked, scheduled message to delivery, and do to its locked ticket what a reply does.

    Where it was to solve a ticket whose fields do not say by now what they must, it leaves all the same; the ticket is
    not solved, and its writer is told.
    """
    now = timezone.now()
    writer = row.agent
    automatic = row.is_auto_reply
    began = log.record(
        ticket, "message_added", by=writer or by, message=row.pk, channel=row.channel_id, automatic=automatic
    )
    adapter = adapter_for(row.channel.kind)
    usual = adapter.after_reply(ticket)
    status = row.payload.get("after") or usual
    if solving.asks(ticket, status, by=writer) and solving.missing(ticket):
        log.record(ticket, "not_solved", message=row.pk)
        status = Status.PENDING if solving.asks(ticket, usual, by=writer) else usual
    row.next_attempt_at = row.created_at = row.received_at = now
    row.payload |= {} if automatic else reply.turns(ticket, status, writer)
    row.payload.pop("quiet", None)
    row.save(update_fields=["next_attempt_at", "created_at", "received_at", "payload"])
    ticket.message_count -= 1  # counted when it was written; counted again as what is said
    reply.after(ticket, row, writer, status, automatic=automatic)
    states.mark(row, began, "changed")
    adapter.replied(row)
    base.said([ticket.pk], [row.pk])
    wake.deliver(row.channel_id, row.channel.kind)


def sweep() -> int:
    """Release what is due, and take back what the customer has overtaken; returns how many messages it touched."""
    done = 0
    waiting = list(Message.objects.scheduled().order_by("send_at", "pk").values_list("pk", "ticket_id", "send_at"))
    if not waiting:
        return 0
    now = timezone.now()
    overtaken = _overtaken({ticket for _pk, ticket, _at in waiting})
    for pk, ticket, at in waiting:
        if (at is None or at > now) and pk >= overtaken.get(ticket, 0):
            continue
        try:
            done += _settle(pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("the scheduled message %s cannot be released", pk)  # the others can
    return done


def _overtaken(tickets: set[int]) -> dict[int, int]:
    """The newest message that a customer wrote in each of these tickets."""
    written = Message.objects.conversation().filter(ticket__in=tickets, direction=Direction.IN, unverified=False)
    written = written.exclude(kind__in=AUTOMATIC).exclude(origin=Origin.LOGGED)
    return dict(written.order_by("ticket", "pk").values_list("ticket", "pk"))  # the last of each stays


def _settle(pk: int) -> int:
    with transaction.atomic():
        row = messages.lock(pk)
        if not row.is_scheduled:
            return 0
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=row.ticket_id)
        # In the language of whoever wrote it: they are the one who reads why.
        with translation.override((row.agent.language if row.agent else "") or settings.LANGUAGE_CODE):
            if _overtaken({ticket.pk}).get(ticket.pk, 0) > row.pk:
                _cancel(ticket, row, reason="customer", words=_("The customer wrote first, so this was not sent."))
            elif ticket.trashed_at is not None or ticket.spam:
                _cancel(ticket, row, reason="put_away", words=withdrawing.put_away())
            elif ticket.is_locked:
                _cancel(ticket, row, reason="closed", words=_("The ticket was closed first, so this was not sent."))
            elif row.send_at is None or row.send_at > timezone.now():
                return 0
            elif row.agent and not (row.agent.is_active and may(row.agent, Right.ANSWER)):
                words = _(
                    "Whoever wrote this may not answer any more, so it was not sent. Send it again if it is right."
                )
                _cancel(ticket, row, reason="writer", words=words)
            elif unwanted := wishes.refusal(ticket, row.channel, automatic=row.is_auto_reply):
                _cancel(ticket, row, reason="opted_out", words=unwanted)
            elif (until := quiet.held(ticket, row.channel, timezone.now(), late=_late(row))) is not None:
                # It could not leave at its time, or there are other hours now.
                _set_time(ticket, row, until, quietly=True)
                base.announce([ticket.pk], [row.pk])
            else:
                release(ticket, row)
        return 1
