"""Taking in a batch: customers, tickets and messages for many receipts in one transaction and a fixed number of queries.

A batch of one is the ordinary case, a batch of fifty the fast one. Locks are taken in one order everywhere (receipts,
senders, tickets), so that two workers never wait for each other in a circle.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from inbox import log, threads
from inbox.actions import base
from inbox.adapters import Adapter, Inbound, Party
from inbox.models import (
    PREVIEW_LENGTH,
    SUBJECT_LENGTH,
    ActorKind,
    Attachment,
    AuthorKind,
    Channel,
    Customer,
    Direction,
    Event,
    Identity,
    LinkKind,
    Message,
    MessageCopy,
    MessageKey,
    Participant,
    ParticipantRole,
    Receipt,
    Status,
    Ticket,
    TicketLink,
)

MAX_PARTICIPANTS = 50  # of one message; the rest stays readable in its recipients
MERGE_HOPS = 20
TICKET_FIELDS = (
    "status",
    "snoozed_until",
    "language",
    "message_count",
    "last_message_at",
    "last_direction",
    "preview",
    "reply_channel",
    "waiting_since",
    "last_customer_message_at",
    "solved_at",
    "reopen_count",
    "updated_at",
)

Address = tuple[str, str, str]  # kind, scope, value


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an inbound message, already in storage."""

    name: str
    content_type: str
    size: int
    digest: str
    stored: str
    inline: bool
    content_id: str


@dataclass(frozen=True, slots=True)
class Work:
    """One parsed message and the receipt it came in."""

    receipt: Receipt
    channel: Channel
    adapter: Adapter
    inbound: Inbound
    files: tuple[StoredFile, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of one receipt. `ticket` and `message` are ids; `status` is as `receive_email` prints it."""

    receipt_id: int
    status: str
    reason: str = ""
    ticket: int | None = None
    message: int | None = None
    rule: str = ""
    detail: str = ""
    inbound: Inbound | None = None


@dataclass(slots=True)
class _New:
    customers: list[Customer] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    links: list[TicketLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    keys: list[MessageKey] = field(default_factory=list)
    copies: list[MessageCopy] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


def address_of(party: Party) -> Address:
    return party.kind, party.scope, party.value


def one_line(text: str, length: int) -> str:
    return " ".join(text[: length * 4].split())[:length]


def wire(parties: Iterable[Party]) -> list[dict[str, str]]:
    """Recipients as they are frozen on the message."""
    return [{"name": party.name, "address": party.value} for party in parties]


class Batch:
    """One transaction's worth of messages. Make it inside the transaction, then call `run` once.

    `own` are our own addresses, which are never a customer.
    """

    def __init__(self, works: Sequence[Work], own: frozenset[str]) -> None:
        self.works = works
        self.own = own
        self.now = timezone.now()
        self.new = _New()
        self.events: list[tuple[Event, Ticket, dict[str, Message | Customer]]] = []
        self.changed: dict[int, Ticket] = {}
        self.outcomes: list[Outcome] = []
        self._pending: list[tuple[Outcome, Ticket | None, Message | None]] = []

    # What the database is asked beforehand ------------------------------------------------------------------------

    def prefetch(self) -> None:
        self._find_senders()
        self._find_duplicates()
        self._find_tickets()

    def sender(self, inbound: Inbound) -> Party | None:
        """Who wrote: From; for mail from one of our own addresses (a contact form) the first Reply-To that is not ours."""
        if inbound.sender is not None and inbound.sender.value not in self.own:
            return inbound.sender
        return next((party for party in inbound.reply_to if party.value not in self.own), None)

    def others(self, inbound: Inbound) -> list[Party]:
        sender = self.sender(inbound)
        found = {address_of(party): party for party in (*inbound.to, *inbound.cc) if party.value not in self.own}
        if sender is not None:
            found.pop(address_of(sender), None)
        return list(found.values())[:MAX_PARTICIPANTS]

    def _find_senders(self) -> None:
        parties: dict[Address, Party] = {}
        for work in self.works:
            for party in (self.sender(work.inbound), *self.others(work.inbound)):
                if party is not None:
                    parties.setdefault(address_of(party), party)
        self.identities = self._identities(parties)
        missing = sorted(address for address in parties if address not in self.identities)
        if missing:
            # Somebody else may be making the same customers right now: wait for them, then look again.
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(20002, k) FROM unnest(%s::int[]) AS k ORDER BY k",
                    [sorted({zlib.crc32(repr(address).encode()) - 2**31 for address in missing})],
                )
            self.identities.update(self._identities(dict.fromkeys(missing)))
        for address in missing:
            if address not in self.identities:
                self._new_identity(parties[address])

    def _identities(self, addresses: Iterable[Address]) -> dict[Address, Identity]:
        values = {value for _, _, value in addresses}
        found = Identity.objects.active().filter(value__in=values).select_related("customer", "customer__merged_into")
        return {(identity.kind, identity.scope, identity.value): identity for identity in found}

    def _new_identity(self, party: Party) -> None:
        customer = Customer(name=party.name[:200] or party.value.split("@")[0][:200], created_at=self.now)
        identity = Identity(
            customer=customer,
            kind=party.kind,
            scope=party.scope,
            value=party.value[:320],
            name=party.name[:200],
            verified_at=self.now,
            verified_how="channel",
        )
        self.new.customers.append(customer)
        self.new.identities.append(identity)
        self.identities[address_of(party)] = identity

    def _find_duplicates(self) -> None:
        keys = {work.inbound.key for work in self.works}
        scopes = {work.inbound.scope for work in self.works}
        found = MessageKey.objects.filter(scope__in=scopes, key__in=keys).select_related("message")
        self.seen: dict[tuple[str, str], Message] = {(key.scope, key.key): key.message for key in found}

    def _find_tickets(self) -> None:
        references = {ref for work in self.works for ref in threads.referenced(work.inbound)}
        rows = (
            Message.objects.filter(external_id__in=references).values_list("external_id", "ticket_id", "subject")
            if references
            else []
        )
        self.references: dict[str, list[tuple[Ticket | int, str]]] = defaultdict(list)
        for external_id, ticket_id, subject in rows:
            self.references[external_id].append((ticket_id, subject))
        wanted = {ticket for known in self.references.values() for ticket, _ in known if isinstance(ticket, int)}
        for work in self.works:
            wanted.update(work.inbound.payload.get("signed_tickets", ()))
            wanted.update(threads.numbers_in(work.inbound.subject))
        self.session: dict[tuple[int, Address], int] = {}
        self.thread_keys: dict[tuple[int, str], Ticket | int] = {}
        self._find_sessions(wanted)
        self.tickets = self._lock(wanted)
        self.participants: dict[int, set[Address]] = defaultdict(set)
        for number, kind, scope, value in Participant.objects.filter(ticket__in=self.tickets, confirmed=True).values_list(
            "ticket_id", "identity__kind", "identity__scope", "identity__value"
        ):
            self.participants[number].add((kind, scope, value))

    def _find_sessions(self, wanted: set[int]) -> None:
        """For messengers: the customer's open ticket on that channel, and the tickets of comment threads and sessions."""
        joining = [work for work in self.works if work.adapter.joins_open_ticket]
        customers = {
            identity.customer_id: (work.channel.pk, address_of(party))
            for work in joining
            if (party := self.sender(work.inbound)) and (identity := self.identities[address_of(party)]).pk
        }
        if customers:
            for number, customer, channel in (
                Ticket.objects.current()
                .filter(customer__in=customers, channel__in={work.channel.pk for work in joining})
                .exclude(status=Status.CLOSED)
                .order_by("number")
                .values_list("number", "customer_id", "channel_id")
            ):
                if customers[customer][0] == channel:
                    self.session[customers[customer]] = number
                    wanted.add(number)
        keyed = {work.inbound.thread_key for work in self.works if work.inbound.thread_key}
        if keyed:
            for number, channel, key in Ticket.objects.filter(thread_key__in=keyed).values_list(
                "number", "channel_id", "thread_key"
            ):
                self.thread_keys[channel, key] = number
                wanted.add(number)

    def _lock(self, numbers: Iterable[int]) -> dict[int, Ticket]:
        """These tickets and those they were merged into, locked in the order of their numbers."""
        found: dict[int, Ticket] = {}
        wanted = {number for number in numbers if 0 < number < 2**63}
        for _hop in range(MERGE_HOPS):
            if not wanted:
                break
            rows = Ticket.objects.select_for_update(no_key=True).filter(number__in=wanted).order_by("number")
            found.update({ticket.number: ticket for ticket in rows})
            wanted = {t.merged_into_id for t in found.values() if t.merged_into_id and t.merged_into_id not in found}
        return found

    # What the decision asks ---------------------------------------------------------------------------------------

    def ticket(self, number: Ticket | int) -> Ticket | None:
        """A ticket by number, with merges followed; a ticket made in this batch is handed over as it is."""
        found = self.tickets.get(number) if isinstance(number, int) else number
        for _hop in range(MERGE_HOPS):
            if found is None or found.merged_into_id is None:
                break
            found = self.tickets.get(found.merged_into_id)
        return found

    def _by_reference(self, reference: str) -> Iterable[threads.Known]:
        for number, subject in self.references.get(reference, ()):
            ticket = self.ticket(number)
            if ticket is not None:
                yield threads.Known(ticket, subject)

    def _members(self, ticket: Ticket) -> set[Address]:
        return self.participants[ticket.number or -id(ticket)]

    def _takes_part(self, ticket: Ticket, party: Party | None) -> bool:
        return party is not None and address_of(party) in self._members(ticket)

    # The work -----------------------------------------------------------------------------------------------------

    def run(self) -> list[Outcome]:
        self.prefetch()
        for work in self.works:
            self._take_in(work)
        self._flush()
        return self.outcomes

    def _take_in(self, work: Work) -> None:
        inbound = work.inbound
        seen = self.seen.get((inbound.scope, inbound.key))
        if seen is not None:
            if seen.channel_id != work.channel.pk:
                self.new.copies.append(
                    MessageCopy(message=seen, channel=work.channel, receipt=work.receipt, received_at=self.now)
                )
            self._done(work, "duplicate", seen.ticket, seen)
            return
        party = self.sender(inbound)
        identity = self.identities[address_of(party)] if party else None
        customer = self._customer(identity, party)
        lookup = threads.Lookup(
            ticket=self.ticket,
            by_reference=self._by_reference,
            takes_part=lambda ticket, _sender: self._takes_part(ticket, party),
            by_thread_key=lambda key: self._maybe(self.thread_keys.get((work.channel.pk, key))),
            open_ticket_of=lambda _customer: self._maybe(
                self.session.get((work.channel.pk, address_of(party))) if party else None
            ),
        )
        days = work.channel.reopen_days
        decision = threads.decide(
            inbound,
            lookup,
            customer=customer,
            joins_open_ticket=work.adapter.joins_open_ticket,
            reopen_days=work.adapter.reopen_days if days is None else days,
            now=self.now,
        )
        ticket = decision.ticket
        created = ticket is None
        if ticket is None:
            ticket = self._new_ticket(work, customer, decision)
        unverified = decision.unverified and not created
        message = self._new_message(work, ticket, customer, party, decision, unverified)
        self._people(work, ticket, identity, unverified, created)
        self._count(ticket, message, work, decision, customer)
        self.seen[inbound.scope, inbound.key] = message
        if inbound.external_id:
            self.references[inbound.external_id].append((ticket, inbound.subject))
        outcome = self._done(work, "created" if created else "appended", ticket, message)
        outcome.rule, outcome.detail = decision.rule, decision.detail

    def _maybe(self, number: Ticket | int | None) -> Ticket | None:
        return None if number is None else self.ticket(number)

    def _customer(self, identity: Identity | None, party: Party | None) -> Customer:
        if identity is None:
            customer = Customer(name="", created_at=self.now)
            self.new.customers.append(customer)
            return customer
        customer = identity.customer
        while customer.merged_into is not None:
            customer = customer.merged_into
        return customer

    def _new_ticket(self, work: Work, customer: Customer, decision: threads.Decision) -> Ticket:
        at = self._at(work)
        ticket = Ticket(
            customer=customer,
            organisation_id=customer.organisation_id,
            channel=work.channel,
            reply_channel=work.channel,
            team_id=work.channel.default_team_id,
            subject=one_line(work.inbound.subject, SUBJECT_LENGTH),
            language=work.inbound.language,
            thread_key=work.inbound.thread_key[:200],
            created_at=at,
            last_message_at=at,
            updated_at=self.now,
        )
        self.new.tickets.append(ticket)
        self._event(ticket, "ticket_created", work, customer, channel=work.channel.pk)
        if work.adapter.joins_open_ticket:
            party = self.sender(work.inbound)
            if party:
                self.session[work.channel.pk, address_of(party)] = ticket  # type: ignore[assignment]
        if ticket.thread_key:
            self.thread_keys[work.channel.pk, ticket.thread_key] = ticket
        if decision.follow_up_of is not None:
            self.new.links.append(
                TicketLink(source=ticket, target=decision.follow_up_of, kind=LinkKind.FOLLOW_UP, created_at=self.now)
            )
            self._event(ticket, "follow_up_of", work, customer, of=decision.follow_up_of.pk)
        return ticket

    def _at(self, work: Work) -> datetime:
        return min(work.inbound.at or work.receipt.at, self.now)

    def _new_message(
        self,
        work: Work,
        ticket: Ticket,
        customer: Customer,
        party: Party | None,
        decision: threads.Decision,
        unverified: bool,
    ) -> Message:
        inbound = work.inbound
        writer = party or inbound.sender
        message = Message(
            ticket=ticket,
            first_ticket=ticket,
            direction=Direction.IN,
            channel=work.channel,
            receipt=work.receipt,
            author_kind=AuthorKind.CUSTOMER,
            customer=customer,
            author_name=(writer.name if writer else "")[:200],
            author_address=(writer.value if writer else "")[:320],
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
            external_id=inbound.external_id[:998],
            in_reply_to=inbound.in_reply_to[:998],
            references=[reference[:998] for reference in inbound.references],
            thread_rule=decision.rule,
            thread_detail=decision.detail[:300],
            created_at=self._at(work),
            received_at=work.receipt.received_at,
        )
        self.new.messages.append(message)
        self.new.keys.append(MessageKey(scope=inbound.scope, key=inbound.key, message=message))
        self.new.attachments.extend(
            Attachment(
                message=message,
                name=file.name,
                content_type=file.content_type[:127],
                size=file.size,
                digest=file.digest,
                stored=file.stored,
                inline=file.inline,
                content_id=file.content_id[:255],
                created_at=self.now,
            )
            for file in work.files
        )
        self._event(ticket, "message_received", work, customer, message=message, channel=work.channel.pk, kind=inbound.kind)
        return message

    def _people(self, work: Work, ticket: Ticket, identity: Identity | None, unverified: bool, created: bool) -> None:
        members = self._members(ticket)
        if identity is not None and (address := (identity.kind, identity.scope, identity.value)) not in members:
            role = ParticipantRole.REQUESTER if created else ParticipantRole.CC
            self._join(ticket, identity, role, confirmed=not unverified)
            if not unverified:
                members.add(address)
        if unverified:
            return  # a stranger's mail brings nobody else in
        for party in self.others(work.inbound):
            if address_of(party) not in members:
                members.add(address_of(party))
                self._join(ticket, self.identities[address_of(party)], ParticipantRole.CC, confirmed=True)

    def _join(self, ticket: Ticket, identity: Identity, role: str, confirmed: bool) -> None:
        self.new.participants.append(
            Participant(ticket=ticket, identity=identity, role=role, confirmed=confirmed, since=self.now)
        )

    def _count(
        self, ticket: Ticket, message: Message, work: Work, decision: threads.Decision, customer: Customer
    ) -> None:
        """Keep on the ticket what its row in a list shows."""
        ticket.message_count += 1
        ticket.last_message_at = max(ticket.last_message_at, message.created_at)
        ticket.last_direction = Direction.IN
        ticket.preview = one_line(message.visible_text or message.text, PREVIEW_LENGTH)
        ticket.updated_at = self.now
        if not ticket.language_chosen and message.language:
            ticket.language = message.language
        if message.kind == "message":
            ticket.reply_channel = work.channel
            ticket.last_customer_message_at = message.created_at
            ticket.waiting_since = ticket.waiting_since or message.created_at
            self._open_again(ticket, work, decision, customer)
        if ticket.pk:
            self.changed[ticket.pk] = ticket

    def _open_again(self, ticket: Ticket, work: Work, decision: threads.Decision, customer: Customer) -> None:
        before = ticket.status
        if before == Status.OPEN and ticket.snoozed_until is None:
            return
        ticket.snoozed_until = None
        if before == Status.OPEN or (before in {Status.SOLVED, Status.CLOSED} and not decision.reopens):
            return
        ticket.status = Status.OPEN
        if decision.reopens:
            ticket.reopen_count += 1
            ticket.solved_at = None
            self._event(ticket, "reopened", work, customer, was=before)
        self._event(ticket, "status_changed", work, customer, **{"from": before, "to": Status.OPEN.value})

    def _event(self, ticket: Ticket, what: str, work: Work, customer: Customer, /, **data: Any) -> None:
        later = {key: value for key, value in data.items() if isinstance(value, Message)}
        now = {key: value for key, value in data.items() if key not in later}
        event = log.line(ticket, what, actor=(ActorKind.CUSTOMER, None), at=self.now, **now)
        self.events.append((event, ticket, {**later, "": customer}))

    def _done(self, work: Work, status: str, ticket: Ticket, message: Message) -> Outcome:
        outcome = Outcome(work.receipt.pk, status, inbound=work.inbound)
        self.outcomes.append(outcome)
        self._pending.append((outcome, ticket, message))
        return outcome

    def _flush(self) -> None:
        """Write everything, parents first; ids become known on the way."""
        new = self.new
        Customer.objects.bulk_create(new.customers)
        Identity.objects.bulk_create(new.identities)
        Ticket.objects.bulk_create(new.tickets)
        TicketLink.objects.bulk_create(new.links)
        Message.objects.bulk_create(new.messages)
        MessageKey.objects.bulk_create(new.keys)
        Participant.objects.bulk_create(new.participants, ignore_conflicts=True)
        Attachment.objects.bulk_create(new.attachments)
        MessageCopy.objects.bulk_create(new.copies, ignore_conflicts=True)
        for ticket in self.changed.values():
            ticket.save(update_fields=TICKET_FIELDS)
        for event, ticket, later in self.events:
            event.ticket = ticket
            event.actor_id = later[""].pk
            for key, thing in later.items():
                if key:
                    event.data[key] = thing.pk
        log.record_all(event for event, _, _ in self.events)
        for outcome, ticket, message in self._pending:
            outcome.ticket = ticket.pk if ticket else None
            outcome.message = message.pk if message else None
        base.announce(
            {ticket.pk for ticket in [*new.tickets, *self.changed.values()]}, {message.pk for message in new.messages}
        )
