"""Organisations: companies whose people write to us."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from inbox import log
from inbox.actions import base
from inbox.models import Agent, Customer, Event, Organisation, Ticket

BATCH = 500
EDITABLE = ("name", "domains", "external_id", "attributes")


def create(*, by: Agent | None, **fields: Any) -> Organisation:
    with transaction.atomic():
        row = Organisation.objects.create(**fields)
        log.record(None, "organisation_created", by=by, organisation=row.pk)
    return row


def update(organisation: Organisation, *, by: Agent | None, **changes: Any) -> Organisation:
    """Change what is named. Raises ValueError for a field that is not for editing."""
    if unknown := set(changes) - set(EDITABLE):
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        row = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            row.save(update_fields=changed)
            log.record(None, "organisation_changed", by=by, organisation=row.pk, fields=sorted(changed))
    return row


def delete(organisation: Organisation, *, by: Agent | None) -> None:
    """Forget a company; its people and their tickets stay, and belong to none."""
    with transaction.atomic():
        row = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        theirs = Ticket.objects.select_for_update(no_key=True).filter(organisation=row)
        tickets = list(theirs.order_by("number").only("number"))
        people = list(Customer.objects.filter(organisation=row).order_by("pk").values_list("pk", flat=True))
        # Each of them changes, which search and whoever follows the log would not know afterwards.
        changed = ["organisation"]
        with log.how(bulk=True):
            events = [log.line(ticket, "fields_changed", by=by, fields=changed) for ticket in tickets]
        events += [log.line(None, "customer_changed", by=by, customer=pk, fields=changed) for pk in people]
        Event.objects.bulk_create(events, batch_size=BATCH)
        log.record(None, "organisation_deleted", by=by, organisation=row.pk)
        Ticket.objects.filter(organisation=row).update(organisation=None, updated_at=timezone.now())
        row.delete()
        base.announce([ticket.number for ticket in tickets])
