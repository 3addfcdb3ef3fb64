"""Fetching mails from an open folder: which are here, which are gone, which the server does not give, and why.

Only a mail that the server withholds while it gives others is set aside, as a receipt without bytes that says so and
can be fetched again (`again`). All else that goes wrong is the server's trouble: MailboxAway, and the cursor stays.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels_email.mime.headers import message_id
from channels_email.mime.parts import read_tree
from channels_email.receipts import raw_receipt
from channels_email.words import said
from inbox.adapters import RawReceipt

WHOLE = ["BODY.PEEK[]", "INTERNALDATE"]
HEADERS = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)]"
DATE_LENGTH = 500  # what `mime.read` keeps of a header
UNREAD = "unread-"  # how the external ids of receipts without bytes begin; behind every digest in the alphabet
# The server's trouble, whichever mail is asked for (RFC 5530; THROTTLED is said by large providers). SERVERBUG is not
# among them: Dovecot says it of one damaged mail, too.
_PASSING = re.compile(r"\[(?:UNAVAILABLE|INUSE|OVERQUOTA|LIMIT|THROTTLED|EXPUNGEISSUED)[\] ]", re.IGNORECASE)
Source = Mapping[str, Any]  # folder, uidvalidity and mailbox: what a UID belongs to
Item = Mapping[bytes, Any]
Header = tuple[str, str]


class MailboxAway(OSError):
    """The mailbox cannot be read now; the text says why, for people."""


def fetch(client: IMAPClient, source: Source, batch: Sequence[tuple[int, int]]) -> list[RawReceipt]:
    """The mails of one batch of (uid, bytes), in its order, without those gone from the server. Raises MailboxAway."""
    wanted = {uid: size for uid, size in batch if not too_large(size)}
    receipts = {uid: unread(source, uid, _limit_words()) for uid, size in batch if too_large(size)}
    items: Mapping[int, Item] = {}
    if wanted:
        try:
            items = client.fetch(list(wanted), WHOLE)
        except IMAPClientError as error:
            _raise_if_away(error)  # else the server says NO to one of them: each is asked for by itself
    troubles: dict[int, str] = {}
    for uid, size in wanted.items():
        item = items.get(uid, {})
        if not _has_body(item, size):
            item, troubles[uid] = _single(client, uid)
        if _has_body(item, size):
            troubles.pop(uid, None)
            receipts[uid] = received(source, uid, item)
    for uid, reason in _confirmed(client, troubles, [uid for uid in receipts if uid in wanted]).items():
        receipts[uid] = unread(source, uid, reason)
    return [receipts[uid] for uid in sorted(receipts)]


def headers(client: IMAPClient, uids: Sequence[int]) -> dict[int, Header]:
    """What each mail that is still there says of itself: Message-ID and Date, as messages keep them."""
    found: dict[int, Header] = {}
    answer = client.fetch(uids, [HEADERS]) if uids else {}
    for uid in uids:
        item = answer.get(uid)
        if item is None:
            continue
        raw = next((value for name, value in item.items() if name.startswith(b"BODY[")), b"")
        root = read_tree(raw or b"", [])
        found[uid] = (message_id(root.first("message-id")), root.text("date")[:DATE_LENGTH])
    return found


def behind(client: IMAPClient, status: Mapping[bytes, Any]) -> int:
    """The first number behind all mails of the open folder, also where the answer to SELECT does not say UIDNEXT."""
    if told := int(status.get(b"UIDNEXT", 0)):
        return told
    return max(client.search(["*"]), default=0) + 1 if int(status.get(b"EXISTS", 0)) else 1


def too_large(size: int) -> bool:
    """Whether a mail of so many bytes is more than this system takes."""
    return size > int(settings.SMTP_IN_MAX_BYTES)


def again(client: IMAPClient, source: Source, uid: int) -> RawReceipt:
    """A mail that was set aside earlier, from the selected folder. Raises MailboxAway with why it still is not here."""
    try:
        sizes = client.fetch([uid], ["RFC822.SIZE"])
    except IMAPClientError as error:
        _raise_if_lost(error)
        sizes = {}
    size = int(sizes.get(uid, {}).get(b"RFC822.SIZE", 1))
    if too_large(size):
        raise MailboxAway(_limit_words())
    item, reason = _single(client, uid)
    if not _has_body(item, size):
        raise MailboxAway(reason if _is_there(client, uid) else _("It is no longer in the mailbox."))
    return received(source, uid, item)


def received(source: Source, uid: int, item: Item) -> RawReceipt:
    return raw_receipt(bytes(item[b"BODY[]"]), at=_aware(item.get(b"INTERNALDATE")), meta={**source, "uid": uid})


def unread(source: Source, uid: int, reason: str) -> RawReceipt:
    """A receipt without bytes, that says why."""
    place = f"{source['mailbox']}/{source['folder']}/{source['uidvalidity']}/{uid}".encode()
    meta = {**source, "uid": uid, "error": reason}
    return RawReceipt(raw=b"", external_id=UNREAD + hashlib.sha256(place).hexdigest(), meta=meta)


def _has_body(item: Item, size: int) -> bool:
    body = item.get(b"BODY[]")
    return isinstance(body, bytes) and (bool(body) or size == 0)


def _single(client: IMAPClient, uid: int) -> tuple[Item, str]:
    """One mail asked for by itself, and what the server said if it is not given."""
    try:
        return client.fetch([uid], WHOLE).get(uid, {}), _("The server does not give this mail.")
    except IMAPClientError as error:
        _raise_if_away(error)
        return {}, said(str(error))


def _confirmed(client: IMAPClient, troubles: Mapping[int, str], good: Sequence[int]) -> dict[int, str]:
    """Of the mails that were not given, those that are there: if the server still gives another one, after them."""
    there = {uid: reason for uid, reason in troubles.items() if _is_there(client, uid)} if troubles else {}
    if there and not _gives_another(client, set(troubles), good):
        raise MailboxAway(next(iter(there.values())))
    return there


def _is_there(client: IMAPClient, uid: int) -> bool:
    client.noop()  # lets the server say what was expunged
    return uid in client.search(["UID", str(uid)])


def _gives_another(client: IMAPClient, but: set[int], good: Sequence[int]) -> bool:
    """Whether the server gives the beginning of a mail other than `but`; those in `good` were given just now."""
    others = list(good) or [uid for uid in client.search(["UID", _around(but)]) if uid not in but]
    for uid in dict.fromkeys([*others[:1], *others[-2:]]):
        try:
            item = client.fetch([uid], ["BODY.PEEK[]<0.1024>"]).get(uid, {})
        except IMAPClientError as error:
            _raise_if_away(error)
            continue
        if item.get(b"BODY[]<0>"):
            return True
    return False


def _around(uids: set[int]) -> str:
    """UIDs near these as a sequence set, few enough that their list stays short."""
    return f"{max(1, min(uids) - 10_000)}:{max(uids) + 10_000}"


def _raise_if_lost(error: IMAPClientError) -> None:
    if isinstance(error, IMAPClientAbortError):
        raise error


def _raise_if_away(error: IMAPClientError) -> None:
    _raise_if_lost(error)
    if _PASSING.search(str(error)):
        raise MailboxAway(said(str(error))) from error


def _limit_words() -> str:
    return _("It is larger than this system takes (SMTP_IN_MAX_BYTES).")


def _aware(stamp: datetime | None) -> datetime | None:
    if stamp is None or stamp.tzinfo is not None:
        return stamp
    return stamp.replace(tzinfo=UTC)
