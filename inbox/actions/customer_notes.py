"""What agents should know of a customer, whatever the ticket. Customers never see it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import customers
from inbox.actions.errors import ActionError
from inbox.models import Agent, Customer, CustomerNote

MOST_LETTERS = 10_000


def add(customer: Customer, text: str, *, by: Agent) -> CustomerNote:
    """Raises ActionError for an empty note."""
    said = _clean(text)
    with transaction.atomic():
        row = CustomerNote.objects.create(customer=customer, agent=by, text=said)
        log.record(None, "customer_note_added", by=by, customer=customer.pk, note=row.pk)
        customers.announce(customer.pk)
    return row


def change(note: CustomerNote, text: str, *, by: Agent) -> CustomerNote:
    """Say it otherwise; only whoever wrote it may. Raises PermissionDenied and ActionError."""
    said = _clean(text)
    with transaction.atomic():
        row = _own(note, by)
        if row.text != said:
            row.text, row.updated_at = said, timezone.now()
            row.save(update_fields=["text", "updated_at"])
            log.record(None, "customer_note_changed", by=by, customer=row.customer_id, note=row.pk)
            customers.announce(row.customer_id)
    return row


def delete(note: CustomerNote, *, by: Agent) -> None:
    """Take it away; only whoever wrote it may. Raises PermissionDenied."""
    with transaction.atomic():
        row = _own(note, by)
        log.record(None, "customer_note_deleted", by=by, customer=row.customer_id, note=row.pk)
        customers.announce(row.customer_id)
        row.delete()


def _own(note: CustomerNote, by: Agent) -> CustomerNote:
    row = CustomerNote.objects.select_for_update(of=("self",)).get(pk=note.pk)
    if row.agent_id != by.pk:
        raise PermissionDenied
    return row


def _clean(text: str) -> str:
    said = text.replace("\x00", "").strip()
    if not said:
        raise ActionError(_("Write something first."), "empty")
    if len(said) > MOST_LETTERS:
        raise ActionError(_("That is too long for a note."), "too_long")
    return said
