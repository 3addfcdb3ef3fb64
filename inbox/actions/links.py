"""How tickets hang together by hand: follow-ups, duplicates, incidents of a problem, children, or not at all."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base
from inbox.actions.errors import ActionError
from inbox.models import Agent, LinkKind, Ticket, TicketLink

BY_HAND = frozenset({LinkKind.FOLLOW_UP, LinkKind.DUPLICATE, LinkKind.INCIDENT, LinkKind.CHILD,
                     LinkKind.UNRELATED})  # fmt: skip


def link(source: Ticket, target: Ticket, kind: str, *, by: Agent | None) -> TicketLink:
    """Say that `source` is a follow-up, duplicate, incident or child of `target`; it is said once.

    Of two that are another matter each is so of the other: whichever way round, it is said once too.
    Raises ActionError where it is the same ticket, or the other way round already.
    """
    if source.pk == target.pk:
        raise ActionError(_("A ticket cannot be linked to itself."), "same")
    first, second = sorted((source, target), key=lambda ticket: ticket.pk)
    with base.locked(first, even_if_closed=True), base.locked(second, even_if_closed=True):
        other_way_round = TicketLink.objects.filter(source=target, target=source, kind=kind).first()
        if other_way_round and kind == LinkKind.UNRELATED:
            return other_way_round
        if other_way_round:
            raise ActionError(_("These two are linked the other way round already."), "linked")
        row, made = TicketLink.objects.get_or_create(source=source, target=target, kind=LinkKind(kind))
        if made:
            log.record(source, "link_added", by=by, kind=kind, target=target.pk)
            log.record(target, "link_added", by=by, kind=kind, source=source.pk)
            base.announce([source.pk, target.pk])
    return row


def move(gone: Ticket, kept: Ticket, only: Iterable[int] | None = None) -> list[int]:
    """Let what hangs on `gone` by hand hang on `kept`; returns the ids of the links that moved.

    With `only`, no others. What would link a ticket with itself, or say twice the same, stays. Both are locked already.
    """
    here = TicketLink.objects.filter(Q(source=gone) | Q(target=gone), kind__in=BY_HAND).order_by("pk")
    found = list(here if only is None else here.filter(pk__in=only))
    there = TicketLink.objects.filter(Q(source=kept) | Q(target=kept))
    said = {(frozenset((one.source_id, one.target_id)), one.kind) for one in there}
    moved = []
    for row in found:
        source, target = (kept.pk if one == gone.pk else one for one in (row.source_id, row.target_id))
        if source == target or (frozenset((source, target)), row.kind) in said:
            continue
        row.source_id, row.target_id = source, target
        moved.append(row)
    TicketLink.objects.bulk_update(moved, ["source", "target"])
    return [row.pk for row in moved]


def unlink(row: TicketLink, *, by: Agent | None) -> None:
    """Take a link away again; that a ticket was merged is no such link."""
    if row.kind not in BY_HAND:
        raise ActionError(_("Undo the merge instead."), "in_use")
    if TicketLink.objects.filter(pk=row.pk).delete()[0]:
        log.record(row.source, "link_removed", by=by, kind=row.kind, target=row.target_id)
        log.record(row.target, "link_removed", by=by, kind=row.kind, source=row.source_id)
        base.announce([row.source_id, row.target_id])
