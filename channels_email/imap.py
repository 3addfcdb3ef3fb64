"""Reading a mailbox over IMAP: a cursor of UIDs a folder, nothing marked, nothing deleted, nothing skipped.

Folders are opened read-only (EXAMINE), unless mail is to be moved out of them, and mails are fetched by BODY.PEEK[]:
\\Seen is neither used nor touched. When a folder's UIDVALIDITY changes, or the mailbox is another one, it is read again
from the start; the receipts' digests make that harmless.
"""

import contextlib
import imaplib
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import (
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    LoginError,
)

from channels_email import fetching, oauth, xoauth2
from channels_email.fetching import MailboxAway as MailboxAway
from channels_email.moving import Mover, not_ours_to_remove
from channels_email.servers import Server, folder_name
from channels_email.words import why_no_connection
from inbox import polling
from inbox.adapters import PartlyPolled, RawReceipt
from lib import net

logging.getLogger("imapclient").setLevel(logging.WARNING)  # it tells every log-out at INFO

BATCH_MAILS = 50
BATCH_BYTES = 8 * 1024 * 1024
WINDOW = 50_000  # UIDs asked for at once: their list comes as one line, which imaplib takes up to a million bytes long
KEEP_EVERY = 100  # windows without a mail after which the cursor is kept: some servers number mails by the clock
LOOK_AHEAD = 1000  # how many sizes are asked for at once
ATTEMPTS = 3  # connections without progress before the poll gives up
TIMEOUT = SocketTimeout(connect=20, read=60)
_COPYUID = re.compile(rb"(\d+) [\d:,]+ ([\d:,]+)")
Cursor = dict[str, Any]
Batch = tuple[list[RawReceipt], Cursor]


class GuardedIMAPClient(IMAPClient):
    """IMAPClient over `lib.net`: private networks refused, certificates verified."""

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802
        context = self.ssl_context if self.ssl else None
        # Sizes that a server tells beforehand are estimates at some.
        most = 2 * settings.SMTP_IN_MAX_BYTES + net.MOST_LITERAL
        return net.GuardedIMAP4(self.host, self.port, self._timeout.connect, context, most)

    def xoauth2_login(self, user: str, token: str) -> None:
        """Log in by a token. IMAPClient's own says the token twice where the server refuses it. Raises LoginError."""
        if not self.has_capability("AUTH=XOAUTH2"):
            raise CapabilityError("the server does not offer XOAUTH2")
        answers = xoauth2.Answers(user, token)
        try:
            self._command_and_check("authenticate", "XOAUTH2", answers)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise LoginError(f"{error} {answers.refusal}".strip()) from error

    def rights(self, folder: str) -> set[str] | None:
        """What the account may do in a folder, in letters (RFC 4314); None where the server does not tell."""
        if not self.has_capability("ACL"):
            return None
        try:
            data = self._command_and_check("myrights", self._normalise_folder(folder))
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return None
        words = data[-1].split() if data and isinstance(data[-1], bytes) else []
        return set(words[-1].decode("latin-1")) if words else None

    def copied(self) -> tuple[int, list[int]]:
        """(UIDVALIDITY, UIDs) in the target folder after a MOVE or COPY (RFC 4315); (0, []) where it is not told."""
        _name, data = self._imap.response("COPYUID")
        for one in reversed(data or []):
            if match := _COPYUID.fullmatch(one or b""):
                return int(match[1]), uids_of(match[2].decode())
        return 0, []


def uids_of(text: str) -> list[int]:
    """The numbers of a sequence set without `*`: `3:5,9`."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        low, high = sorted((int(first), int(last or first)))
        found += range(low, high + 1)
    return found


def connect(server: Server) -> GuardedIMAPClient:
    """A logged-in connection. Raises MailboxAway."""
    try:
        if not server.oauth:
            return _connected(server, server.password)
        token = oauth.token(server.channel, server.oauth)
        try:
            return _connected(server, token)
        except LoginError:
            newer = oauth.token(server.channel, server.oauth, refused=token)
            if newer == token:
                raise
            return _connected(server, newer)
    except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
        raise MailboxAway(why(error, server)) from error


def _connected(server: Server, secret: str) -> GuardedIMAPClient:
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
        if server.oauth:
            client.xoauth2_login(server.username, secret)
        else:
            client.login(server.username, secret)
    except BaseException:
        if client is not None:
            close(client)
        raise
    return client


def close(client: IMAPClient) -> None:
    """Hang up, whatever state the connection is in."""
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        client.shutdown()


def mailbox_of(server: Server) -> str:
    """What a position belongs to: the same folder and numbers in another mailbox are other mails."""
    return f"{server.username}@{server.host}:{server.port}"


def poll(server: Server, cursor: Cursor, mover: Mover | None = None) -> Iterator[Batch]:
    """Batches of new mails with the cursor to keep once each is stored.

    Whoever asks for the next batch has committed the one before; only then does `mover` touch anything.
    A lost connection is opened again; reading goes on behind the last batch that was taken from here. A folder that
    cannot be read keeps none of the others waiting: its position says what is wrong (`away`), and it is left alone for
    longer and longer. Raises PartlyPolled then, and MailboxAway where no folder could be read.
    """
    # INBOX stands last where it was kept in two spellings.
    cursor = {folder_name(folder): dict(cursor[folder]) for folder in sorted(cursor, reverse=True)}
    held = {folder: str(away["said"]) for folder in server.folders if (away := _held(cursor.get(folder, {})))}
    left = [folder for folder in server.folders if folder not in held]
    if not left:
        left, held = list(held), {}
    troubles: dict[str, str] = {}
    some_read = False
    failures = 0
    while True:
        client = connect(server)
        try:
            while left:
                try:
                    for batch in _folder(client, server, left[0], cursor.get(left[0], {}), mover):
                        if batch[0] or "moving" not in batch[1]:  # else something has only been begun
                            failures = 0
                        cursor[left[0]] = batch[1]
                        yield batch[0], {name: dict(position) for name, position in cursor.items()}
                    some_read = True
                except (MailboxAway, IMAPClientError) as error:
                    if isinstance(error, IMAPClientAbortError):
                        raise
                    troubles[left[0]] = why(error, server)
                left.pop(0)
            break
        except (OSError, imaplib.IMAP4.error) as error:
            failures += 1
            if failures >= ATTEMPTS:
                raise MailboxAway("; ".join([*_lines(troubles), why(error, server)])) from error
        finally:
            close(client)
    if troubles and not some_read:
        raise MailboxAway("; ".join(_lines(troubles)))
    for folder, words in troubles.items():
        position = cursor.setdefault(folder, {})
        times = int(position.get("away", {}).get("times", 0))
        until = time.time() + polling.hold(times).total_seconds()
        position["away"] = {"said": words, "times": times + 1, "until": round(until)}
    if troubles:
        yield [], cursor
    if away := {**troubles, **held}:
        rest = _("The other folders are read.")
        raise PartlyPolled(f"{'; '.join(_lines(away))} {rest}")


def _lines(troubles: Mapping[str, str]) -> list[str]:
    return [f"{folder}: {words}" for folder, words in troubles.items()]


def _held(position: Cursor) -> Cursor | None:
    """What is wrong with a folder that is not to be tried again yet. A clock that was put back holds none for long."""
    away: Cursor = position.get("away") or {}
    wait = float(away.get("until", 0)) - time.time()
    return away if 0 < wait <= 2 * polling.LONGEST_HOLD.total_seconds() else None


def _folder(
    client: GuardedIMAPClient, server: Server, folder: str, position: Cursor, mover: Mover | None
) -> Iterator[Batch]:
    """What is new in one folder, oldest first; the second value is the folder's own position."""
    if mover is not None and mover.target == folder:
        mover = None
    try:
        status, read_only = client.select_folder(folder, readonly=mover is None), False
    except IMAPClientReadOnlyError:  # for imaplib a lost connection, which it is not
        status, read_only = client.select_folder(folder, readonly=True), True
        mover = None
    validity, mailbox = int(status.get(b"UIDVALIDITY", 0)), mailbox_of(server)
    source = {"folder": folder, "uidvalidity": validity, "mailbox": mailbox}
    last, told = int(position.get("uid", 0)), int(status.get(b"UIDNEXT", 0))
    same = position.get("uidvalidity") == validity and position.get("mailbox", mailbox) == mailbox
    before: Cursor = {name: position[name] for name in ("moving", "not_moved") if same and name in position}
    if not same or 0 < told <= last:  # numbers never go back in one and the same folder
        last = 0
    here, kept = {"uidvalidity": validity, "mailbox": mailbox}, position
    behind = fetching.behind(client, status)
    window = WINDOW if int(status.get(b"EXISTS", WINDOW + 1)) > WINDOW else behind
    for number, start in enumerate(range(last + 1, behind, window), 1):
        until = min(start + window, behind) - 1
        uids = sorted(client.search(["UID", f"{start}:{until}"]))
        if not uids and number % KEEP_EVERY == 0:
            last = until
            kept = {**here, **before, "uid": last}
            yield [], kept
        for first in range(0, len(uids), LOOK_AHEAD):
            for batch in batches(sizes(client, uids[first : first + LOOK_AHEAD])):
                last = batch[-1][0]
                kept = {**here, **before, "uid": last}
                yield fetching.fetch(client, source, batch), kept
    here["uid"] = last = max(last, behind - 1)
    reached: Cursor = {**here}
    if mover is not None:
        # Mails that came since have higher numbers than `last`: they are neither counted here nor moved.
        for state in mover.move(client, source, status, last, before):
            reached = kept = {**here, **state}
            yield [], kept
    elif read_only:
        reached |= {**before, "not_moved": not_ours_to_remove()}
    if reached != kept:  # what is left below is gone: not to be looked at again
        yield [], reached


def sizes(client: IMAPClient, uids: Sequence[int]) -> list[tuple[int, int]]:
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
