"""What the clock does to tickets: ends snoozes, closes what stayed solved, forgets what is old."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from inbox import files, log
from inbox.actions import base, drafts
from inbox.adapters import kinds
from inbox.models import Attachment, Channel, Message, Receipt, ReceiptState, Status, Ticket

BATCH = 500


def end_snoozes() -> int:
    """Bring back tickets whose snooze is over."""
    with transaction.atomic():
        rows = list(
            Ticket.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(snoozed_until__lte=timezone.now())
            .order_by("snoozed_until", "number")[:BATCH]
        )
        for row in rows:
            log.record(row, "snoozed", until=None)
            row.snoozed_until, row.woke_at = None, timezone.now()
            base.save(row, "snoozed_until", "woke_at")
    return len(rows)


def close_solved() -> int:
    """Close tickets that stayed solved for longer than their channel's re-open window, unless a reply is to leave."""
    now = timezone.now()
    windows, shortest = Q(pk__in=[]), None
    for channel in Channel.objects.all():
        adapter = kinds().get(channel.kind)
        days = channel.reopen_days if channel.reopen_days is not None else adapter.reopen_days if adapter else None
        if days is not None:
            windows |= Q(channel=channel, solved_at__lt=now - timedelta(days=days))
            shortest = days if shortest is None else min(shortest, days)
    if shortest is None:
        return 0
    with transaction.atomic():
        rows = list(
            Ticket.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(windows, status=Status.SOLVED, solved_at__lt=now - timedelta(days=shortest))
            .exclude(Exists(Message.objects.scheduled().filter(ticket=OuterRef("pk"))))
            .order_by("solved_at", "number")[:BATCH]  # along its index
        )
        for row in rows:
            log.record(row, "status_changed", by=None, **{"from": row.status, "to": Status.CLOSED.value})
            row.status, row.closed_at = Status.CLOSED, now
            base.save(row, "status", "closed_at")
    return len(rows)


def prune() -> int:
    """Forget raw receipts past their age (RECEIPT_DAYS), and uploads that no message or draft names; failed ones stay.

    Those of an erased person of which no message was made stay, too: nothing is left in them, but they alone tell that
    what a server still keeps was here, and is not to come back.

    Returns how many receipts went. Their files go too, unless something else holds the same bytes.
    """
    now = timezone.now()
    old = (
        Receipt.objects.filter(received_at__lt=now - timedelta(days=settings.RECEIPT_DAYS))
        .exclude(state__in=[ReceiptState.NEW, ReceiptState.FAILED])
        .exclude(state=ReceiptState.IGNORED, reason="erased")
    )
    gone = 0
    while rows := list(old.values_list("pk", "stored")[:BATCH]):
        gone += Receipt.objects.filter(pk__in=[pk for pk, _ in rows]).delete()[1].get("inbox.Receipt", 0)
        forget_files({stored for _, stored in rows if stored}, Receipt)
    unused = Attachment.objects.filter(message__isnull=True, created_at__lt=now - timedelta(days=2))
    unused = unused.exclude(pk__in=drafts.named())
    while uploads := list(unused.values_list("pk", "stored")[:BATCH]):
        Attachment.objects.filter(pk__in=[pk for pk, _ in uploads]).delete()
        forget_files({stored for _, stored in uploads}, Attachment)
    return gone


def forget_files(names: set[str], holder: type[Receipt] | type[Attachment]) -> None:
    """Delete stored files of rows that are gone, but for those that another row still holds."""
    held = set(holder._default_manager.filter(stored__in=names).values_list("stored", flat=True))
    for name in names - held:
        files.forget(name)
