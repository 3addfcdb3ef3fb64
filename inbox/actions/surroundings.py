"""What a batch of messages needs to know before it is taken in: senders, repeats, and the tickets it may belong to.

A fixed number of queries for any batch. Tickets come locked, after senders, in the order of their numbers: the one
order of locks that keeps two workers from waiting for each other in a circle.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import connection

from inbox import locks, threads
from inbox.actions.customers import organisations_of
from inbox.actions.proving import Claims
from inbox.actions.work import Address, Work, address_of, is_ours
from inbox.adapters import Inbound, Party
from inbox.blocking import against, domains_of
from inbox.models import (
    Block,
    Customer,
    Identity,
    Message,
    MessageKey,
    MessagePart,
    Participant,
    SideConversation,
    Status,
    Ticket,
)

MAX_PARTICIPANTS = 50  # of one message; the rest stays readable in its recipients
MERGE_HOPS = 20

Referenced = tuple[Ticket | int, str, int | None, int]  # ticket, subject, side conversation, channel of a message


class Surroundings:
    """Make it inside the transaction. `own` are our own addresses, which are never a customer.

    `new_customers` and `new_identities` are those that nobody had yet; the batch saves them.
    """

    def __init__(self, works: Sequence[Work], own: frozenset[str], now: datetime) -> None:
        self.works = works
        self.own = own
        self.now = now
        self.new_customers: list[Customer] = []
        self.new_identities: list[Identity] = []
        self._find_senders()
        self._find_duplicates()
        self._leave_out_repeats()
        self._find_blocks()
        self._find_tickets()

    def sender(self, inbound: Inbound) -> Party | None:
        """Who wrote: From; for mail from our own address (a contact form) the first Reply-To that is not ours.

        Of an echo, whom we wrote to.
        """
        if inbound.echo:
            return next(iter(inbound.to), None)
        if inbound.sender is not None and not is_ours(inbound.sender.value, self.own):
            return inbound.sender
        return next((party for party in inbound.reply_to if not is_ours(party.value, self.own)), None)

    def others(self, inbound: Inbound) -> list[Party]:
        sender = self.sender(inbound)
        everybody = (*inbound.to, *inbound.cc)
        found = {address_of(party): party for party in everybody if not is_ours(party.value, self.own)}
        if sender is not None:
            found.pop(address_of(sender), None)
        return list(found.values())[:MAX_PARTICIPANTS]

    def identity(self, party: Party | None) -> Identity | None:
        """Whose address this is, saved or new."""
        return self.identities.get(address_of(party)) if party is not None else None

    def _find_senders(self) -> None:
        parties: dict[Address, Party] = {}
        for work in self.works:
            sender = self.sender(work.inbound)
            for party in (sender, *(sender.also if sender else ()), *self.others(work.inbound)):
                if party is not None:
                    parties.setdefault(address_of(party), party)
        self.identities = self._identities(parties)
        missing = sorted(address for address in parties if address not in self.identities)
        if missing:
            # Somebody else may be making the same customers right now: wait for them, then look again.
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(%s, k) FROM unnest(%s::int[]) AS k ORDER BY k",
                    [locks.SENDER, sorted({zlib.crc32(repr(address).encode()) - 2**31 for address in missing})],
                )
            self.identities.update(self._identities(dict.fromkeys(missing)))
        self._find_claims()
        self._hold()
        self.claims.verify(self.identities, self.now)
        for party in (one for one in parties.values() if one.also):
            self._known_as(party)
        for address in sorted(parties):
            if address not in self.identities:
                self._new_identity(parties[address])
        known = organisations_of(one.value for one in self.new_identities if one.kind == "email")
        for one in self.new_identities if known else ():
            one.customer.organisation = known.get(one.value.rpartition("@")[2])

    def _find_claims(self) -> None:
        """Whoever answers from an address that their ticket's customer claims to have is nobody new."""
        senders = ((self.sender(work.inbound), work.inbound) for work in self.works)
        self.claims = Claims((address_of(party), inbound) for party, inbound in senders if party is not None)
        for address, claim in self.claims.here.items():
            self.identities.setdefault(address, claim)

    def _hold(self) -> None:
        """Keep these customers from being erased until the batch is in; whoever was erased meanwhile is nobody known.

        The lock that a row of theirs would take anyway, but before tickets are locked: an erasure takes them in the
        same order.
        """
        ids = {one for found in self.identities.values() for one in (found.customer_id, found.customer.merged_into_id)}
        if ids := ids - {None}:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id, erased_at FROM inbox_customer WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
                    [sorted(ids)],
                )
                erased = {pk for pk, erased_at in cursor.fetchall() if erased_at is not None}
            self.identities = {
                address: one
                for address, one in self.identities.items()
                if one.customer_id not in erased and one.customer.merged_into_id not in erased
            }

    def _identities(self, addresses: Iterable[Address]) -> dict[Address, Identity]:
        values = {value for _, _, value in addresses}
        found = Identity.objects.active().filter(value__in=values).select_related("customer", "customer__merged_into")
        return {(identity.kind, identity.scope, identity.value): identity for identity in found}

    def _known_as(self, party: Party) -> None:
        """Somebody with several addresses is one customer: whoever has one of them already gets the others."""
        everything = (party, *party.also)
        known = next(
            (self.identities[address_of(one)] for one in everything if address_of(one) in self.identities), None
        )
        for one in everything:
            if address_of(one) not in self.identities:
                self._new_identity(one, known.customer if known else None)
                known = known or self.identities[address_of(one)]

    def _new_identity(self, party: Party, customer: Customer | None = None) -> None:
        if customer is None:
            customer = Customer(name=party.name[:200] or party.value.split("@")[0][:200], created_at=self.now)
            self.new_customers.append(customer)
        while customer.merged_into is not None:
            customer = customer.merged_into
        identity = Identity(
            customer=customer,
            kind=party.kind,
            scope=party.scope,
            value=party.value[:320],
            name=party.name[:200],
            verified_at=self.now,
            verified_how="channel",
        )
        self.new_identities.append(identity)
        self.identities[address_of(party)] = identity

    def _find_blocks(self) -> None:
        """Who of the senders is blocked: (kind of identity, scope, value), or a domain; one query for all of them."""
        parties = [party for work in self.works if (party := self.sender(work.inbound)) is not None]
        found = against((party.kind, party.value) for party in parties)
        self.blocks = {(one.identity_kind, one.scope, one.value): one for one in found}

    def block(self, party: Party | None) -> Block | None:
        """What stands against this sender."""
        if party is None or not self.blocks:
            return None
        value = party.value.lower()
        names = [(party.kind, party.scope, value), (party.kind, "", value)]
        names += [("", "", one) for one in domains_of(party.value)]
        return next((self.blocks[name] for name in names if name in self.blocks), None)

    def _find_duplicates(self) -> None:
        keys = {work.inbound.key for work in self.works}
        scopes = {work.inbound.scope for work in self.works}
        found = MessageKey.objects.filter(scope__in=scopes, key__in=keys).select_related(
            "message__customer", "message__ticket__customer"
        )
        self.seen: dict[tuple[str, str], Message] = {(key.scope, key.key): key.message for key in found}

    def _leave_out_repeats(self) -> None:
        """What repeats a known message brings in nobody: whoever was erased would be back with the next copy of theirs.

        Senders are looked for first all the same, for that waits for whoever takes in the same message right now.
        """
        if not self.seen or not self.new_identities:
            return
        needed: set[Address] = set()
        for work in self.works:
            inbound = work.inbound
            if (inbound.scope, inbound.key) not in self.seen:
                people = (self.sender(inbound), *self.others(inbound))
                needed.update(address_of(party) for party in people if party is not None)
        self.new_identities = [one for one in self.new_identities if (one.kind, one.scope, one.value) in needed]
        self.new_customers = [one.customer for one in self.new_identities]

    def _find_tickets(self) -> None:
        references = {ref for work in self.works for ref in threads.referenced(work.inbound)}
        rows = (
            Message.objects.filter(external_id__in=references).values_list(
                "external_id", "ticket_id", "subject", "side_id", "channel_id"
            )
            if references
            else []
        )
        self.references: dict[str, list[Referenced]] = defaultdict(list)
        for external_id, ticket_id, subject, side_id, channel_id in [*rows, *self._parts(references)]:
            self.references[external_id].append((ticket_id, subject, side_id, channel_id))
        wanted = {known[0] for found in self.references.values() for known in found if isinstance(known[0], int)}
        self._find_sides()
        wanted.update(self.sides.values())
        for work in self.works:
            wanted.update(work.inbound.payload.get("signed_tickets", ()))
            wanted.update(threads.numbers_in(work.inbound.subject))
        self.sessions: dict[tuple[int, Address], Ticket | int] = {}
        self.thread_keys: dict[tuple[int, str], Ticket | int] = {}
        self._find_sessions(wanted)
        self.tickets = self._lock(wanted)
        self.participants: dict[int, set[Address]] = defaultdict(set)
        for number, kind, scope, value in Participant.objects.filter(
            ticket__in=self.tickets, confirmed=True
        ).values_list("ticket_id", "identity__kind", "identity__scope", "identity__value"):
            self.participants[number].add((kind, scope, value))

    def _parts(self, references: Collection[str]) -> Iterable[tuple[str, int, str, int | None, int]]:
        """As above, of those parts of what we sent in several that are answered."""
        if not references or not any(work.adapter.messenger for work in self.works):
            return ()
        found = MessagePart.objects.filter(external_id__in=references)
        return found.values_list(
            "external_id", "message__ticket_id", "message__subject", "message__side_id", "message__channel_id"
        )

    def _find_sides(self) -> None:
        """The side conversations that signatures and references name, and with whom each is held."""
        named = {known[2] for found in self.references.values() for known in found if known[2] is not None}
        for work in self.works:
            named.update(pk for pk in work.inbound.payload.get("signed_sides", ()) if 0 < pk < 2**63)
        self.sides: dict[int, int] = {}
        self.side_members: dict[int, set[str]] = defaultdict(set)
        if not named:
            return  # the ordinary case asks nothing
        self.sides = dict(SideConversation.objects.filter(pk__in=named).values_list("pk", "ticket_id"))
        said = Message.objects.filter(side__in=self.sides, unverified=False)
        for pk, author, *people in said.values_list("side", "author_address", "to", "cc", "bcc"):
            self.side_members[pk] |= {one["address"].lower() for some in people for one in some}
            self.side_members[pk] |= {author.lower()} - {""}

    def _side(self, pk: int, party: Party | None) -> threads.Side | None:
        ticket = self.ticket(self.sides[pk]) if pk in self.sides else None
        if ticket is None:
            return None
        known = self.identity(party)
        # Whom a third party put in copy is there as well; but what the customer says is said in the ticket.
        is_customer = known is not None and known.customer_id == ticket.customer_id
        member = party is not None and party.value.lower() in self.side_members[pk] and not is_customer
        return threads.Side(pk, ticket, member)

    def _find_sessions(self, wanted: set[int]) -> None:
        """For messengers: the customer's open ticket there, and the tickets of comment threads and sessions."""
        joining = [work for work in self.works if work.adapter.joins_open_ticket]
        addresses: dict[tuple[int, int], set[Address]] = defaultdict(set)  # by customer and channel
        for work in joining:
            party = self.sender(work.inbound)
            if party is not None and (identity := self.identities[address_of(party)]).customer_id:
                addresses[identity.customer_id, work.channel.pk].add(address_of(party))
        if addresses:
            for number, customer, channel in (
                Ticket.objects.current()
                .filter(
                    customer__in={customer for customer, _ in addresses},
                    channel__in={channel for _, channel in addresses},
                    thread_key="",  # comments under a post are a matter of their own
                )
                .exclude(status=Status.CLOSED)
                .order_by("number")
                .values_list("number", "customer_id", "channel_id")
            ):
                for address in addresses.get((customer, channel), ()):
                    self.sessions[channel, address] = number
                    wanted.add(number)
        keyed = {work.inbound.thread_key for work in self.works if work.inbound.thread_key}
        if keyed:
            for number, channel, key in (
                Ticket.objects.filter(thread_key__in=keyed)
                .order_by("number")  # the newest of them is where a session goes on
                .values_list("number", "channel_id", "thread_key")
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

    def ticket(self, number: Ticket | int) -> Ticket | None:
        """A ticket by number, with merges followed; a ticket made in this batch is handed over as it is."""
        found = self.tickets.get(number) if isinstance(number, int) else number
        for _hop in range(MERGE_HOPS):
            if found is None or found.merged_into_id is None:
                break
            found = self.tickets.get(found.merged_into_id)
        return found

    def _by_reference(self, work: Work, reference: str) -> Iterable[threads.Known]:
        """What an id names; where a platform numbers anew on each channel, on this one."""
        for number, subject, side, channel in self.references.get(reference, ()):
            ticket = self.ticket(number)
            if ticket is not None and (work.adapter.global_ids or channel == work.channel.pk):
                yield threads.Known(ticket, subject, side)

    def members(self, ticket: Ticket) -> set[Address]:
        """The confirmed participants of a ticket, also of one that this batch has made and not saved yet."""
        return self.participants[ticket.number or -id(ticket)]

    def _takes_part(self, ticket: Ticket, address: Address) -> bool:
        proven = self.claims.proven.get(address, ())
        return address in self.members(ticket) or any(self.ticket(number) is ticket for number in proven)

    def lookup(self, work: Work, party: Party | None) -> threads.Lookup:
        """What the thread decision may ask about one message, whose sender is `party`."""

        def maybe(number: Ticket | int | None) -> Ticket | None:
            return None if number is None else self.ticket(number)

        return threads.Lookup(
            ticket=self.ticket,
            by_reference=partial(self._by_reference, work),
            takes_part=lambda ticket: party is not None and self._takes_part(ticket, address_of(party)),
            by_thread_key=lambda key: maybe(self.thread_keys.get((work.channel.pk, key))),
            open_ticket=lambda: maybe(self.sessions.get((work.channel.pk, address_of(party)))) if party else None,
            side=lambda pk: self._side(pk, party),
        )

    def remember(self, work: Work, ticket: Ticket, message: Message) -> None:
        """A message of this batch, for those after it."""
        inbound = work.inbound
        self.seen[inbound.scope, inbound.key] = message
        if inbound.external_id:
            self.references[inbound.external_id].append((ticket, inbound.subject, message.side_id, work.channel.pk))
        if message.side_id is not None:
            return  # it is nobody's session
        if inbound.thread_key:
            self.thread_keys.setdefault((work.channel.pk, inbound.thread_key), ticket)
        party = self.sender(inbound)
        if work.adapter.joins_open_ticket and party is not None and not inbound.thread_key:
            self.sessions[work.channel.pk, address_of(party)] = ticket
