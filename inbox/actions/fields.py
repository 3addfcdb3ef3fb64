"""An organisation's own fields: make, change, order and take them away. What was entered stays in the attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import fields, log
from inbox.actions.errors import ActionError
from inbox.models import Agent, Field, FieldKind
from inbox.rights import Right, require

EDITABLE = ("label", "help", "kind", "choices", "required", "searchable")
LISTS = {FieldKind.CHOICE, FieldKind.CHOICES}


def create(*, by: Agent, noun: str, key: str, label: str, **said: Any) -> Field:
    """A new field, behind those that are there. Raises ActionError where its key is taken, or choices are missing."""
    require(by, Right.FIELDS)
    with transaction.atomic():
        there = list(Field.objects.select_for_update().filter(noun=noun).order_by("-position"))
        if any(one.key == key for one in there):
            raise ActionError(_("There is a field of this key already."), "taken")
        if len(there) >= fields.MOST_FIELDS:
            raise ActionError(_("There are as many fields as there can be."), "too_many")
        row = Field(noun=noun, key=key, label=label, position=there[0].position + 1 if there else 1, **said)
        _check(row)
        row.save(force_insert=True)
        log.record(None, "field_created", by=by, field=row.pk, noun=noun, key=key)
    return row


def update(one: Field, *, by: Agent, **changes: Any) -> Field:
    """Change what is named; noun and key are for ever, since values stand under them. Raises ActionError."""
    require(by, Right.FIELDS)
    if unknown := set(changes) - set(EDITABLE):
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        row = Field.objects.select_for_update().get(pk=one.pk)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            _check(row)
            row.save(update_fields=changed)
            log.record(None, "field_changed", by=by, field=row.pk, noun=row.noun, key=row.key, fields=sorted(changed))
    return row


def delete(one: Field, *, by: Agent) -> None:
    """Take a field away. Its values stay in the attributes, where API and panel show them."""
    require(by, Right.FIELDS)
    with transaction.atomic():
        log.record(None, "field_deleted", by=by, field=one.pk, noun=one.noun, key=one.key)
        one.delete()


def order(noun: str, pks: Sequence[int], *, by: Agent) -> None:
    """Put the fields of a noun into this order; one that is not named keeps its place behind them."""
    require(by, Right.FIELDS)
    with transaction.atomic():
        rows = list(Field.objects.select_for_update().filter(noun=noun).order_by("position", "pk"))
        place = {pk: at for at, pk in enumerate(pks)}
        wanted = sorted(rows, key=lambda row: place.get(row.pk, len(place)))
        moved = [row for at, row in enumerate(wanted, 1) if row.position != at]
        for at, row in enumerate(wanted, 1):
            row.position = at
        if moved:
            Field.objects.bulk_update(moved, ["position"])
            log.record(None, "fields_ordered", by=by, noun=noun)


def _check(row: Field) -> None:
    row.choices = list(dict.fromkeys(clean for one in row.choices if (clean := " ".join(one.split()))))
    if row.kind in LISTS and not row.choices:
        raise ActionError(_("Say which choices there are, one a line."), "no_choices")
    if row.kind not in LISTS:
        row.choices = []
