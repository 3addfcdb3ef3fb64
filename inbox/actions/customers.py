"""Customers and their identities."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import locks, log
from inbox.actions import base, pictures
from inbox.actions.errors import ActionError
from inbox.actions.work import is_ours, our_addresses
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, Channel, Customer, Identity, Organisation, Participant, ParticipantRole, Ticket


def ensure_identity(party: Party) -> Identity:
    """The active identity of this address, made together with a customer when nobody has it yet."""
    value = party.value.strip().lower() if party.kind == "email" else party.value.strip()
    with transaction.atomic():
        _lock_address((party.kind, party.scope, value))
        found = (
            Identity.objects.active()
            .filter(kind=party.kind, scope=party.scope, value=value)
            .select_related("customer")
            .first()
        )
        if found is not None:
            return found
        now = timezone.now()
        customer = Customer.objects.create(
            name=party.name[:200] or value.split("@")[0][:200],
            organisation=organisation_of([party]),
            created_at=now,
        )
        return Identity.objects.create(
            customer=customer,
            kind=party.kind,
            scope=party.scope,
            value=value,
            name=party.name[:200],
            verified_at=now,
            verified_how="channel",
        )


def seen(when: Mapping[int, datetime]) -> None:
    """Note when customers (ids) wrote; never back in time. Waits for nobody: whoever holds a row writes it, too."""
    if not when:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inbox_customer SET last_seen_at = new.at FROM unnest(%s::bigint[], %s::timestamptz[]) AS new (id, at)
            WHERE inbox_customer.id = new.id AND (last_seen_at IS NULL OR last_seen_at < new.at)
              AND inbox_customer.id IN (
                  SELECT id FROM inbox_customer WHERE id = ANY(%s::bigint[])
                  ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
              )
            """,
            [list(when), list(when.values()), list(when)],
        )


def renamed(identity: int, customer: int, before: str, now: str) -> None:
    """Somebody calls themselves differently on a platform; their own name follows, unless one of us gave it."""
    Identity.objects.filter(pk=identity).update(name=now)
    Customer.objects.filter(pk=customer, name__in=["", before] if before else [""]).update(name=now)


def join(ticket: Ticket, party: Party, *, by: Agent | None, role: str = ParticipantRole.CC) -> Participant:
    """Make the holder of this address a participant; one who left or was unconfirmed is in again.

    Where nobody is known to have it and the ticket's customer claims it, it is theirs, as a claim still.
    """
    identity = _claimed(ticket, party) or ensure_identity(party)
    participant, created = Participant.objects.get_or_create(
        ticket=ticket, identity=identity, defaults={"role": role, "added_by": by}
    )
    if not created and (not participant.confirmed or participant.until is not None):
        participant.confirmed, participant.until = True, None
        participant.save(update_fields=["confirmed", "until"])
    return participant


def _claimed(ticket: Ticket, party: Party) -> Identity | None:
    value = party.value.strip().lower() if party.kind == "email" else party.value.strip()
    here = Identity.objects.filter(kind=party.kind, scope=party.scope, value=value, retired_at__isnull=True)
    found = {one.verified: one for one in here.filter(Q(customer=ticket.customer_id) | Q(verified_at__isnull=False))}
    return None if True in found else found.get(False)


MOST_TOLD = 20  # tickets, the newest, whose open screens hear of a change

EDITABLE = (
    "name",
    "stage",
    "language",
    "time_zone",
    "preferred_channel",
    "tags",
    "attributes",
    "external_id",
    "opt_outs",
    "organisation",
)


def create(*, by: Agent | None, identities: Sequence[Party] = (), **fields: Any) -> Customer:
    """A new customer with these addresses. Raises ActionError when one of them is ours, or somebody else's."""
    _check_editable(fields)
    with transaction.atomic():
        if not fields.get("organisation"):
            fields["organisation"] = organisation_of(identities)
        customer = Customer.objects.create(**fields)
        log.record(None, "customer_created", by=by, customer=customer.pk)
        for party in identities:
            add_identity(customer, party, by=by)
    return customer


def update(customer: Customer, *, by: Agent | None, **changes: Any) -> Customer:
    """Change fields of a customer. Raises ValueError for a field that is not for editing."""
    _check_editable(changes)
    with transaction.atomic():
        row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            row.save(update_fields=changed)
            log.record(None, "customer_changed", by=by, customer=row.pk, fields=sorted(changed))
            announce(row.pk)
    return row


def announce(pk: int) -> None:
    """On commit, tell the screens that show this customer beside a ticket: of the newest of them."""
    theirs = Ticket.objects.current().filter(customer=pk).order_by("-last_message_at")
    base.announce(theirs.values_list("pk", flat=True)[:MOST_TOLD])


def _check_editable(fields: dict[str, Any]) -> None:
    unknown = set(fields) - set(EDITABLE)
    if unknown:
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")


def organisations_of(addresses: Iterable[str]) -> dict[str, Organisation]:
    """The organisations that e-mail addresses belong to by their domain: the oldest of each domain."""
    domains = {address.rpartition("@")[2].lower() for address in addresses}
    found: dict[str, Organisation] = {}
    if domains:
        for organisation in Organisation.objects.filter(domains__overlap=list(domains)).order_by("-pk"):
            found.update(dict.fromkeys(organisation.domains, organisation))
    return found


def organisation_of(parties: Sequence[Party]) -> Organisation | None:
    """The organisation whose domain one of these e-mail addresses has."""
    found = organisations_of(party.value for party in parties if party.kind == "email")
    named = [found.get(party.value.rpartition("@")[2].lower()) for party in parties if party.kind == "email"]
    return next((one for one in named if one is not None), None)


def add_identity(
    customer: Customer, party: Party, *, by: Agent | None, verified: bool = True, how: str = "agent"
) -> Identity:
    """Give a customer one more address; one they have already is answered as it is. `how` it was verified.

    A verified one finds its customer from now on, and nobody else may have it: ActionError says who does. A claim that
    is not `verified` stands beside that, finds nobody, and offers a merge.
    """
    value = party.value.strip().lower() if party.kind == "email" else party.value.strip()
    if party.kind == "email" and value in our_addresses():
        raise ActionError(_("That is one of our own addresses."), "own_address")
    with transaction.atomic():
        _lock_address((party.kind, party.scope, value))
        here = Identity.objects.filter(kind=party.kind, scope=party.scope, value=value, retired_at__isnull=True)
        mine = here.filter(customer=customer).order_by("-verified_at").first()
        if mine is not None and (mine.verified or not verified):
            return mine
        if verified and here.active().exists():
            raise ActionError(_("Another customer has this address. Merge the two, or retire it there."), "taken")
        now = timezone.now()
        if mine is None:
            mine = Identity(customer=customer, kind=party.kind, scope=party.scope, value=value, name=party.name[:200])
        if verified:
            mine.verified_at, mine.verified_how = now, how
        mine.save()
        log.record(None, "identity_added", by=by, customer=customer.pk, identity=mine.pk)
        announce(customer.pk)
        return mine


MOST_CLAIMS = 5  # of a kind: whoever types one address after the other gathers no more


def add_claims(customer: Customer, parties: Iterable[Party]) -> list[Identity]:
    """Keep addresses that somebody says are this customer's, as claims that find nobody; returns the new ones.

    What the customer has already, and what is ours, is left out. Two queries where nothing is new.
    """
    own = our_addresses()
    given = {(party.kind, party.scope, party.value.strip()): party for party in parties}
    given = {address: party for address, party in given.items() if not is_ours(address[2].lower(), own)}
    if not given:
        return []
    here = list(Identity.objects.filter(customer=customer, retired_at__isnull=True))
    known = {(one.kind, one.scope, one.value) for one in here}
    made = []
    for (kind, scope, value), party in given.items():
        claims = sum(one.kind == kind and not one.verified for one in here)
        if (kind, scope, value) not in known and claims < MOST_CLAIMS:
            row = Identity(customer=customer, kind=kind, scope=scope, value=value, name=party.name[:200])
            row.save(force_insert=True)
            log.record(None, "identity_added", customer=customer.pk, identity=row.pk, how="claim")
            here.append(row)
            made.append(row)
    if made:
        announce(customer.pk)
    return made


def retire_identity(identity: Identity, *, by: Agent | None) -> Identity:
    """This address is no longer theirs (a recycled number): it finds nobody from now on, and can become another's."""
    with transaction.atomic():
        # The customer first, as merges and erasures lock them: which picture they show may change.
        list(Customer.objects.select_for_update(no_key=True, of=("self",)).filter(identities=identity.pk))
        row = Identity.objects.select_for_update(no_key=True).get(pk=identity.pk)
        if row.retired_at is None:
            row.retired_at = timezone.now()
            row.save(update_fields=["retired_at"])
            now = timezone.now()
            Participant.objects.filter(identity=row, until__isnull=True).exclude(role=ParticipantRole.REQUESTER).update(
                until=now
            )
            pictures.show([row.customer_id])
            log.record(None, "identity_retired", by=by, customer=row.customer_id, identity=row.pk)
            announce(row.customer_id)
        return row


def share_identity(identity: Identity, shared: bool, *, by: Agent | None) -> Identity:
    """Say whether several people write from this address, such as purchasing@."""
    with transaction.atomic():
        row = Identity.objects.select_for_update(no_key=True).get(pk=identity.pk)
        if row.shared != shared:
            row.shared = shared
            row.save(update_fields=["shared"])
            log.record(None, "customer_changed", by=by, customer=row.customer_id, fields=["identities"])
            announce(row.customer_id)
        return row


def _lock_address(address: tuple[str, str, str]) -> None:
    """Wait for whoever makes the same address at the same time; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [locks.SENDER, zlib.crc32(repr(address).encode()) - 2**31]
        )


def address_on(customer: Customer, channel: Channel) -> Party | None:
    """Where somebody is written to when we begin on this channel: of the addresses that reach them there the best
    kind, and of that the newest. None where none does.
    """
    ways = adapter_for(channel.kind).reaches(channel)
    rows = Identity.objects.active().filter(customer=customer, kind__in={kind for kind, _scope in ways}).order_by("-pk")
    found = sorted(
        (one for one in rows if (one.kind, one.scope) in ways), key=lambda one: ways.index((one.kind, one.scope))
    )
    return next((Party(one.kind, one.value, customer.name, scope=one.scope) for one in found), None)


def active_values(customer_id: int, kind: str) -> Sequence[str]:
    """The addresses of one kind that a customer can be written to, newest first."""
    return list(
        Identity.objects.active()
        .filter(customer=customer_id, kind=kind)
        .order_by("-pk")
        .values_list("value", flat=True)
    )
