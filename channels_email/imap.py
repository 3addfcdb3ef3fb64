"""Reading a mailbox over IMAP: a cursor of UIDs a folder, nothing marked, nothing deleted, nothing skipped.

Folders are opened read-only (EXAMINE) and mails fetched by BODY.PEEK[], so \\Seen is neither used nor touched. When a
folder's UIDVALIDITY changes, it is read again from the start; the receipts' digests make that harmless.
"""

import contextlib
import hashlib
import imaplib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels_email.receipts import raw_receipt
from channels_email.servers import Server
from channels_email.words import said, why_no_connection
from inbox.adapters import RawReceipt
from lib import net

logging.getLogger("imapclient").setLevel(logging.WARNING)  # it tells every log-out at INFO

BATCH_MAILS = 50
BATCH_BYTES = 8 * 1024 * 1024
WINDOW = 50_000  # UIDs asked for at once: their list comes as one line, which imaplib takes up to a million bytes long
LOOK_AHEAD = 1000  # how many sizes are asked for at once
ATTEMPTS = 3  # connections without progress before the poll gives up
TIMEOUT = SocketTimeout(connect=20, read=60)
Cursor = dict[str, Any]
Batch = tuple[list[RawReceipt], Cursor]


class MailboxAway(OSError):
    """The mailbox cannot be read now; the text says why, for people."""


class GuardedIMAPClient(IMAPClient):
    """IMAPClient over `lib.net`: private networks refused, certificates verified."""

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802
        return net.GuardedIMAP4(self.host, self.port, self._timeout.connect, self.ssl_context if self.ssl else None)


def connect(server: Server) -> GuardedIMAPClient:
    """A logged-in connection. Raises MailboxAway."""
    client: GuardedIMAPClient | None = None
    try:
        client = GuardedIMAPClient(
            server.host,
            port=server.port,
            ssl=server.security == "tls",
            ssl_context=net.tls_context(),
            timeout=TIMEOUT,
        )
        client.normalise_times = False
        if server.security == "starttls":
            client.starttls(net.tls_context())
        client.login(server.username, server.password)
    except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
        if client is not None:
            close(client)
        raise MailboxAway(why(error, server)) from error
    return client


def close(client: IMAPClient) -> None:
    """Hang up, whatever state the connection is in."""
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        client.shutdown()


def poll(server: Server, cursor: Cursor) -> Iterator[Batch]:
    """Batches of new mails with the cursor to keep once each is stored. Raises MailboxAway.

    A lost connection is opened again; reading goes on behind the last batch that was taken from here.
    """
    cursor = {folder: dict(position) for folder, position in cursor.items()}
    failures = 0
    while True:
        client = connect(server)
        try:
            for folder in server.folders:
                for batch in _folder(client, folder, cursor.get(folder, {})):
                    failures = 0
                    cursor[folder] = batch[1]
                    yield batch[0], {name: dict(position) for name, position in cursor.items()}
            return
        except (OSError, imaplib.IMAP4.error) as error:
            if not isinstance(error, OSError | IMAPClientAbortError):
                raise MailboxAway(why(error, server)) from error
            failures += 1
            if failures >= ATTEMPTS:
                raise MailboxAway(why(error, server)) from error
        finally:
            close(client)


def _folder(client: IMAPClient, folder: str, position: Cursor) -> Iterator[Batch]:
    """What is new in one folder, oldest first; the second value is the folder's own position."""
    status = client.select_folder(folder, readonly=True)
    validity = int(status.get(b"UIDVALIDITY", 0))
    same = position.get("uidvalidity") == validity
    last = int(position.get("uid", 0)) if same else 0
    end = int(status.get(b"UIDNEXT", 0)) or last + WINDOW + 1
    for start in range(last + 1, end, WINDOW):
        uids = sorted(client.search(["UID", f"{start}:{min(start + WINDOW, end) - 1}"]))
        for first in range(0, len(uids), LOOK_AHEAD):
            ahead = uids[first : first + LOOK_AHEAD]
            sizes = {uid: int(item[b"RFC822.SIZE"]) for uid, item in client.fetch(ahead, ["RFC822.SIZE"]).items()}
            for batch in batches([(uid, sizes[uid]) for uid in ahead if uid in sizes]):
                last = batch[-1][0]
                yield _fetch(client, folder, validity, batch), {"uidvalidity": validity, "uid": last}
    end_known = b"UIDNEXT" in status
    here = {"uidvalidity": validity, "uid": max(last, end - 1) if end_known else last}
    if here["uid"] > last or (last == 0 and not same):  # what is left below is gone: not to be looked at again
        yield [], here


def batches(sizes: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """(uid, bytes) pairs in groups of at most BATCH_MAILS and BATCH_BYTES; a larger mail stands alone."""
    group: list[tuple[int, int]] = []
    total = 0
    for uid, size in sizes:
        if group and (len(group) >= BATCH_MAILS or total + size > BATCH_BYTES):
            yield group
            group, total = [], 0
        group.append((uid, size))
        total += size
    if group:
        yield group


def _fetch(client: IMAPClient, folder: str, validity: int, batch: list[tuple[int, int]]) -> list[RawReceipt]:
    """The mails of one batch; one that cannot be had becomes a receipt that says so, and holds up nothing."""
    limit = settings.SMTP_IN_MAX_BYTES
    uids = [uid for uid, size in batch if size <= limit]
    receipts = {
        uid: _unread(folder, validity, uid, _("It is larger than this system takes (SMTP_IN_MAX_BYTES)."))
        for uid, size in batch
        if size > limit
    }
    try:
        items = client.fetch(uids, ["BODY.PEEK[]", "INTERNALDATE"]) if uids else {}
    except IMAPClientError as error:
        if isinstance(error, IMAPClientAbortError):
            raise
        items = {}
        for uid in uids:  # the server answers NO to one of them: find out to which
            try:
                items.update(client.fetch([uid], ["BODY.PEEK[]", "INTERNALDATE"]))
            except IMAPClientError as single:
                if isinstance(single, IMAPClientAbortError):
                    raise
                receipts[uid] = _unread(folder, validity, uid, said(str(single)))
    for uid, item in items.items():
        raw = item.get(b"BODY[]")
        if raw is None:
            continue  # a FLAGS answer about another mail
        meta = {"folder": folder, "uid": uid, "uidvalidity": validity}
        receipts[uid] = raw_receipt(bytes(raw), at=_aware(item.get(b"INTERNALDATE")), meta=meta)
    return [receipts[uid] for uid in sorted(receipts)]


def _unread(folder: str, validity: int, uid: int, reason: str) -> RawReceipt:
    meta = {"folder": folder, "uid": uid, "uidvalidity": validity, "error": reason}
    place = f"{folder}/{validity}/{uid}".encode()
    return RawReceipt(raw=b"", external_id="unread-" + hashlib.sha256(place).hexdigest(), meta=meta)


def _aware(stamp: datetime | None) -> datetime | None:
    if stamp is None or stamp.tzinfo is not None:
        return stamp
    return stamp.replace(tzinfo=UTC)


def why(error: Exception, server: Server) -> str:
    """What keeps the mailbox from being read, for people."""
    return str(error) if isinstance(error, MailboxAway) else why_no_connection(error, server)
