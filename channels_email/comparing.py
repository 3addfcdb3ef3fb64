"""Whether we have the mails of a folder: asked of the database for many at once, and of their bytes only at the end."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from imapclient import IMAPClient

from channels_email import fetching, imap, tokens
from channels_email.fetching import Header
from inbox.actions import receive, retrying
from inbox.adapters import DeliveryUpdate, Ignore, Inbound, RawReceipt, adapter_for
from inbox.models import Channel, Message, MessageKey, Receipt, ReceiptState

# A receipt speaks for its mail unless it says "done" of a message that is no longer there, or that the server did not
# give the mail: there is nothing of it here.
WITHHELD = f"(r.state IN ('new', 'failed') AND r.size = 0 AND starts_with(r.external_id, '{fetching.UNREAD}'))"
SPEAKS = f"""
    ((r.state <> 'done' AND NOT {WITHHELD})
     OR EXISTS (SELECT FROM inbox_message m WHERE m.receipt_id = r.id)
     OR EXISTS (SELECT FROM inbox_messagecopy c WHERE c.receipt_id = r.id)
     OR EXISTS (SELECT FROM inbox_message m WHERE m.id = (r.meta->>'message')::bigint))
"""  # noqa: S608 (our own words)


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of a channel's mailbox, in one numbering of its mails."""

    channel: Channel
    folder: str
    uidvalidity: int
    mailbox: str

    @property
    def meta(self) -> dict[str, str | int]:
        return {"folder": self.folder, "uidvalidity": self.uidvalidity, "mailbox": self.mailbox}


@dataclass(slots=True)
class Found:
    """Of some mails: how many are gone from the server, how many we did not have, how many of those come in now."""

    gone: int = 0
    missing: int = 0
    caught_up: int = 0


def received(source: Source, begin: int) -> array[int]:
    """UIDs from `begin` on that have a receipt which speaks for them, rising: eight bytes each."""
    found = array("q")
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT (r.meta->>'uid')::bigint AS uid FROM inbox_receipt r
            WHERE r.channel_id = %s AND r.meta->>'folder' = %s AND r.meta->>'uidvalidity' = %s
              AND coalesce(r.meta->>'mailbox', %s) = %s AND (r.meta->>'uid')::bigint >= %s AND {SPEAKS}
            ORDER BY uid
            """,  # noqa: S608 (our own words)
            [
                source.channel.pk,
                source.folder,
                str(source.uidvalidity),
                source.mailbox,
                source.mailbox,
                begin,
            ],
        )
        while rows := cursor.fetchmany(5000):
            found.extend(uid for (uid,) in rows)
    return found


def compare(client: IMAPClient, source: Source, uids: Sequence[int], receipts: set[int]) -> Found:
    """Find out which of these mails we do not have, and take them in. `receipts` are UIDs that a receipt speaks for."""
    unsure = [uid for uid in uids if uid not in receipts]
    found = Found()
    if unsure:
        withheld = _withheld(source, unsure)  # a server that does not give them may not give their headers either
        headers = fetching.headers(client, [uid for uid in unsure if uid not in withheld])
        found.gone = len(unsure) - len(withheld) - len(headers)
        for batch in imap.batches(imap.sizes(client, sorted([*_not_by_headers(headers), *withheld]))):
            _by_bytes(source, fetching.fetch(client, source.meta, batch), [uid for uid, _size in batch], found)
    return found


def ours(client: IMAPClient, source: Source, uids: Sequence[int]) -> list[int]:
    """Of these mails, those that a message or a receipt of ours has the headers of. Nothing is taken in."""
    headers = fetching.headers(client, uids)
    unknown = set(_not_by_headers(headers))
    ids = {headers[uid][0] for uid in unknown if headers[uid][0]}
    keys = set(Receipt.objects.filter(channel=source.channel, key__in=ids).values_list("key", flat=True))
    return sorted(uid for uid, header in headers.items() if uid not in unknown or header[0] in keys)


def _withheld(source: Source, uids: Sequence[int]) -> set[int]:
    """Those that the server did not give when they were to be fetched."""
    names = {fetching.unread(source.meta, uid, "").external_id: uid for uid in uids}
    found = _unread(source, names).values_list("external_id", flat=True)
    return {names[name] for name in found}


def _unread(source: Source, names: Collection[str]) -> QuerySet[Receipt]:
    return Receipt.objects.filter(
        channel=source.channel, external_id__in=names, state__in=[ReceiptState.NEW, ReceiptState.FAILED], size=0
    )


def _not_by_headers(headers: Mapping[int, Header]) -> list[int]:
    """Those of which no message of ours has Message-ID and Date, or fewer messages than there are mails."""
    alike: dict[Header, list[int]] = defaultdict(list)
    for uid, header in headers.items():
        if not tokens.is_own_message_id(header[0]):  # our own mail, come back
            alike[header].append(uid)
    ids = {external_id for external_id, _date in alike if external_id}
    known: dict[Header, int] = defaultdict(int)
    for external_id, date in _messages(ids):
        known[external_id, date] += 1
    return sorted(uid for header, uids in alike.items() if len(uids) > known.get(header, 0) for uid in uids)


def _messages(ids: set[str]) -> Iterator[Header]:
    rows = (
        Message.objects.filter(external_id__in=ids)
        .exclude(external_id="")
        .values_list("external_id", "payload__headers__date")
    )
    for external_id, date in rows:
        yield external_id, date or ""


def _by_bytes(source: Source, raws: Sequence[RawReceipt], asked: Sequence[int], found: Found) -> None:
    """The last word: bytes of which there is neither a receipt that speaks nor a message are taken in."""
    found.gone += len(asked) - len(raws)
    speaking, silent = _receipts_of(source, [raw.external_id for raw in raws])
    keys = {raw.external_id: _key(source, raw) for raw in raws if raw.external_id not in speaking}
    there = MessageKey.objects.filter(scope="email", key__in=keys.values()).values_list("key", flat=True)
    known = {*there, NOTHING_TO_KEEP} if keys else {NOTHING_TO_KEEP}
    missing = {raw.external_id: raw for raw in raws if keys.get(raw.external_id, NOTHING_TO_KEEP) not in known}
    again = [silent[name] for name in missing if name in silent]
    new = [raw for name, raw in missing.items() if name not in silent]
    found.missing += len(missing)
    found.caught_up += retrying.take_in_again(again) if again else 0
    stored = receive.store(source.channel, new) if new else []
    found.caught_up += sum(one.created for one, raw in zip(stored, new, strict=True) if not _is_withheld(raw))
    given = [fetching.unread(source.meta, raw.meta["uid"], "").external_id for raw in raws if not _is_withheld(raw)]
    _unread(source, given).filter(state=ReceiptState.FAILED).delete()  # that they are not given is true no more


def _is_withheld(raw: RawReceipt) -> bool:
    return raw.external_id.startswith(fetching.UNREAD)


def _receipts_of(source: Source, digests: Sequence[str]) -> tuple[set[str], dict[str, int]]:
    """(digests of receipts that speak, ids of those that do not by digest)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.external_id, r.id, {SPEAKS} FROM inbox_receipt r"  # noqa: S608 (our own words)
            " WHERE r.channel_id = %s AND r.external_id = ANY(%s)",
            [source.channel.pk, list(digests)],
        )
        rows = cursor.fetchall()
    return {name for name, _pk, speaks in rows if speaks}, {name: pk for name, pk, speaks in rows if not speaks}


NOTHING_TO_KEEP = "-"


def _key(source: Source, raw: RawReceipt) -> str:
    """The key of the message that these bytes make; empty for what cannot be read.

    A report or a mail that is left out on purpose makes none, and its receipt is forgotten after RECEIPT_DAYS: there is
    nothing to keep of one that is older than that.
    """
    if not raw.raw:
        return ""
    now = timezone.now()
    receipt = Receipt(channel=source.channel, meta=dict(raw.meta), at=raw.at or now, state=ReceiptState.NEW)
    old = (raw.at or now) < now - timedelta(days=settings.RECEIPT_DAYS)
    try:
        parsed = adapter_for(source.channel.kind).parse(receipt, raw.raw)
    except Ignore:
        return NOTHING_TO_KEEP if old else ""
    except Exception:  # noqa: BLE001 (whatever it trips over is said of the receipt that is stored now)
        return ""
    inbound = [one for one in parsed if isinstance(one, Inbound)]
    if not inbound and old and all(isinstance(one, DeliveryUpdate) for one in parsed):
        return NOTHING_TO_KEEP
    return inbound[0].key if inbound else ""
