"""Receipts once more: what failed is taken in again, after fetching what was not to be had; and what is gone again."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from inbox import files, log, wake
from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError, RawReceipt, adapter_for
from inbox.models import MAX_INLINE_BYTES, Agent, Channel, Receipt, ReceiptState

MOST_FETCHED = 20  # receipts without their bytes that one Retry of all asks the channel's server for


def retry(receipt: Receipt, *, by: Agent | None) -> Receipt:
    """Take a failed or ignored receipt in again, now, after fetching what was not to be had when it arrived.

    Raises ActionError when that still cannot be had. It asks the channel's server: hold no ticket's lock meanwhile.
    """
    fetched = None
    if receipt.state in {ReceiptState.FAILED, ReceiptState.IGNORED}:
        try:
            fetched = adapter_for(receipt.channel.kind).refetch(receipt)
        except (DeliveryError, OSError) as error:
            raise ActionError(str(error), "not_fetched") from error
    with transaction.atomic():
        row = Receipt.objects.select_for_update(no_key=True).defer("raw").get(pk=receipt.pk)
        if row.state in {ReceiptState.NEW, ReceiptState.DONE}:
            return row
        changed = ["state", "attempts", "reason", "next_attempt_at"]
        row.state, row.attempts, row.reason, row.next_attempt_at = ReceiptState.NEW, 0, "", timezone.now()
        if fetched is not None:
            _keep_bytes(row, fetched)
            changed += ["raw", "stored", "digest", "size", "key", "meta", "at"]
        row.save(update_fields=changed)
        log.record(None, "receipt_retried", by=by, receipt=row.pk)
        wake.take_in()
    return row


def retry_failed(channel: Channel, *, by: Agent | None) -> tuple[int, str]:
    """Take in again all that failed on a channel: (how many, why the first of the rest could not be fetched).

    Those that came without their bytes are fetched one by one, oldest first, up to MOST_FETCHED and the first failure.
    """
    failed = Receipt.objects.filter(channel=channel, state=ReceiptState.FAILED)
    with transaction.atomic():
        whole = list(
            failed.filter(size__gt=0).select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
        )
        Receipt.objects.filter(pk__in=whole).update(
            state=ReceiptState.NEW, attempts=0, reason="", next_attempt_at=timezone.now()
        )
        if whole:
            log.record(None, "receipts_retried", by=by, channel=channel.pk, count=len(whole))
            wake.take_in()
    done = len(whole)
    for receipt in failed.filter(size=0).select_related("channel").order_by("pk")[:MOST_FETCHED]:
        try:
            retry(receipt, by=by)
        except ActionError as error:
            return done, str(error.reason)
        done += 1
    return done, ""


def take_in_again(receipt_ids: Sequence[int]) -> int:
    """Take in anew what was done once and whose message is no longer there; returns how many receipts that are."""
    with transaction.atomic():
        count = Receipt.objects.filter(pk__in=receipt_ids, state=ReceiptState.DONE).update(
            state=ReceiptState.NEW, attempts=0, reason="", next_attempt_at=timezone.now(), done_at=None
        )
        if count:
            wake.take_in()
    return count


def _keep_bytes(row: Receipt, fetched: RawReceipt) -> None:
    large = len(fetched.raw) > MAX_INLINE_BYTES
    row.stored, row.digest = files.put("receipts", fetched.raw) if large else ("", "")
    row.raw, row.size = None if large else fetched.raw, len(fetched.raw)
    row.key, row.meta = fetched.key[:500], dict(fetched.meta)
    row.at = min(fetched.at or row.at, timezone.now())
