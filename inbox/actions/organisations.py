"""Organisations: companies whose people write to us."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from inbox import log
from inbox.models import Agent, Organisation

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
        log.record(None, "organisation_deleted", by=by, organisation=organisation.pk)
        organisation.delete()
