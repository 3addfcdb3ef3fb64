"""Reading a mailbox over IMAP: a cursor of UIDs a folder, nothing marked, nothing deleted, nothing skipped.

Folders are opened read-only (EXAMINE) and mails fetched by BODY.PEEK[], so \\Seen is neither used nor touched. When a
folder's UIDVALIDITY changes, or the mailbox is another one, it is read again from the start; the receipts' digests make
that harmless.
"""

import contextlib
import imaplib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels_email import fetching
from channels_email.fetching import MailboxAway as MailboxAway
from channels_email.servers import Server
from channels_email.words import why_no_connection
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


def mailbox_of(server: Server) -> str:
    """What a position belongs to: the same folder and numbers in another mailbox are other mails."""
    return f"{server.username}@{server.host}:{server.port}"


def poll(server: Server, cursor: Cursor) -> Iterator[Batch]:
    """Batches of new mails with the cursor to keep once each is stored. Raises MailboxAway.

    A lost connection is opened again; reading goes on behind the last batch that was taken from here. A folder that
    cannot be read keeps none of the others waiting; it is told at the end.
    """
    cursor = {folder: dict(position) for folder, position in cursor.items()}
    left = list(server.folders)
    troubles: list[str] = []
    failures = 0
    while True:
        client = connect(server)
        try:
            while left:
                try:
                    for batch in _folder(client, server, left[0], cursor.get(left[0], {})):
                        failures = 0
                        cursor[left[0]] = batch[1]
                        yield batch[0], {name: dict(position) for name, position in cursor.items()}
                except (MailboxAway, IMAPClientError) as error:
                    if isinstance(error, IMAPClientAbortError):
                        raise
                    troubles.append(f"{left[0]}: {why(error, server)}")
                left.pop(0)
            break
        except (OSError, imaplib.IMAP4.error) as error:
            failures += 1
            if failures >= ATTEMPTS:
                raise MailboxAway("; ".join([*troubles, why(error, server)])) from error
        finally:
            close(client)
    if troubles:
        raise MailboxAway("; ".join(troubles))


def _folder(client: IMAPClient, server: Server, folder: str, position: Cursor) -> Iterator[Batch]:
    """What is new in one folder, oldest first; the second value is the folder's own position."""
    status = client.select_folder(folder, readonly=True)
    validity, mailbox = int(status.get(b"UIDVALIDITY", 0)), mailbox_of(server)
    source = {"folder": folder, "uidvalidity": validity, "mailbox": mailbox}
    last, end = int(position.get("uid", 0)), int(status.get(b"UIDNEXT", 0))
    same = position.get("uidvalidity") == validity and position.get("mailbox", mailbox) == mailbox
    if not same or 0 < end <= last:  # numbers never go back in one and the same folder
        last = 0
    here, kept = {"uidvalidity": validity, "mailbox": mailbox}, position
    behind = end or last + WINDOW + 1
    for start in range(last + 1, behind, WINDOW):
        uids = sorted(client.search(["UID", f"{start}:{min(start + WINDOW, behind) - 1}"]))
        for first in range(0, len(uids), LOOK_AHEAD):
            for batch in batches(_sizes(client, uids[first : first + LOOK_AHEAD])):
                last = batch[-1][0]
                kept = {**here, "uid": last}
                yield fetching.fetch(client, source, batch), kept
    reached = {**here, "uid": max(last, end - 1)}
    if reached != kept:  # what is left below is gone: not to be looked at again
        yield [], reached


def _sizes(client: IMAPClient, uids: Sequence[int]) -> list[tuple[int, int]]:
    """(uid, bytes) of each mail; one that a server tells no size of counts as a batch, so that it stands alone."""
    sizes: dict[int, int] = {}
    unknown = min(BATCH_BYTES, settings.SMTP_IN_MAX_BYTES)
    for _try in range(2):  # an unsolicited FETCH about flags may stand in the place of an answer
        missing = [uid for uid in uids if uid not in sizes]
        found = client.fetch(missing, ["RFC822.SIZE"]) if missing else {}
        sizes.update({uid: int(item[b"RFC822.SIZE"]) for uid, item in found.items() if b"RFC822.SIZE" in item})
    return [(uid, sizes.get(uid, unknown)) for uid in uids]


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


def again(server: Server, meta: Mapping[str, Any]) -> RawReceipt:
    """The mail at the place that the `meta` of its receipt names. Raises MailboxAway, which says why not."""
    here = mailbox_of(server)
    source = {"folder": meta["folder"], "uidvalidity": meta["uidvalidity"], "mailbox": meta.get("mailbox", here)}
    client = connect(server)
    try:
        status = client.select_folder(str(source["folder"]), readonly=True)
        if source["mailbox"] != here or status.get(b"UIDVALIDITY") != source["uidvalidity"]:
            raise MailboxAway(_("It is no longer in the mailbox."))
        return fetching.again(client, source, int(meta["uid"]))
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxAway(why(error, server)) from error
    finally:
        close(client)


def why(error: Exception, server: Server) -> str:
    """What keeps the mailbox from being read, for people."""
    return str(error) if isinstance(error, MailboxAway) else why_no_connection(error, server)
