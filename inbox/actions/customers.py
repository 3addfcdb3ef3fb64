"""Customers and their identities."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from inbox import log
from inbox.adapters import Party
from inbox.models import Agent, Customer, Identity, Participant, ParticipantRole, Ticket


def ensure_identity(party: Party) -> Identity:
    """The active identity of this address, made together with a customer when nobody has it yet."""
    value = party.value.strip().lower() if party.kind == "email" else party.value.strip()
    with transaction.atomic():
        address = (party.kind, party.scope, value)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(20002, %s)", [zlib.crc32(repr(address).encode()) - 2**31])
        found = (
            Identity.objects.active()
            .filter(kind=party.kind, scope=party.scope, value=value)
            .select_related("customer")
            .first()
        )
        if found is not None:
            return found
        now = timezone.now()
        customer = Customer.objects.create(name=party.name[:200] or value.split("@")[0][:200], created_at=now)
        return Identity.objects.create(
            customer=customer,
            kind=party.kind,
            scope=party.scope,
            value=value,
            name=party.name[:200],
            verified_at=now,
            verified_how="channel",
        )


def join(ticket: Ticket, party: Party, *, by: Agent | None, role: str = ParticipantRole.CC) -> Participant:
    """Make the holder of this address a participant; one who left or was unconfirmed is in again."""
    identity = ensure_identity(party)
    participant, created = Participant.objects.get_or_create(
        ticket=ticket, identity=identity, defaults={"role": role, "added_by": by}
    )
    if not created and (not participant.confirmed or participant.until is not None):
        participant.confirmed, participant.until = True, None
        participant.save(update_fields=["confirmed", "until"])
    return participant


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


def update(customer: Customer, *, by: Agent | None, **changes: Any) -> Customer:
    """Change fields of a customer. Raises ValueError for a field that is not for editing."""
    unknown = set(changes) - set(EDITABLE)
    if unknown:
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            row.save(update_fields=changed)
            log.record(None, "customer_changed", by=by, customer=row.pk, fields=sorted(changed))
    return row


def active_values(customer_id: int, kind: str) -> Sequence[str]:
    """The addresses of one kind that a customer can be written to, newest first."""
    return list(
        Identity.objects.active()
        .filter(customer=customer_id, kind=kind)
        .order_by("-pk")
        .values_list("value", flat=True)
    )
