"""Of a person who is erased: raw mail and whatever else arrived, their own and others' that names them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from inbox import files
from inbox.actions import pictures
from inbox.actions.naming import ERASED, Person, without
from inbox.actions.work import our_addresses
from inbox.models import (
    Attachment,
    Message,
    MessageCopy,
    Receipt,
    ReceiptState,
)

BATCH = 500

EDITED_IN = "edited_in"  # in a message's payload: the receipts (ids) that tell its other texts
FEW = 50  # receipts with their bytes
OVERLAP = 10_000  # ids of receipts: whoever got one of the newest may commit a little later
UNDONE = (ReceiptState.NEW, ReceiptState.FAILED)
HEAD_BYTES = 64 * 1024  # of a receipt in storage: its head and more


def receipts_naming(person: Person, after: int = 0) -> set[int]:
    """Receipts (ids above `after`) that may be theirs or name them: of the many others the database leaves out most.

    What no message tells of is looked at in itself, in whatever case it spells an address. Locks nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id
            FROM inbox_receipt
            WHERE id > %(after)s AND (
               meta ->> 'message' = ANY(%(messages)s::text[])
               OR state IN ('new', 'failed') OR (stored <> '' AND state <> 'done')
               OR EXISTS (
                   SELECT FROM unnest(%(needles)s::text[]) AS one (value)
                   WHERE position(convert_to(value, 'UTF8') IN raw) > 0 OR strpos(lower(meta::text), lower(value)) > 0
                      OR strpos(lower(reason), lower(value)) > 0
               )
            )
            """,
            {
                "after": after,
                "messages": [str(pk) for pk in person.messages],
                "needles": person.naming.needles,
            },
        )
        return {pk for (pk,) in cursor.fetchall()}


def forget_receipts(person: Person, perhaps: set[int]) -> tuple[set[str], set[int]]:
    """Empty every receipt that carried one of these messages, or that the person wrote and no message was made of.

    What others wrote and names the person stays as it is until it was taken in: their mail is not lost. After that its
    bytes go, and nothing else. What is being taken in at this moment is left alone: whoever does so holds the receipt
    and waits for the customer. Returns stored files, and the ids of others' receipts that named them.
    """
    carried = set(Message.objects.filter(pk__in=person.messages).values_list("receipt", flat=True))
    carried |= set(MessageCopy.objects.filter(message__in=person.messages).values_list("receipt", flat=True))
    edited = Message.objects.filter(pk__in=person.messages, payload__has_key=EDITED_IN)
    carried |= {pk for told in edited.values_list(f"payload__{EDITED_IN}", flat=True) for pk in told}
    theirs = sorted(carried - {None})
    ids = sorted(perhaps - carried)
    own = our_addresses()
    mentioned: list[Receipt] = []
    for place in range(0, len(ids), FEW):
        some = Receipt.objects.filter(pk__in=ids[place : place + FEW])
        undone = some.filter(state__in=UNDONE).select_for_update(no_key=True, skip_locked=True)
        free = set(undone.order_by("pk").values_list("pk", flat=True))
        for receipt in some.select_related("channel"):
            if receipt.state in UNDONE and receipt.pk not in free:
                continue
            if str(receipt.meta.get("message")) in person.message_names:
                theirs.append(receipt.pk)
                continue
            raw = _head(receipt)
            if not any(person.naming.is_in(said) for said in (raw, receipt.meta, receipt.reason)):
                continue
            if receipt.state != ReceiptState.DONE and person.naming.wrote(receipt, raw, own):
                theirs.append(receipt.pk)
            elif receipt.state in {ReceiptState.DONE, ReceiptState.IGNORED}:
                receipt.raw = None
                mentioned.append(receipt)
            elif person.words is not None and receipt.reason:
                reason = person.words.sub(ERASED, receipt.reason)
                Receipt.objects.filter(pk=receipt.pk).update(reason=reason)
    stored: set[str] = set()
    for place in range(0, len(theirs), BATCH):
        some = Receipt.objects.filter(pk__in=theirs[place : place + BATCH])
        stored |= set(some.values_list("stored", flat=True))
        some.update(raw=None, stored="", key="", meta={}, reason="erased", size=0)
        some.filter(state__in=UNDONE).update(state=ReceiptState.IGNORED)
    stored |= {receipt.stored for receipt in mentioned}
    for receipt in mentioned:
        forget_bytes(receipt, person)
    return stored - {""}, {receipt.pk for receipt in mentioned}


def forget_repeat(receipt: Receipt, attached: Sequence[str]) -> None:
    """What was erased came once more: of this copy, too, nothing stays but which message it repeats.

    `attached` are its attachments in storage. Run it inside the transaction that takes the copy in.
    """
    stored = {receipt.stored, *attached} - {""}
    receipt.raw, receipt.stored, receipt.key, receipt.size, receipt.reason = None, "", "", 0, "erased"
    receipt.meta = {name: receipt.meta[name] for name in ("ticket", "message") if name in receipt.meta}
    receipt.save(update_fields=["raw", "stored", "key", "size", "reason", "meta"])
    transaction.on_commit(lambda: delete_files(stored), robust=True)


def _head(receipt: Receipt) -> bytes:
    """The bytes that arrived; of large ones their beginning, unless their message tells what they say."""
    if receipt.raw is not None:
        return bytes(receipt.raw)
    try:
        return files.get(receipt.stored, HEAD_BYTES) if receipt.state != ReceiptState.DONE else b""
    except FileNotFoundError:
        return b""


def forget_bytes(receipt: Receipt, person: Person) -> None:
    """Of somebody else's receipt the bytes go, and what names the person; where it came from and its state stay."""
    words = person.words
    receipt.raw, receipt.stored, receipt.size = None, "", 0
    if words is not None:
        receipt.meta, receipt.reason = without(receipt.meta, words), words.sub(ERASED, receipt.reason)
    receipt.save(update_fields=["raw", "stored", "size", "meta", "reason"])


def delete_files(stored: Sequence[str] | set[str]) -> None:
    """Delete these files, apart from what a row of somebody else holds, too."""
    names = set(stored)
    held = set(Attachment.objects.filter(stored__in=names).values_list("stored", flat=True))
    held |= set(Receipt.objects.filter(stored__in=names).values_list("stored", flat=True))
    for name in names - held - pictures.held(names):
        files.erase(name)
