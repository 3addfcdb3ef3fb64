"""Who takes part in a ticket: its requester, and whom answers reach in copy."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, customers
from inbox.actions.errors import ActionError
from inbox.actions.work import our_addresses
from inbox.adapters import Party
from inbox.models import Agent, Identity, Participant, ParticipantRole, Ticket


@transaction.atomic
def set_requester(ticket: Ticket, party: Party, *, by: Agent | None) -> Ticket:
    """Answer to this address from now on; its customer is the ticket's. What was said stays, and so do the clocks.

    Whoever was the requester takes part no more. Raises ActionError for an address of ours.
    """
    identity = _identity(party)
    _keep(identity.customer_id)
    with base.locked(ticket) as row:
        customer = Identity.objects.select_related("customer").get(pk=identity.pk).customer
        before = Participant.objects.filter(ticket=row, role=ParticipantRole.REQUESTER, until__isnull=True)
        if row.customer_id == customer.pk and [one.identity_id for one in before] == [identity.pk]:
            return row
        before.exclude(identity=identity).update(role=ParticipantRole.CC, until=timezone.now())
        Participant.objects.update_or_create(
            ticket=row,
            identity=identity,
            defaults={"role": ParticipantRole.REQUESTER, "confirmed": True, "until": None},
            create_defaults={"role": ParticipantRole.REQUESTER, "added_by": by},
        )
        log.record(row, "requester_changed", by=by, **{"from": row.customer_id, "to": customer.pk})
        row.customer, row.organisation_id = customer, customer.organisation_id
        base.save(row, "customer", "organisation")
        return row


def add(ticket: Ticket, party: Party, *, by: Agent | None) -> Participant:
    """Let answers reach this address in copy, too. Raises ActionError for an address of ours."""
    identity = _identity(party)
    with base.locked(ticket) as row:
        before = Participant.objects.filter(ticket=row, identity=identity).first()
        if before is not None and before.confirmed and before.until is None:
            return before
        joined = customers.join(row, party, by=by)
        log.record(row, "participant_added", by=by, participant=joined.pk)
        base.save(row)
        return joined


def remove(ticket: Ticket, participant: int, *, by: Agent | None) -> None:
    """Answers reach them no more; what they write is marked as unverified. The requester is changed, never removed."""
    with base.locked(ticket) as row:
        found = Participant.objects.filter(ticket=row, pk=participant, until__isnull=True)
        if found.exclude(role=ParticipantRole.REQUESTER).update(until=timezone.now(), confirmed=False):
            log.record(row, "participant_removed", by=by, participant=participant)
            base.save(row)


def confirm(ticket: Ticket, participant: int, *, by: Agent | None) -> None:
    """An agent vouches for somebody who came by a forwarded mail: answers reach them from now on."""
    with base.locked(ticket) as row:
        found = Participant.objects.filter(ticket=row, pk=participant, until__isnull=True, confirmed=False)
        if found.update(confirmed=True):
            value = Participant.objects.values_list("identity__value", flat=True).get(pk=participant)
            row.messages.filter(author_address=value, unverified=True).update(unverified=False)
            log.record(row, "participant_confirmed", by=by, participant=participant)
            base.save(row)


def _identity(party: Party) -> Identity:
    if party.kind == "email" and party.value.strip().lower() in our_addresses():
        raise ActionError(_("That is one of our own addresses."), "own_address")
    return customers.ensure_identity(party)


def _keep(customer: int) -> None:
    """Lock a customer as a new reference to them does; before the ticket, as merging customers does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM inbox_customer WHERE id = %s FOR KEY SHARE", [customer])
