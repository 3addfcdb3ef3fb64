"""Two customers who turn out to be one person: joined, dated, and parted again where that was a mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, pictures
from inbox.actions.errors import ActionError
from inbox.models import (
    Agent,
    Card,
    Customer,
    CustomerEvent,
    CustomerMerge,
    CustomerNote,
    DifferentPeople,
    Identity,
    Message,
    Ticket,
)
from inbox.models.base import Stage

NOUNS: dict[str, type[models.Model]] = {
    "identities": Identity,
    "tickets": Ticket,
    "messages": Message,
    "events": CustomerEvent,
    "notes": CustomerNote,
    "cards": Card,
}
# What both have stays where it is: one customer has it only once.
ONCE = {"events": ("kind", "external_id"), "cards": ("key",)}
FILLED = ("name", "organisation_id", "language", "time_zone", "preferred_channel_id", "external_id")
JOINED = ("tags", "opt_outs")

LATE = timedelta(minutes=15)  # longer than any transaction that took the source for the customer it was


def carry(noun: str, model: type[models.Model]) -> None:
    """Rows of another app that have a `customer` go with them in merges, and come back, under this name."""
    NOUNS[noun] = model


def merge(source: Customer, into: Customer, *, by: Agent | None) -> Customer:
    """Give everything of `source` to `into`, and what `into` does not know of itself; returns it. Raises ActionError.

    The row of the merge keeps what moved and when, so that it can be undone.
    """
    if source.pk == into.pk:
        raise ActionError(_("A customer cannot be merged into themselves."), "same")
    with transaction.atomic():
        gone, kept = _locked(source.pk, into.pk)
        if gone.merged_into_id == kept.pk:
            return kept
        for row in (gone, kept):
            if row.merged_into_id is not None or row.erased_at is not None:
                raise ActionError(_("One of the two was merged or erased already."), "merged")
        merge_row = CustomerMerge(source=gone, into=kept, by=by)
        merge_row.moved = {noun: _move(noun, gone, kept) for noun in NOUNS}
        merge_row.before = _fill(gone, kept)
        gone.merged_into = kept
        gone.save(update_fields=["merged_into"])
        merge_row.save()
        pictures.show([gone.pk, kept.pk])
        log.record(None, "customer_merged", by=by, customer=gone.pk, into=kept.pk, merge=merge_row.pk)
        base.announce(merge_row.moved["tickets"])
        return kept


def unmerge(source: Customer, *, by: Agent | None) -> Customer:
    """Undo the merge of `source`: what was theirs is theirs again. What came since stays where it is."""
    with transaction.atomic():
        if source.merged_into_id is None:
            raise ActionError(_("This customer is not merged."), "not_merged")
        back, kept = _locked(source.pk, source.merged_into_id)
        merge_row = (
            CustomerMerge.objects.select_for_update(of=("self",))
            .filter(source=back, into=kept, undone_at__isnull=True)
            .order_by("-pk")
            .first()
        )
        if back.merged_into_id is None or merge_row is None:
            raise ActionError(_("This customer is not merged."), "not_merged")
        for noun, model in NOUNS.items():
            model._default_manager.filter(pk__in=merge_row.moved.get(noun, ()), customer=kept).update(customer=back)
        back.merged_into = None
        for name, (old, new) in merge_row.before.items():
            if getattr(kept, name) != new:
                continue  # somebody has changed it since: that is how it shall be
            setattr(kept, name, old)
            if name == "external_id":
                back.external_id = new
        kept.save(update_fields=list(merge_row.before))
        back.save(update_fields=["merged_into", "external_id"])
        pictures.show([back.pk, kept.pk])
        merge_row.undone_at = timezone.now()
        merge_row.save(update_fields=["undone_at"])
        log.record(None, "customer_unmerged", by=by, customer=back.pk, **{"from": kept.pk, "merge": merge_row.pk})
        base.announce(merge_row.moved["tickets"])
        return back


def tell_apart(one: Customer, other: Customer, *, by: Agent) -> bool:
    """Keep that these two are not the same person, so that nobody is asked again; False where that is known."""
    first, second = sorted((one.pk, other.pk))
    with transaction.atomic():
        _row, new = DifferentPeople.objects.get_or_create(first_id=first, second_id=second, defaults={"by": by})
        if new:
            log.record(None, "customers_told_apart", by=by, customers=[first, second])
    return new


def contradictions(one: Customer, other: Customer) -> list[str]:
    """Kinds of address of which each of the two has proved one of their own: a merge then takes an explicit choice.

    The customers' own systems contradict, too, where they know the two by different ids.
    """
    kinds: dict[str, set[int]] = {}
    proved = Identity.objects.active().filter(customer__in=[one.pk, other.pk], shared=False)
    for kind, customer in proved.values_list("kind", "customer"):
        kinds.setdefault(kind, set()).add(customer)
    found = sorted(kind for kind, customers in kinds.items() if len(customers) == 2)
    if one.external_id and other.external_id:
        found.append("external_id")
    return found


def follow() -> int:
    """Move after its customer what a transaction gave to a customer in the very moment they were merged."""
    moved = 0
    recent = CustomerMerge.objects.filter(at__gt=timezone.now() - LATE, undone_at__isnull=True)
    for pk in recent.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=pk)
            if row.undone_at is not None:
                continue
            late = {noun: _move(noun, row.source, row.into) for noun in NOUNS}
            if any(late.values()):
                row.moved = {**row.moved, **{noun: [*row.moved.get(noun, ()), *ids] for noun, ids in late.items()}}
                row.save(update_fields=["moved"])
                pictures.show([row.source_id, row.into_id])
                for ticket in Ticket.objects.filter(pk__in=late["tickets"]):
                    log.record(ticket, "requester_changed", **{"from": row.source_id, "to": row.into_id})
                base.announce(late["tickets"])
                moved += 1
    return moved


def _locked(source: int, into: int) -> tuple[Customer, Customer]:
    # Not `no_key`: whoever is writing a ticket of one of the two is done before we look, or waits for us.
    rows = {row.pk: row for row in Customer.objects.select_for_update().filter(pk__in=[source, into]).order_by("pk")}
    return rows[source], rows[into]


def _move(noun: str, gone: Customer, kept: Customer) -> list[int]:
    """Change the customer of all rows of this noun; returns their ids."""
    rows = NOUNS[noun]._default_manager.filter(customer=gone)
    if names := ONCE.get(noun):
        there = NOUNS[noun]._default_manager.filter(customer=kept).values_list(*names)
        twice = {key for key in there if None not in key}
        rows = rows.filter(pk__in=[pk for pk, *key in rows.values_list("pk", *names) if tuple(key) not in twice])
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    NOUNS[noun]._default_manager.filter(pk__in=ids).update(customer=kept)
    return ids


def _fill(gone: Customer, kept: Customer) -> dict[str, list[Any]]:
    """Let `kept` take over what it does not know; returns {field: [what it had, what it has now]}."""
    before: dict[str, list[Any]] = {}
    for name in FILLED:
        if not getattr(kept, name) and getattr(gone, name):
            before[name] = [getattr(kept, name), getattr(gone, name)]
    for name in JOINED:
        both = list(dict.fromkeys([*getattr(kept, name), *getattr(gone, name)]))
        if both != getattr(kept, name):
            before[name] = [getattr(kept, name), both]
    if kept.stage == Stage.LEAD and gone.stage != Stage.LEAD:
        before["stage"] = [kept.stage, gone.stage]
    attributes = {**gone.attributes, **kept.attributes}
    if attributes != kept.attributes:
        before["attributes"] = [kept.attributes, attributes]
    if "external_id" in before:  # unique: `gone` gives it away
        gone.external_id = None
        gone.save(update_fields=["external_id"])
    for name, (_old, new) in before.items():
        setattr(kept, name, new)
    if before:
        kept.save(update_fields=list(before))
    if gone.last_seen_at and (kept.last_seen_at is None or kept.last_seen_at < gone.last_seen_at):
        kept.last_seen_at = gone.last_seen_at
        kept.save(update_fields=["last_seen_at"])
    return before
