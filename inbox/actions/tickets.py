"""Tickets: open, assign, status, priority, tags, subject, spam, snooze."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, counts, customers, solving, states, withdrawing
from inbox.actions.base import KEEP, Keep
from inbox.actions.errors import ActionError
from inbox.actions.once import already, client_key, once
from inbox.actions.reply import asked_by, change_status, reply, show
from inbox.adapters import Party, adapter_for
from inbox.fields import merged
from inbox.models import (
    SUBJECT_LENGTH,
    Agent,
    AuthorKind,
    Channel,
    Customer,
    Direction,
    Message,
    Origin,
    ParticipantRole,
    Priority,
    Status,
    Tag,
    Team,
    Ticket,
)

MAX_TAGS = 100
FIELDS = {"type", "severity", "topic", "attributes", "external_id", "due_at", "language"}


def open_ticket(
    *,
    by: Agent | None,
    channel: Channel,
    customer: Customer | None = None,
    identity: Party | None = None,
    subject: str = "",
    text: str = "",
    html: str = "",
    direction: str = "out",
    attachments: Sequence[int] = (),
    cc: list[dict[str, str]] | None = None,
    bcc: list[dict[str, str]] | None = None,
    status: str | None = None,
    assignee: Agent | None = None,
    team: Team | None = None,
    tags: Sequence[str] = (),
    priority: str | None = None,
    external_id: str | None = None,
    client_id: str | None = None,
    signed: bool = True,
    undoable: bool = False,
    draft: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Ticket:
    """Open a ticket with its first message: `out` writes to the customer, `in` records what they said.

    The customer is given, or found or made by `identity`. `signed`, `undoable`, `draft` and `options` are as for a
    reply. The same `client_id` again returns the first ticket, or is refused if it comes with something else. Raises
    ActionError.
    """
    party = _party(customer, identity, channel)
    to = [{"name": party.name or (customer.name if customer else ""), "address": party.value}]
    kind = "reply" if direction == "out" else "said"
    digest = asked_by(text, html, (to, cc, bcc), attachments, subject, kind, options=options)
    try:
        with transaction.atomic():
            first = already(by, client_id, digest)
            if first is not None:
                return first.ticket
            ticket = begin(
                by=by,
                channel=channel,
                customer=customers.ensure_identity(party).customer if customer is None else customer,
                party=party,
                subject=subject,
                assignee=assignee,
                team=team,
                tags=tags,
                priority=priority,
                external_id=external_id,
            )
            if direction == "out":
                reply(
                    ticket,
                    by=by,
                    text=text,
                    html=html,
                    channel=channel,
                    to=[{"name": party.name or ticket.customer.name, "address": party.value}],
                    cc=cc,
                    bcc=bcc,
                    subject=subject,
                    attachments=attachments,
                    status=status,
                    client_id=client_id,
                    signed=signed,
                    undoable=undoable,
                    draft=draft,
                    options=options,
                )
            else:
                ticket.refresh_from_db()
                message = inbound_by_hand(ticket, party, by=by, text=text, html=html, subject=subject)
                message.payload = once(client_id, digest)
                message.save(update_fields=["payload"])
                client_key(message, by, client_id)
                if status is not None:
                    set_status(ticket, status, by=by)
            base.announce([ticket.pk])
    except IntegrityError:  # of two clicks at once the second met the first one's id
        first = already(by, client_id, digest)
        if first is None:
            raise
        return first.ticket
    ticket.refresh_from_db()
    return ticket


def begin(
    *,
    by: Agent | None,
    channel: Channel,
    customer: Customer,
    party: Party | None,
    subject: str,
    assignee: Agent | None = None,
    team: Team | None = None,
    tags: Sequence[str] = (),
    priority: str | None = None,
    external_id: str | None = None,
) -> Ticket:
    """A ticket of this customer in which nothing is said yet, `party` its requester; call it inside a transaction."""
    ticket = Ticket.objects.create(
        customer=customer,
        organisation_id=customer.organisation_id,
        channel=channel,
        reply_channel=channel,
        subject=" ".join(subject.split())[:SUBJECT_LENGTH],
        priority=priority or Priority.NORMAL,
        assignee=assignee,
        team=team or channel.default_team,
        external_id=external_id,
    )
    log.record(ticket, "ticket_created", by=by, channel=channel.pk, **states.at_first(ticket))
    if party is not None:
        customers.join(ticket, party, by=by, role=ParticipantRole.REQUESTER)
    if tags:
        set_tags(ticket, tags, by=by)
    return ticket


def inbound_by_hand(ticket: Ticket, party: Party, *, by: Agent | None, text: str, html: str, subject: str) -> Message:
    """The customer's first message of a ticket that somebody opened on their behalf; call it inside the transaction."""
    now = timezone.now()
    message = Message.objects.create(
        ticket=ticket,
        first_ticket=ticket,
        direction=Direction.IN,
        origin=Origin.CHANNEL,
        channel=ticket.channel,
        author_kind=AuthorKind.CUSTOMER,
        customer=ticket.customer,
        author_name=party.name[:200] or ticket.customer.name,
        author_address=party.value[:320],
        subject=subject[:998],
        text=text.replace("\x00", ""),
        visible_text=text.replace("\x00", ""),
        html=html.replace("\x00", ""),
        thread_rule="manual",
        created_at=now,
        received_at=now,
    )
    show(ticket, message)
    ticket.waiting_since = ticket.last_customer_message_at = now
    ticket.save()
    customers.seen({ticket.customer_id: now})
    log.record(ticket, "message_received", by=by, message=message.pk, channel=ticket.channel_id)
    return message


def _party(customer: Customer | None, identity: Party | None, channel: Channel) -> Party:
    if identity is not None:
        if identity.value.strip().lower() in adapter_for(channel.kind).own_addresses(channel):
            raise ActionError(_("That is one of our own addresses."), "own_address")
        return identity
    if customer is None:
        raise ActionError(_("Say for whom: a customer or an address."), "no_customer")
    party = customers.address_on(customer, channel)
    if party is None:
        raise ActionError(_("This customer has no address on %(channel)s.") % {"channel": channel.name}, "no_address")
    return party


def assign(
    ticket: Ticket, *, by: Agent | None, agent: Agent | Keep | None = KEEP, team: Team | Keep | None = KEEP
) -> Ticket:
    """Give a ticket to an agent, a team, both or nobody (None)."""
    with base.locked(ticket) as row:
        before = {"from": row.assignee_id, "team_from": row.team_id}
        if not isinstance(agent, Keep):
            row.assignee = agent
        if not isinstance(team, Keep):
            row.team = team
        after = {"to": row.assignee_id, "team_to": row.team_id}
        if list(before.values()) != list(after.values()):
            log.record(row, "assigned", by=by, **before, **after)
            base.save(row, "assignee", "team")
        return row


def set_status(ticket: Ticket, status: str, *, by: Agent | None) -> Ticket:
    """Set the status; solving ends a snooze and the wait, re-opening counts. Raises FieldsMissing, of people alone."""
    with base.locked(ticket) as row:
        solving.check(row, status, by=by)
        fields = change_status(row, status, by=by)
        if fields:
            base.save(row, *fields)
        return row


def set_priority(ticket: Ticket, priority: str, *, by: Agent | None) -> Ticket:
    if priority not in Priority.values:
        raise ActionError(_("There is no such priority."), "priority")
    with base.locked(ticket) as row:
        if row.priority != priority:
            log.record(row, "priority_changed", by=by, **{"from": row.priority, "to": priority})
            row.priority = priority
            base.save(row, "priority")
        return row


def set_subject(ticket: Ticket, subject: str, *, by: Agent | None) -> Ticket:
    with base.locked(ticket) as row:
        clean = " ".join(subject.split())[:SUBJECT_LENGTH]
        if row.subject != clean:
            log.record(row, "subject_changed", by=by)
            row.subject = clean
            base.save(row, "subject")
        return row


def set_tags(ticket: Ticket, tags: Sequence[str], *, by: Agent | None) -> Ticket:
    """Replace the tags; new names become known. Spacing is folded, order is kept, repeats are dropped."""
    clean = list(dict.fromkeys(name for tag in tags if (name := " ".join(tag.split())[:80])))[:MAX_TAGS]
    with base.locked(ticket) as row:
        added = [name for name in clean if name not in row.tags]
        removed = [name for name in row.tags if name not in clean]
        if added or removed:
            Tag.objects.bulk_create([Tag(name=name) for name in added], ignore_conflicts=True)
            ids = dict(Tag.objects.filter(name__in=[*added, *removed]).values_list("name", "pk"))
            log.record(
                row,
                "tags_changed",
                by=by,
                added=[ids[name] for name in added if name in ids],
                removed=[ids[name] for name in removed if name in ids],
            )
            row.tags = clean
            base.save(row, "tags")
        return row


def set_fields(ticket: Ticket, *, by: Agent | None, **changes: Any) -> Ticket:
    """Set what has no rules of its own: type, severity, topic, attributes, external_id, due_at, language.

    A language that is chosen stays, whatever customers write in. Raises ValueError for another field.
    """
    if unknown := set(changes) - FIELDS:
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    with base.locked(ticket) as row:
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            log.record(row, "fields_changed", by=by, fields=sorted(changed))
            if "language" in changed:
                row.language_chosen = bool(row.language)
                changed.append("language_chosen")
            base.save(row, *changed)
        return row


def set_attributes(ticket: Ticket, changes: dict[str, Any], *, by: Agent | None) -> Ticket:
    """Set these attributes and leave the others; one that is empty goes."""
    with base.locked(ticket) as row:
        return set_fields(row, by=by, attributes=merged(row.attributes, changes))


def change_tags(ticket: Ticket, *, by: Agent | None, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
    """Add and take away single tags, whatever others do to the rest meanwhile."""
    with base.locked(ticket) as row:
        return set_tags(row, [*(name for name in row.tags if name not in remove), *add], by=by)


def set_spam(ticket: Ticket, spam: bool, *, by: Agent | None, afresh: bool = True) -> Ticket:
    """Put a ticket among the spam, where nothing wakes anybody and no reply waits; or bring it back (`release`).

    Not `afresh`: one that comes back is as it was, still solved where nobody wrote since, and not as if it were new.
    """
    with transaction.atomic():
        if spam:
            withdrawing.cancel_waiting(ticket, by=by)
        with base.locked(ticket, even_if_closed=True, even_if_trashed=True) as row:
            if row.spam == spam:
                return row
            log.record(row, "spam_changed", by=by, spam=spam)
            row.spam = spam
            fields = ["spam"]
            spoke, solved = row.last_customer_message_at, row.solved_at
            afresh = afresh or bool(spoke and solved and spoke > solved)
            if not spam and afresh and row.status != Status.CLOSED:  # as if it had just come
                row.snoozed_until = None
                fields += ["snoozed_until", *change_status(row, Status.OPEN, by=by, why="spam")]
            base.save(row, *fields)
            if not spam:
                counts.recount(row)
            return row


def snooze(ticket: Ticket, until: datetime | None, *, by: Agent | None) -> Ticket:
    """Put a ticket away until a time, or bring it back (None)."""
    if until is not None and until <= timezone.now():
        raise ActionError(_("That time is over."), "past")
    with base.locked(ticket) as row:
        if row.snoozed_until != until:
            log.record(row, "snoozed", by=by, until=until.isoformat() if until else None)
            row.snoozed_until, row.woke_at = until, None
            base.save(row, "snoozed_until", "woke_at")
        return row
