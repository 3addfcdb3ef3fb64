"""Taking in a batch: customers, tickets and messages for many receipts, in one transaction and few queries.

A batch of one is the ordinary case, a batch of fifty the fast one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F, Func, Value
from django.utils import timezone

from inbox import bulk, log, threads, wake
from inbox.actions import base, counts, reach, states, written
from inbox.actions import customers as customer_actions
from inbox.actions.surroundings import Surroundings
from inbox.actions.work import Outcome, Work, one_line
from inbox.adapters import AUTOMATIC, Adapter, Arrival, Party
from inbox.models import (
    SUBJECT_LENGTH,
    ActorKind,
    Attachment,
    Block,
    BlockKind,
    Channel,
    Customer,
    Direction,
    Event,
    Identity,
    LinkKind,
    Message,
    MessageCopy,
    MessageKey,
    Origin,
    Participant,
    ParticipantRole,
    RemoteFile,
    SideConversation,
    Status,
    Team,
    Ticket,
    TicketLink,
)
from inbox.previews import preview, title

TICKET_FIELDS = (
    "status",
    "trashed_at",
    "snoozed_until",
    "woke_at",
    "language",
    "message_count",
    "last_message_at",
    "last_direction",
    "preview",
    "reply_channel",
    "waiting_since",
    "last_customer_message_at",
    "created_at",
    "first_replied_at",
    "solved_at",
    "reopen_count",
    "updated_at",
)


@dataclass(slots=True)
class _New:
    customers: list[Customer] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    links: list[TicketLink] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    keys: list[MessageKey] = field(default_factory=list)
    copies: list[MessageCopy] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    remote: list[RemoteFile] = field(default_factory=list)


class Batch:
    """One transaction's worth of messages. Make it inside the transaction, then call `run` once.

    `own` are our own addresses, which are never a customer.
    """

    def __init__(self, works: Sequence[Work], own: frozenset[str]) -> None:
        self.works = works
        self.now = timezone.now()
        self.around = Surroundings(works, own, self.now)
        self.new = _New()
        self.events: list[tuple[Event, Ticket, Customer, Message | None]] = []
        self.changed: dict[int, Ticket] = {}
        self.answered: dict[int, datetime] = {}  # side conversations, and when
        self.hits: Counter[int] = Counter()  # of blocks
        self.copied: set[tuple[int, int]] = set()  # (ticket, channel that got a copy)
        self.outcomes: list[tuple[Outcome, Ticket, Message]] = []
        self.arrivals: dict[Adapter, list[Arrival]] = {}
        self.renamed: dict[int, tuple[int, str, str]] = {}  # by identity: whose, and from what to what
        self.claims: list[tuple[Customer, Sequence[Party]]] = []
        self.disordered: dict[int, Ticket] = {}
        self.heard: list[tuple[Channel, Identity, datetime]] = []  # on messengers, and when

    def run(self) -> list[Outcome]:
        for work in self.works:
            self._take_in(work)
        self._flush()
        return [outcome for outcome, _, _ in self.outcomes]

    def _take_in(self, work: Work) -> None:
        inbound = work.inbound
        seen = self.around.seen.get((inbound.scope, inbound.key))
        if seen is not None:
            self._repeated(work, seen)
            return
        party = self.around.sender(inbound)
        identity = self.around.identity(party)
        customer = self._customer(identity)
        days = work.channel.reopen_days
        decision = threads.decide(
            inbound,
            self.around.lookup(work, party),
            joins_open_ticket=work.adapter.joins_open_ticket,
            reopen_days=work.adapter.reopen_days if days is None else days,
            now=self.now,
        )
        block = self.around.block(party) if decision.side is None else None
        if block is not None:
            decision = self._blocked(block, decision)
        ticket = decision.ticket or self._new_ticket(work, customer, decision)
        created = decision.ticket is None
        unverified = decision.unverified and not created
        message = self._new_message(work, ticket, customer, party, decision, unverified)
        if created and work.adapter.messenger and not ticket.subject:
            ticket.subject = title(message)
        if message.side_id is not None:
            self._aside(ticket, message, customer)
        else:
            self._people(work, ticket, identity, unverified, created)
            if inbound.echo:
                self._answered(ticket, message, work, customer)
            else:
                self._count(ticket, message, work, decision, customer)
        if identity is not None and work.adapter.messenger and not inbound.echo and inbound.kind not in AUTOMATIC:
            if not (inbound.thread_key and work.adapter.window):  # what is said in public opens no window
                self.heard.append((work.channel, identity, message.created_at))
            newest = message.created_at >= ticket.last_message_at
            if newest and identity.pk and party is not None and party.name and party.name != identity.name:
                before = identity.name or identity.value  # which stood in for it
                self.renamed[identity.pk] = (identity.customer_id, before, party.name[:200])
        if inbound.claims and not ticket.spam:
            self.claims.append((customer, inbound.claims))
        self.around.remember(work, ticket, message)
        self.arrivals.setdefault(work.adapter, []).append(Arrival(message, ticket, work.receipt, inbound.picture))
        outcome = self._done(work, "created" if created else "appended", ticket, message)
        outcome.rule, outcome.detail = decision.rule, decision.detail

    def _blocked(self, block: Block, decision: threads.Decision) -> threads.Decision:
        """What somebody writes who is blocked goes among the spam, beside what it answers; never into it."""
        self.hits[block.pk] += 1
        why = block.value if block.kind == BlockKind.DOMAIN else ""
        if decision.ticket is not None and decision.ticket.spam:
            return replace(decision, reopens=False)
        before = decision.ticket or decision.follow_up_of
        return threads.Decision("blocked", why, follow_up_of=before, spam=True)

    def _repeated(self, work: Work, seen: Message) -> None:
        if seen.channel_id != work.channel.pk:
            self.new.copies.append(
                MessageCopy(message=seen, channel=work.channel, receipt=work.receipt, received_at=self.now)
            )
            if seen.ticket.pk:
                self.copied.add((seen.ticket.pk, work.channel.pk))
            elif work.channel.pk not in seen.ticket.also_channels:
                seen.ticket.also_channels.append(work.channel.pk)
        outcome = self._done(work, "duplicate", seen.ticket, seen)
        held = (seen.customer, seen.ticket.customer, seen.ticket)
        if any(one is not None and one.erased_at is not None for one in held):
            outcome.erased = tuple(file.stored for file in work.files)

    def _customer(self, identity: Identity | None) -> Customer:
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
            team_id=self._team(work, decision),
            subject=one_line(work.inbound.subject, SUBJECT_LENGTH),
            spam=decision.spam,
            language=work.inbound.language,
            thread_key=work.inbound.thread_key[:200],
            created_at=at,
            last_message_at=at,
            updated_at=self.now,
        )
        self.new.tickets.append(ticket)
        self._event(ticket, "ticket_created", customer, channel=work.channel.pk, **states.at_first(ticket))
        if decision.spam:
            self._event(ticket, "spam_changed", customer, spam=True, reason="blocked")
        if decision.follow_up_of is not None:
            self.new.links.append(
                TicketLink(source=ticket, target=decision.follow_up_of, kind=LinkKind.FOLLOW_UP, created_at=self.now)
            )
            self._event(ticket, "follow_up_of", customer, of=decision.follow_up_of.pk)
        return ticket

    def _team(self, work: Work, decision: threads.Decision) -> int | None:
        """The channel's team, unless this goes on with what a private team has: its quotes are for that team alone."""
        before = decision.follow_up_of
        if before is not None and before.team_id and Team.objects.filter(pk=before.team_id, private=True).exists():
            return before.team_id
        return work.channel.default_team_id

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
        message = written.message(work, ticket, customer, party, decision, unverified=unverified, at=self._at(work))
        self.new.messages.append(message)
        self.new.keys.append(MessageKey(scope=inbound.scope, key=inbound.key, message=message))
        self.new.attachments.extend(written.files(work, message, self.now))
        self.new.remote.extend(written.remote(work, message, self.now))
        told = {"channel": work.channel.pk, "kind": inbound.kind}
        if inbound.echo:
            self._event(ticket, "message_added", customer, message, channel=work.channel.pk, echo=True)
        elif decision.side is not None:
            self._event(ticket, "side_message_received", customer, message, side=decision.side, **told)
        else:
            self._event(ticket, "message_received", customer, message, **told)
        return message

    def _aside(self, ticket: Ticket, message: Message, writer: Customer) -> None:
        """What a third party says changes nothing that is between the customer and us, but what waited for it goes on.

        A solved ticket stays so: the side conversation is marked as answered, and whoever holds it is told.
        """
        ticket.message_count += 1
        ticket.updated_at = self.now
        if message.kind not in AUTOMATIC:
            self.answered[message.side_id or 0] = self.now
            if ticket.status != Status.CLOSED and ticket.trashed_at is not None:
                ticket.trashed_at = None
                self._event(ticket, "restored", writer)
            if not ticket.is_done and ticket.snoozed_until is not None:
                self._event(ticket, "snoozed", writer, until=None)
                ticket.snoozed_until, ticket.woke_at = None, self.now
            if ticket.status == Status.ON_HOLD:
                ticket.status = Status.OPEN
                change = {"from": Status.ON_HOLD.value, "to": Status.OPEN.value}
                self._event(ticket, "status_changed", writer, side=message.side_id, **change)
        self.changed[ticket.pk] = ticket

    def _people(self, work: Work, ticket: Ticket, identity: Identity | None, unverified: bool, created: bool) -> None:
        members = self.around.members(ticket)
        if identity is not None and (address := (identity.kind, identity.scope, identity.value)) not in members:
            role = ParticipantRole.REQUESTER if created else ParticipantRole.CC
            self._join(ticket, identity, role, confirmed=not unverified)
            if not unverified:
                members.add(address)
        if unverified:
            return  # a stranger's mail brings nobody else in
        for party in self.around.others(work.inbound):
            other = self.around.identity(party)
            if other is not None and (address := (other.kind, other.scope, other.value)) not in members:
                members.add(address)
                self._join(ticket, other, ParticipantRole.CC, confirmed=True)

    def _join(self, ticket: Ticket, identity: Identity, role: str, confirmed: bool) -> None:
        self.new.participants.append(
            Participant(ticket=ticket, identity=identity, role=role, confirmed=confirmed, since=self.now)
        )

    def _count(
        self, ticket: Ticket, message: Message, work: Work, decision: threads.Decision, customer: Customer
    ) -> None:
        """Keep on the ticket what its row in a list shows; a mail that was held up may be older than what is there."""
        ticket.message_count += 1
        late = self._is_late(ticket, message, work)
        self._show(ticket, message)
        ticket.updated_at = self.now
        if not ticket.language_chosen and message.language and not late:
            ticket.language = message.language
        if message.kind not in AUTOMATIC:
            if ticket.last_customer_message_at is None or message.created_at >= ticket.last_customer_message_at:
                ticket.last_customer_message_at = message.created_at
                ticket.reply_channel = work.channel
            self._open_again(ticket, work, decision, customer)
            if not ticket.is_done:  # spam that is solved stays so
                ticket.waiting_since = min(ticket.waiting_since or message.created_at, message.created_at)
        if ticket.pk:
            self.changed[ticket.pk] = ticket

    def _answered(self, ticket: Ticket, message: Message, work: Work, customer: Customer) -> None:
        """Somebody of us answered in the platform's own app."""
        ticket.message_count += 1
        ticket.updated_at = self.now
        self._is_late(ticket, message, work)
        self._show(ticket, message)
        asked = ticket.last_customer_message_at
        if asked is not None and asked <= message.created_at:
            ticket.waiting_since = None
            ticket.first_replied_at = ticket.first_replied_at or message.created_at
            becomes = str(settings.AFTER_REPLY_STATUS)
            if ticket.status == Status.OPEN and becomes == Status.PENDING:
                ticket.status = becomes
                told = {"from": Status.OPEN.value, "to": becomes, "echo": True}
                self._event(ticket, "status_changed", customer, **told)
        if ticket.pk:
            self.changed[ticket.pk] = ticket

    def _is_late(self, ticket: Ticket, message: Message, work: Work) -> bool:
        """Whether a later one of the same messenger is here already: platforms keep no order after they failed."""
        late = work.adapter.messenger and message.created_at < ticket.last_message_at
        if late:
            ticket.created_at = min(ticket.created_at, message.created_at)
            self.disordered[id(ticket)] = ticket
        return late

    def _put_in_order(self) -> None:
        """Where answers from the platform's own app came before what they answer, count anew who waits for whom."""
        numbers = [ticket.pk for ticket in self.disordered.values()]
        answers = Message.objects.filter(ticket__in=numbers, origin=Origin.ECHO) if numbers else None
        for number in sorted(set(answers.values_list("ticket", flat=True)) if answers is not None else ()):
            ticket = Ticket.objects.get(pk=number)
            counts.recount(ticket)
            becomes = str(settings.AFTER_REPLY_STATUS) if ticket.waiting_since is None else Status.OPEN.value
            if {ticket.status, becomes} == {Status.OPEN, Status.PENDING}:
                log.record(ticket, "status_changed", by=None, **{"from": ticket.status, "to": becomes})
                ticket.status = becomes
                base.save(ticket, "status")

    def _show(self, ticket: Ticket, message: Message) -> None:
        """Let the ticket's row in lists show this message, unless it has a later one: some are held up on the way."""
        if message.created_at >= ticket.last_message_at:
            ticket.last_message_at = message.created_at
            ticket.last_direction = message.direction
            ticket.preview = preview(message)

    def _open_again(self, ticket: Ticket, work: Work, decision: threads.Decision, customer: Customer) -> None:
        before = ticket.status
        if ticket.trashed_at is not None and before != Status.CLOSED:
            ticket.trashed_at = None
            self._event(ticket, "restored", customer)
        if before == Status.OPEN and ticket.snoozed_until is None:
            return
        if ticket.snoozed_until is not None:
            self._event(ticket, "snoozed", customer, until=None)
            ticket.snoozed_until, ticket.woke_at = None, self.now
        if before == Status.OPEN or (before in {Status.SOLVED, Status.CLOSED} and not decision.reopens):
            return
        ticket.status = Status.OPEN
        if decision.reopens:
            ticket.reopen_count += 1
            ticket.solved_at = None
            self._event(ticket, "reopened", customer, was=before)
        self._event(ticket, "status_changed", customer, **{"from": before, "to": Status.OPEN.value})

    def _event(
        self, ticket: Ticket, kind: str, customer: Customer, message: Message | None = None, /, **data: Any
    ) -> None:
        """Of an echo, and of what follows from it, nobody knows which of us it was: `echo` says so."""
        ours = data.get("echo") or (message is not None and message.direction == Direction.OUT)
        actor = ActorKind.SYSTEM if ours else ActorKind.CUSTOMER
        event = log.line(ticket, kind, actor=(actor, None), at=self.now, **data)
        self.events.append((event, ticket, customer, message))

    def _done(self, work: Work, status: str, ticket: Ticket, message: Message) -> Outcome:
        outcome = Outcome(work.receipt.pk, status, inbound=work.inbound)
        self.outcomes.append((outcome, ticket, message))
        return outcome

    def _spoke(self) -> dict[int, datetime]:
        """When each customer wrote last in this batch."""
        found: dict[int, datetime] = {}
        for message in self.new.messages:
            if message.kind not in AUTOMATIC and message.customer is not None:
                pk = message.customer.pk
                found[pk] = max(found.get(pk, message.created_at), message.created_at)
        return found

    def _flush(self) -> None:
        """Write everything, parents first; ids become known on the way."""
        new = self.new
        customers = [*self.around.new_customers, *new.customers]
        bulk.give_ids(customers, self.around.new_identities, new.tickets, new.messages)
        for rows in (
            customers,
            self.around.new_identities,
            new.tickets,
            new.links,
            new.messages,
            new.keys,
            new.attachments,
            new.remote,
        ):
            bulk.insert(rows)
        reach.heard((channel, identity.pk, at) for channel, identity, at in self.heard)
        for pk, renaming in sorted(self.renamed.items()):
            customer_actions.renamed(pk, *renaming)
        for customer, claims in self.claims:
            customer_actions.add_claims(customer, claims)
        if new.remote:
            wake.fetch()
        customer_actions.seen(self._spoke())
        Participant.objects.bulk_create(new.participants, ignore_conflicts=True)
        MessageCopy.objects.bulk_create(new.copies, ignore_conflicts=True)
        bulk.update(list(self.changed.values()), TICKET_FIELDS)
        for pk, count in sorted(self.hits.items()):
            Block.objects.filter(pk=pk).update(hits=F("hits") + count, last_hit_at=self.now)
        for side, at in sorted(self.answered.items()):
            SideConversation.objects.filter(pk=side).update(answered=True, closed_at=None, last_message_at=at)
        for number, channel in sorted(self.copied):
            also = Func(F("also_channels"), Value(channel), function="array_append")
            Ticket.objects.filter(pk=number).exclude(also_channels__contains=[channel]).update(also_channels=also)
        for event, ticket, customer, said in self.events:
            event.ticket = ticket
            event.actor_id = customer.pk if event.actor_kind == ActorKind.CUSTOMER else None
            if said is not None:
                event.data["message"] = said.pk
        bulk.insert([event for event, _, _, _ in self.events])
        self._put_in_order()
        for outcome, ticket, message in self.outcomes:
            outcome.ticket, outcome.message = ticket.pk, message.pk
        for adapter, arrivals in self.arrivals.items():
            adapter.arrived(arrivals)
        between = [message for message in new.messages if message.side_id is None]
        base.said({message.ticket_id for message in between}, {message.pk for message in between})
        base.announce(
            {ticket.pk for ticket in [*new.tickets, *self.changed.values()]}, {message.pk for message in new.messages}
        )
