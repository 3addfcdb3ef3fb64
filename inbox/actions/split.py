"""Split: two matters that came as one ticket become two. Messages move, with their files; nothing is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, calls, counts, mentions, states
from inbox.actions.errors import ActionError
from inbox.models import (
    Agent,
    DeliveryState,
    Event,
    LinkKind,
    Message,
    Participant,
    ParticipantRole,
    SideConversation,
    Ticket,
    TicketLink,
)


def split(ticket: Ticket, messages: Sequence[int], *, by: Agent | None, subject: str = "") -> Ticket:
    """Move these messages of `ticket` into a new one of the same customer, linked to it; both are counted anew.

    Raises ActionError for none or all of its messages, for one of another ticket, and for one that is being sent.
    """
    wanted = set(messages)
    sides = set(Message.objects.filter(pk__in=wanted, side__isnull=False).values_list("side", flat=True))
    wanted |= set(Message.objects.filter(side__in=sides, ticket=ticket.pk).values_list("pk", flat=True))  # as a whole
    with transaction.atomic():
        # Messages first, then tickets, as delivery locks them.
        rows = list(
            Message.objects.select_for_update(no_key=True).filter(pk__in=wanted, ticket=ticket.pk).order_by("pk")
        )
        if not wanted or {row.pk for row in rows} != wanted:
            raise ActionError(_("Name messages of this ticket."), "foreign")
        if any(row.state == DeliveryState.SENDING for row in rows):
            raise ActionError(_("One of these messages is being sent right now. Try again in a moment."), "in_flight")
        with base.locked(ticket) as old:
            if not Message.objects.conversation().filter(ticket=old).exclude(pk__in=wanted).exists():
                raise ActionError(_("Leave at least one message here."), "all_messages")
            new = _new_ticket(old, rows[0], subject)
            log.record(new, "ticket_created", by=by, channel=new.channel_id, **states.at_first(new))
            Message.objects.filter(pk__in=wanted).update(ticket=new, thread_rule="split", thread_detail=f"#{old.pk}")
            SideConversation.objects.filter(pk__in=sides).update(ticket=new)
            calls.engagements_of(old, wanted).update(ticket=new)
            mentions.follow(wanted, new)
            _people(old, new, rows, by)
            TicketLink.objects.create(source=new, target=old, kind=LinkKind.CHILD)
            ways: dict[str, Any] = {"from": old.pk, "to": new.pk, "split": True}
            Event.objects.bulk_create(
                [log.line(new, "message_moved", by=by, message=pk, **ways) for pk in sorted(wanted)]
            )
            log.record(old, "split", by=by, into=new.pk, messages=sorted(wanted))
            log.record(new, "split_from", by=by, source=old.pk, messages=sorted(wanted))
            counts.recount(old)
            counts.recount(new)
            base.said([old.pk, new.pk], sorted(wanted))
    return new


def _new_ticket(old: Ticket, first: Message, subject: str) -> Ticket:
    said = "" if first.side_id else first.subject  # the customer reads it: never that of a side conversation
    return Ticket.objects.create(
        customer_id=old.customer_id,
        organisation_id=old.organisation_id,
        channel=old.channel,
        reply_channel=old.reply_channel,
        subject=" ".join((subject or said or old.subject).split())[:500],
        status=old.status,
        solved_at=old.solved_at,
        priority=old.priority,
        type=old.type,
        assignee_id=old.assignee_id,
        team_id=old.team_id,
        tags=old.tags,
        language=old.language,
        language_chosen=old.language_chosen,
        also_channels=old.also_channels,
        created_at=first.created_at,
    )


def _people(old: Ticket, new: Ticket, rows: Sequence[Message], by: Agent | None) -> None:
    """The requester, and whoever wrote or received what moved: an answer to it must find its new place."""
    named = {
        address["address"].lower()
        for row in rows
        for address in [*row.to, *row.cc, *row.reply_to]
        if "address" in address
    } | {row.author_address.lower() for row in rows if row.author_address}
    here = Participant.objects.filter(ticket=old, until__isnull=True).select_related("identity").order_by("pk")
    Participant.objects.bulk_create(
        [
            Participant(
                ticket=new, identity=one.identity, role=one.role, confirmed=one.confirmed, since=one.since, added_by=by
            )
            for one in here
            if one.role == ParticipantRole.REQUESTER or one.identity.value.lower() in named
        ]
    )
