"""The one way in: store what arrived, then take it in, each exactly once.

`store` commits raw bytes before anybody looks at them. `take_in` parses and applies receipts; what cannot be parsed is
kept as failed, with the reason, and blocks nothing behind it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from inbox import files, locks, wake
from inbox.actions import changes, erased_receipts
from inbox.actions.intake import Batch
from inbox.actions.parsing import Item, earlier, end, parse_all, words
from inbox.actions.work import Outcome, Work, our_addresses
from inbox.adapters import (
    AddressChange,
    Change,
    ChannelNews,
    DeliveryUpdate,
    Edit,
    Hiding,
    Ignore,
    Inbound,
    Parsed,
    Press,
    RawReceipt,
    ReachUpdate,
    Reaction,
    Withdrawal,
    adapter_for,
)
from inbox.models import MAX_INLINE_BYTES, Channel, Message, Receipt, ReceiptState
from inbox.threads import referenced

logger = logging.getLogger(__name__)

BATCH_SIZE = 50
LEAST_SHARE = 5  # receipts of a channel in a batch, however many channels there are
BATCH_BYTES = 16 * 1024 * 1024
WAIT_FOR_PARENT = timedelta(minutes=2)
GIVE_BACK_TRIES = 20  # half a second apart
ARRIVALS_EVERY = timedelta(minutes=1)
TRIES = 5  # of a transaction that lost a race for a lock or a key
SOONEST_AGAIN, LATEST_AGAIN = timedelta(seconds=0.5), timedelta(seconds=15)  # to look for what news are about
NEWS = {
    DeliveryUpdate: "delivery report",
    Edit: "edit",
    Withdrawal: "deletion",
    Reaction: "reaction",
    Press: "button",
    Hiding: "hiding",
    ReachUpdate: "reach",
    AddressChange: "another address",
}


def lease() -> timedelta:
    """How long a claimed receipt stays out of other workers' hands."""
    return timedelta(seconds=settings.INTAKE_LEASE_SECONDS)


@dataclass(frozen=True, slots=True)
class Stored:
    """A receipt in the database; `created` is false when the same bytes were already there."""

    receipt_id: int
    created: bool


def store(channel: Channel, raws: Sequence[RawReceipt], *, claim: bool = False) -> list[Stored]:
    """Commit raw bytes as receipts of `channel`, in one transaction; a repeat is harmless and answers the first one.

    With `claim` the caller takes them in itself at once, and workers leave them alone until the claim runs out;
    otherwise workers are woken. Database errors pass through: nothing was stored then.
    """
    now = timezone.now()
    unique = {raw.external_id: raw for raw in raws}
    rows = []
    for raw in unique.values():
        large = len(raw.raw) > MAX_INLINE_BYTES
        stored, digest = files.put("receipts", raw.raw) if large else ("", "")
        rows.append(
            Receipt(
                channel=channel,
                external_id=raw.external_id,
                key=raw.key[:500],
                raw=None if large else raw.raw,
                stored=stored,
                digest=digest,
                size=len(raw.raw),
                meta=dict(raw.meta),
                at=min(raw.at or now, now),
                received_at=now,
                attempts=int(claim),
                next_attempt_at=now + lease() if claim else now,
            )
        )
    with transaction.atomic():
        here = Receipt.objects.filter(channel=channel, external_id__in=unique)
        before = set(here.values_list("external_id", flat=True))
        Receipt.objects.bulk_create(rows, ignore_conflicts=True)
        ids = dict(here.values_list("external_id", "pk"))
        if len(before) < len(ids):
            _note_arrival(channel, now)
            if not claim:
                wake.take_in()
    first = set(unique) - before
    answer = []
    for raw in raws:
        answer.append(Stored(ids[raw.external_id], raw.external_id in first))
        first.discard(raw.external_id)
    return answer


def put(channel: Channel, raws: Sequence[RawReceipt]) -> None:
    """As `store`, for a platform that waits for its answer: one statement, and workers are woken a few times a second.

    Nothing tells which of them were there already.
    """
    if any(len(raw.raw) > MAX_INLINE_BYTES for raw in raws):
        store(channel, raws)
        return
    if not raws:
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inbox_receipt (channel_id, external_id, key, raw, stored, digest, size, meta, at, received_at,
                                       state, reason, attempts, next_attempt_at)
            SELECT %(channel)s, external_id, key, raw, '', '', length(raw), meta, at, %(now)s, 'new', '', 0, %(now)s
            FROM unnest(
                %(ids)s::text[], %(keys)s::text[], %(raws)s::bytea[], %(metas)s::jsonb[], %(ats)s::timestamptz[]
            ) AS new (external_id, key, raw, meta, at)
            ON CONFLICT DO NOTHING
            """,
            {
                "channel": channel.pk,
                "now": now,
                "ids": [_name(raw) for raw in raws],
                "keys": [raw.key.replace("\x00", "")[:500] for raw in raws],
                "raws": [raw.raw for raw in raws],
                "metas": [json.dumps(dict(raw.meta)) for raw in raws],
                "ats": [min(raw.at or now, now) for raw in raws],
            },
        )
    _note_arrival(channel, now)
    wake.take_in_soon()


def _name(raw: RawReceipt) -> str:
    """An external id that fits its column, whatever a stranger put there."""
    name = raw.external_id
    return name if len(name) <= 200 and "\x00" not in name else f"long:{hashlib.sha256(name.encode()).hexdigest()}"


def _note_arrival(channel: Channel, now: datetime) -> None:
    """Keep when something last came, to the minute: mail by the hundred writes the channel's row once."""
    old = now - ARRIVALS_EVERY
    if channel.last_in_at is None or channel.last_in_at < old:
        rows = Channel.objects.filter(pk=channel.pk)
        rows.filter(Q(last_in_at__isnull=True) | Q(last_in_at__lt=old)).update(last_in_at=now)
        channel.last_in_at = now


def claim(limit: int = BATCH_SIZE) -> list[int]:
    """Take the next due receipts for this worker until their lease runs out; returns their ids, oldest first.

    Each channel gets its share of a batch, so that a flood on one of them keeps no other waiting. One that was claimed
    before and never came back is taken alone: it may be what stops workers, and those that happened to be in hand with
    it must not be set aside for it.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH busy AS (
                SELECT c.id FROM inbox_channel c WHERE EXISTS (
                    SELECT FROM inbox_receipt r
                    WHERE r.channel_id = c.id AND r.state = 'new' AND r.next_attempt_at <= %(now)s
                )
            ), due AS (
                SELECT r.* FROM busy CROSS JOIN LATERAL (
                    SELECT id, attempts, next_attempt_at FROM inbox_receipt
                    WHERE channel_id = busy.id AND state = 'new' AND next_attempt_at <= %(now)s
                    ORDER BY next_attempt_at, id
                    LIMIT (SELECT GREATEST(%(limit)s / GREATEST(count(*), 1), %(least)s) FROM busy)
                    FOR UPDATE SKIP LOCKED
                ) r
            ), queue AS (
                SELECT id, row_number() OVER line AS place, bool_or(attempts > 0) OVER line AS suspect
                FROM due WINDOW line AS (ORDER BY next_attempt_at, id)
            )
            UPDATE inbox_receipt SET attempts = attempts + 1, next_attempt_at = %(lease)s
            WHERE id IN (SELECT id FROM queue WHERE place = 1 OR NOT suspect)
            RETURNING id
            """,
            {"lease": now + lease(), "now": now, "limit": limit, "least": LEAST_SHARE},
        )
        return sorted(pk for (pk,) in cursor.fetchall())


def take_in_waiting(batches: int = 200) -> int:
    """Take in whatever is due, batch by batch; returns how many receipts were handled."""
    handled = 0
    for _batch in range(batches):
        ids = claim()
        if not ids:
            break
        try:
            handled += len(take_in(ids))
        except (OperationalError, InterfaceError):
            _give_back(ids)
            raise
    return handled


def _give_back(ids: Sequence[int]) -> None:
    """The database went away in mid-work: when it is back soon, nobody need wait for the lease."""
    for _try in range(GIVE_BACK_TRIES):
        try:
            connection.close()
            Receipt.objects.filter(pk__in=ids, state=ReceiptState.NEW, attempts__gt=0).update(
                attempts=F("attempts") - 1, next_attempt_at=timezone.now()
            )
            return
        except (OperationalError, InterfaceError):
            time.sleep(0.5)


def take_in(receipt_ids: Sequence[int], *, patient: bool = True) -> list[Outcome]:
    """Parse and apply claimed receipts, in their order. One outcome each; "postponed" ones wait for what they answer.

    Errors of the store pass through, and the receipts stay claimed until the lease runs out. With `patient` false
    nothing is postponed.
    """
    outcomes: dict[int, Outcome] = {}
    for chunk in _chunks(receipt_ids):
        asked = _own.set(our_addresses())
        try:
            parsed = parse_all(chunk, outcomes)
            if parsed:
                ready = _postpone(parsed, outcomes) if patient else parsed
                for outcome in _apply(ready):
                    outcomes[outcome.receipt_id] = outcome
        finally:
            _own.reset(asked)
    return [outcomes[pk] for pk in receipt_ids if pk in outcomes]


def take_in_now(receipt_ids: Sequence[int], *, seconds: float = 5.0) -> list[Outcome]:
    """As `take_in`, for a caller that needs the outcome: waits this long for what is answered, then no longer."""
    outcomes: dict[int, Outcome] = {}
    waiting = list(receipt_ids)
    until = time.monotonic() + seconds
    while waiting:
        patient = time.monotonic() < until
        outcomes.update({outcome.receipt_id: outcome for outcome in take_in(waiting, patient=patient)})
        waiting = [pk for pk in waiting if pk in outcomes and outcomes[pk].status == "postponed"]
        if waiting:
            time.sleep(0.1)
    return [outcomes[pk] for pk in receipt_ids if pk in outcomes]


def _chunks(receipt_ids: Sequence[int]) -> Iterator[list[Receipt]]:
    """Receipts in groups whose raw bytes together stay small: what bounds a worker's memory."""
    sizes = dict(Receipt.objects.filter(pk__in=receipt_ids).values_list("pk", "size"))
    chunk: list[int] = []
    total = 0
    for pk in [pk for pk in receipt_ids if pk in sizes]:
        if chunk and (total + sizes[pk] > BATCH_BYTES or len(chunk) >= BATCH_SIZE):
            yield _load(chunk)
            chunk, total = [], 0
        chunk.append(pk)
        total += sizes[pk]
    if chunk:
        yield _load(chunk)


def _load(ids: Sequence[int]) -> list[Receipt]:
    return list(Receipt.objects.filter(pk__in=ids).select_related("channel").order_by("pk"))


def _postpone(items: Sequence[Item], outcomes: dict[int, Outcome]) -> list[Item]:
    """Set aside what answers a message that lies in an older receipt not taken in yet, so that no thread is torn."""
    now = timezone.now()
    batch = {receipt.pk for receipt, _, _ in items}
    asked = {
        reference: receipt.pk for receipt, works, _ in items for work in works for reference in referenced(work.inbound)
    }
    if not asked:
        return list(items)
    fresh = Receipt.objects.filter(
        state=ReceiptState.NEW, key__in=asked, received_at__gt=now - WAIT_FOR_PARENT, pk__lt=max(batch)
    ).exclude(pk__in=batch)
    awaited = dict(fresh.values_list("key", "pk"))
    if not awaited:
        return list(items)
    ready, late = [], []
    for item in items:
        receipt, works, _ = item
        parents = [awaited[ref] for work in works for ref in referenced(work.inbound) if ref in awaited]
        if not any(parent < receipt.pk for parent in parents):
            ready.append(item)
            continue
        late.append(receipt.pk)
        outcomes[receipt.pk] = Outcome(receipt.pk, "postponed")
        if receipt.key:
            awaited[receipt.key] = receipt.pk  # what answers this one waits with it
    Receipt.objects.filter(pk__in=late).update(
        attempts=Greatest(F("attempts") - 1, 0), next_attempt_at=now + timedelta(seconds=0.3)
    )
    return ready


def _apply(items: Sequence[Item]) -> list[Outcome]:
    """Apply parsed receipts in one transaction; when one of them cannot be applied, each gets its own."""
    if not items:
        return []
    for attempt in range(TRIES):
        try:
            return _apply_once(items)
        except (InterfaceError, OperationalError) as error:
            if not locks.lost_race(error) or attempt == TRIES - 1:
                raise
        except IntegrityError:
            if attempt == TRIES - 1:
                break  # not a race
        except Exception:
            if len(items) == 1:
                logger.exception("receipt %s cannot be taken in", items[0][0].pk)
            break
    if len(items) > 1:
        return [outcome for item in items for outcome in _apply([item])]
    receipt = items[0][0]
    try:
        return _apply_once(items)
    except (InterfaceError, OperationalError):
        raise
    except Exception as error:  # noqa: BLE001 (as above: it blocks nothing behind it)
        return [end(receipt, ReceiptState.FAILED, words(error))]


def _apply_once(items: Sequence[Item]) -> list[Outcome]:
    with transaction.atomic():
        mine = set(
            Receipt.objects.select_for_update(no_key=True)
            .filter(pk__in=[receipt.pk for receipt, _, _ in items], state=ReceiptState.NEW)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        outcomes: dict[int, Outcome] = {}
        works = [
            work
            for receipt, found, _ in items
            if receipt.pk in mine
            for work in found
            if not work.inbound.echo or not _is_our_echo(work, outcomes)
        ]
        for outcome in Batch(works, own_addresses()).run() if works else ():
            outcomes.setdefault(outcome.receipt_id, outcome)
        for receipt, found, told in items:
            if receipt.pk not in mine:
                receipt.refresh_from_db()
                outcomes[receipt.pk] = earlier(receipt)
                continue
            known = [changes.apply(receipt.channel, change, receipt) for change in told]
            if not found:
                outcomes[receipt.pk] = _changed(receipt, told, known)
        _finish([outcomes[receipt.pk] for receipt, _, _ in items if receipt.pk in mine])
        return [outcomes[receipt.pk] for receipt, _, _ in items]


def _is_our_echo(work: Work, outcomes: dict[int, Outcome]) -> bool:
    """Whether the platform tells us what we said ourselves; what may be that is looked at again in a moment."""
    inbound, receipt = work.inbound, work.receipt
    person = inbound.to[0].value if inbound.to else ""
    ours = changes.reconciled(work.channel, person, inbound.text, inbound.reference, inbound.external_id)
    if ours is True and _is_young(receipt):
        outcomes[receipt.pk] = _wait(receipt)
    elif isinstance(ours, Message):
        sent = DeliveryUpdate(inbound.external_id, "sent", at=inbound.at, reference=ours.pk)
        changes.apply(work.channel, sent)
        outcomes[receipt.pk] = Outcome(
            receipt.pk, "ignored", "echo of our own message", ticket=ours.ticket_id, message=ours.pk
        )
    elif not inbound.to:
        nobody = Outcome(receipt.pk, "ignored", "an answer of ours to nobody who is here")
        outcomes[receipt.pk] = _wait(receipt) if _is_young(receipt) else nobody
    return receipt.pk in outcomes


def _changed(receipt: Receipt, told: Sequence[Change], known: Sequence[bool]) -> Outcome:
    """What became of a receipt that brought no message, but news of some."""
    if told and isinstance(told[0], ChannelNews):
        return Outcome(receipt.pk, "ignored", told[0].reason)
    what = NEWS.get(type(told[0]), "news") if told else "nothing"
    if any(known):
        status = "ignored" if what == NEWS[DeliveryUpdate] else "changed"
        return Outcome(receipt.pk, status, what, receipt.meta.get("ticket"), receipt.meta.get("message"))
    if told and _is_young(receipt):
        return _wait(receipt)
    if any(isinstance(one, Edit) for one in told):
        changes.forget(receipt)  # words of a message that is not here, perhaps because it was erased
    return Outcome(receipt.pk, "ignored", f"{what} about no message of ours")


def _is_young(receipt: Receipt) -> bool:
    """Whether what this is about may still come: a platform's calls overtake one another, and our own answers."""
    return receipt.received_at > timezone.now() - adapter_for(receipt.channel.kind).patience


def _wait(receipt: Receipt) -> Outcome:
    """Look at it again, after half as long as it has waited."""
    waited = timezone.now() - receipt.received_at
    again = timezone.now() + min(max(waited / 2, SOONEST_AGAIN), LATEST_AGAIN)
    Receipt.objects.filter(pk=receipt.pk).update(attempts=Greatest(F("attempts") - 1, 0), next_attempt_at=again)
    return Outcome(receipt.pk, "postponed")


def _finish(outcomes: Sequence[Outcome]) -> None:
    """Mark receipts as done. A duplicate keeps the ids of the message it repeats."""
    now = timezone.now()
    plain = [outcome.receipt_id for outcome in outcomes if outcome.status in {"created", "appended"}]
    Receipt.objects.filter(pk__in=plain).update(state=ReceiptState.DONE, done_at=now, reason="")
    for outcome in outcomes:
        if outcome.status in {"created", "appended", "postponed"}:
            continue
        state = ReceiptState.IGNORED if outcome.status == "ignored" else ReceiptState.DONE
        receipt = Receipt.objects.get(pk=outcome.receipt_id)
        receipt.meta = {**receipt.meta, "ticket": outcome.ticket, "message": outcome.message}
        receipt.state, receipt.done_at, receipt.reason = state, now, outcome.reason or outcome.status
        receipt.save(update_fields=["meta", "state", "done_at", "reason"])
        if outcome.erased is not None:
            erased_receipts.forget_repeat(receipt, outcome.erased)


_own: ContextVar[frozenset[str] | None] = ContextVar("own addresses", default=None)


def own_addresses() -> frozenset[str]:
    """Every address that is ours: never a customer. Asked once for each batch of receipts."""
    known = _own.get()
    return our_addresses() if known is None else known


def preview(channel: Channel, raw: RawReceipt) -> Outcome:
    """What `take_in` would make of these bytes; writes nothing."""
    now = timezone.now()
    receipt = Receipt(channel=channel, external_id=raw.external_id, key=raw.key, meta=dict(raw.meta), at=raw.at or now)
    receipt.received_at = now
    adapter = adapter_for(channel.kind)
    try:
        values: Sequence[Parsed] = adapter.parse(receipt, raw.raw)
    except Ignore as reason:
        return Outcome(0, "ignored", str(reason))
    except Exception as error:  # noqa: BLE001 (as take_in would say)
        return Outcome(0, "failed", words(error))
    inbounds = [value for value in values if isinstance(value, Inbound)]
    if not inbounds:
        return Outcome(0, "ignored", "delivery report")
    with transaction.atomic():
        receipt.save()
        batch = Batch([Work(receipt, channel, adapter, inbound) for inbound in inbounds], own_addresses())
        outcome = batch.run()[0]
        transaction.set_rollback(True)
    if outcome.status == "created":
        outcome.ticket = None
    outcome.message = None
    return outcome
