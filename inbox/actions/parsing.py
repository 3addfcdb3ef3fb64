"""What receipts hold, as values; and how one ends that holds nothing, or that nobody can read."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from inbox import files
from inbox.actions.work import Outcome, StoredFile, Work
from inbox.adapters import Change, Ignore, Inbound, adapter_for
from inbox.models import Receipt, ReceiptState

logger = logging.getLogger(__name__)

STORE_AGAIN = timedelta(seconds=15)  # after the storage of files was away
LONGEST_NAME = 200  # of MessageKey.key and Ticket.thread_key
MAX_ATTEMPTS = 5  # claims that never came back: the receipt itself stops the worker
Item = tuple[Receipt, list[Work], list[Change]]


def raw_of(receipt: Receipt) -> bytes:
    """The bytes as they arrived. Raises FileNotFoundError when storage lost them."""
    return bytes(receipt.raw) if receipt.raw is not None else files.get(receipt.stored)


def parse_all(receipts: Sequence[Receipt], outcomes: dict[int, Outcome]) -> list[Item]:
    ready: list[Item] = []
    for receipt in receipts:
        if receipt.state != ReceiptState.NEW:
            outcomes[receipt.pk] = earlier(receipt)
            continue
        if receipt.attempts > MAX_ATTEMPTS:
            outcomes[receipt.pk] = end(receipt, ReceiptState.FAILED, f"stopped the worker {MAX_ATTEMPTS} times")
            continue
        try:
            ready.append(_parse(receipt))
        except Ignore as reason:
            outcomes[receipt.pk] = end(receipt, ReceiptState.IGNORED, str(reason), keep=reason.keep)
        except (OperationalError, InterfaceError):
            raise
        except files.StoreAway as error:
            outcomes[receipt.pk] = _later(receipt, error)
        except Exception as error:  # noqa: BLE001 (whatever a parser trips over is kept with the receipt)
            logger.warning("receipt %s cannot be parsed: %r", receipt.pk, error)
            outcomes[receipt.pk] = end(receipt, ReceiptState.FAILED, words(error))
    return ready


def words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:1000].replace("\x00", "")


def _parse(receipt: Receipt) -> Item:
    adapter = adapter_for(receipt.channel.kind)
    works: list[Work] = []
    changes: list[Change] = []
    for value in adapter.parse(receipt, raw_of(receipt)):
        if not isinstance(value, Inbound):
            changes.append(value)
            continue
        stored = tuple(
            StoredFile(file.name, file.content_type, len(file.content), digest, name, file.inline, file.content_id)
            for file in value.files
            for name, digest in [files.put("attachments", file.content)]
        )
        bare = tuple(replace(file, content=b"") for file in value.files)  # bytes are on disk now: keep memory flat
        kept = replace(value, files=bare, key=fitting(value.key), thread_key=fitting(value.thread_key))
        works.append(Work(receipt, receipt.channel, adapter, kept, stored))
    receipt.raw = None if receipt.stored else receipt.raw
    return receipt, works, changes


def fitting(name: str) -> str:
    """What a platform calls something, so that it fits its column: the same for the same, however long theirs is."""
    return name if len(name) <= LONGEST_NAME else f"long:{hashlib.sha256(name.encode()).hexdigest()}"


def earlier(receipt: Receipt) -> Outcome:
    """What became of a receipt that somebody has already taken in."""
    message = receipt.messages.order_by("pk").first()
    status = "duplicate" if receipt.state == ReceiptState.DONE else receipt.state
    return Outcome(
        receipt.pk,
        status,
        receipt.reason,
        ticket=message.ticket_id if message else receipt.meta.get("ticket"),
        message=message.pk if message else receipt.meta.get("message"),
        rule=message.thread_rule if message else "",
        detail=message.thread_detail if message else "",
    )


def _later(receipt: Receipt, error: files.StoreAway) -> Outcome:
    """Nothing is wrong with the receipt: it stays new, and is tried again when the storage may be back."""
    logger.warning("receipt %s has to wait: %s", receipt.pk, error)
    Receipt.objects.filter(pk=receipt.pk, state=ReceiptState.NEW).update(
        attempts=Greatest(F("attempts") - 1, 0), reason=str(error)[:1000], next_attempt_at=timezone.now() + STORE_AGAIN
    )
    return Outcome(receipt.pk, ReceiptState.FAILED, f"stored, not yet taken in: {error}")


def end(receipt: Receipt, state: str, reason: str, *, keep: bool = True) -> Outcome:
    forgotten: dict[str, Any] = {} if keep else {"raw": b"", "stored": "", "digest": ""}
    ended = Receipt.objects.filter(pk=receipt.pk, state=ReceiptState.NEW).update(
        state=state, reason=reason, done_at=timezone.now(), **forgotten
    )
    if ended and not keep and receipt.stored and not Receipt.objects.filter(stored=receipt.stored).exists():
        files.erase(receipt.stored)
    return Outcome(receipt.pk, state, reason)
