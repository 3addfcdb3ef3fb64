"""Counting a mailbox against the database: of the mail that we passed and the server still has, do we have each one?

A mail is known by its receipt (folder, UIDVALIDITY and UID) as long as its message is there, else by the message
itself (Message-ID and Date), else by its bytes: their digest, then the key of the message they make. Whatever is not
known by any of these is fetched and taken in by the way that every mail comes. Nothing is asked of the database a mail
at a time, only headers are fetched of most mails, and a long count goes on in slices, so that workers are not held up.
"""

from __future__ import annotations

import imaplib
import logging
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_email import comparing, fetching, imap, moving, oauth
from channels_email.comparing import Source
from channels_email.models import MailboxAudit, MovedMails
from channels_email.servers import Server, server
from inbox import locks, log, wake
from inbox.adapters import DeliveryError
from inbox.models import Agent, Channel

logger = logging.getLogger(__name__)

MOST_SECONDS = 30.0  # of one turn: others wait for this worker, too
ALL_OF_THEM = 0  # beside the ids of channels: the lock of the worker that counts
STEP = 500  # mails that are compared at once
WINDOW = 50_000  # UIDs asked for at once, as in `imap`
RANGES = 200  # runs of UIDs in one search: its line stays short
KEPT = 60  # counts of each mailbox that are kept


@dataclass(slots=True)
class Figures:
    """What was found in one folder."""

    name: str
    on_server: int = 0
    known: int = 0
    missing: int = 0
    caught_up: int = 0
    error: str = ""


def start(channel: Channel, *, by: Agent | None) -> MailboxAudit:
    """Begin to count; the count that is already under way, if there is one. A worker does it when the clock says so."""
    with transaction.atomic():
        Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        row = MailboxAudit.objects.filter(channel=channel, finished_at__isnull=True).first()
        if row is None:
            row = MailboxAudit.objects.create(channel=channel, started_by=by)
            if by is not None:
                log.record(None, "mailbox_audit_started", by=by, channel=channel.pk)
                wake.run("channels_email.tasks.audits_go_on", [], wake.queue_of("email"))  # somebody waits for it
    return row


def latest(channel: Channel) -> MailboxAudit | None:
    """The newest count, finished or not."""
    return MailboxAudit.objects.filter(channel=channel).order_by("-id").first()


def go_on(*, seconds: float = MOST_SECONDS) -> None:
    """Take a turn of a worker's: count on, one mailbox after the other, for about so many seconds.

    It is the clock that gives turns, so that what else waits for workers goes in between, and only one worker counts at
    a time: the others are there for mail. Those that were counted least come first: a small mailbox, or one that
    somebody asks for, does not wait until a large one is through.
    """
    until = time.monotonic() + seconds
    with locks.only_one(locks.MAILBOX_COUNT, ALL_OF_THEM) as mine:
        waiting = MailboxAudit.objects.filter(finished_at__isnull=True).order_by("on_server", "pk")
        for pk in waiting.values_list("pk", flat=True) if mine else ():
            if (left := until - time.monotonic()) <= 0:
                break
            run(pk, seconds=left)


def run(audit_id: int, *, seconds: float = MOST_SECONDS) -> bool:
    """Count on, for about so many seconds; whether the count is finished. What stands in the way ends it, in words."""
    row = MailboxAudit.objects.select_related("channel").filter(pk=audit_id, finished_at__isnull=True).first()
    if row is None:
        return True
    with locks.only_one(locks.MAILBOX_COUNT, row.channel_id) as mine:
        row.refresh_from_db()
        if not mine or not row.running:
            return not row.running
        done = True
        try:
            done = _run(row, time.monotonic() + seconds)
        except (OperationalError, InterfaceError):
            raise
        except (DeliveryError, OSError) as error:
            row.error = str(error)[:2000]
        except Exception as error:
            logger.exception("channel %s cannot be counted", row.channel.slug)
            row.error = f"{type(error).__name__}: {error}"[:2000]
        if done:
            _finish(row)
        return done


def _run(row: MailboxAudit, until: float) -> bool:
    reading = server(row.channel, "imap")
    if reading is None:
        raise DeliveryError(_("This mailbox is not read over IMAP: there is nothing to count."), permanent=True)
    if reading.oauth and (waits := oauth.awaited(row.channel)):
        raise DeliveryError(waits, permanent=False)
    client = imap.connect(reading)
    try:
        for name in _places(reading):
            if any(one["name"] == name for one in row.folders) and row.position.get("folder") != name:
                continue
            if not _folder(client, reading, row, name, until):
                return False
        return True
    except (OSError, imaplib.IMAP4.error) as error:
        raise imap.MailboxAway(imap.why(error, reading)) from error
    finally:
        imap.close(client)


def _places(reading: Server) -> list[str]:
    """The folders that are read, and the one that mail is moved to."""
    return list(dict.fromkeys([*reading.folders, *([reading.move_to] if reading.move_to else [])]))


def _folder(client: imap.GuardedIMAPClient, reading: Server, row: MailboxAudit, name: str, until: float) -> bool:
    """Count one folder on from where the last slice came to; whether its end was reached."""
    if row.position.get("folder") != name:
        row.folders = [*row.folders, asdict(Figures(name))]
        row.position = {"folder": name, "uid": 0}
    figures = Figures(**row.folders[-1])
    try:
        status = client.select_folder(name, readonly=True)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        figures.error = imap.why(error, reading)
        _keep(row, figures, 0)
        return True
    source = Source(row.channel, name, int(status.get(b"UIDVALIDITY", 0)), imap.mailbox_of(reading))
    lost = _moved(source).exclude(uidvalidity=source.uidvalidity) if name not in reading.folders else None
    if lost is not None and lost.exists():
        figures.error = _(
            "The server has renumbered this folder. Of what lies in it, mail that is known here was counted; whether "
            "any other was moved there from here can no longer be told."
        )
        ranges: list[tuple[int, int]] | None = [(1, fetching.behind(client, status) - 1)]
    else:
        lost = None
        ranges = _passed(source, name in reading.folders)
    if ranges is None:
        figures.error = _("It has not been read to its end yet since it was set up, or since the server renumbered it.")
        _keep(row, figures, 0)
        return True
    begin = int(row.position.get("uid", 0)) + 1
    ranges = [(max(first, begin), last) for first, last in ranges if last >= begin]
    received = comparing.received(source, begin) if lost is None else array("q")
    for uids in _uids(client, ranges, int(status.get(b"EXISTS", WINDOW + 1))):
        for first in range(0, len(uids), STEP):
            step = uids[first : first + STEP]
            if lost is not None:
                _find_again(client, source, step, figures)
            else:
                there = received[bisect_left(received, step[0]) : bisect_right(received, step[-1])]
                _compare(client, source, step, set(there), figures)
            _keep(row, figures, step[-1])
            if time.monotonic() > until:
                return False
    if lost is not None:
        lost.delete()
    _keep(row, figures, int(row.position["uid"]))  # also where there was nothing to count
    return True


def _compare(
    client: imap.GuardedIMAPClient, source: Source, step: list[int], receipts: set[int], figures: Figures
) -> None:
    found = comparing.compare(client, source, step, receipts)
    figures.on_server += len(step) - found.gone
    figures.known += len(step) - found.gone - found.missing
    figures.missing += found.missing
    figures.caught_up += found.caught_up


def _find_again(client: imap.GuardedIMAPClient, source: Source, step: list[int], figures: Figures) -> None:
    """Mail that we moved here, in a folder that was renumbered since: what we know is what we moved.

    What we do not know is left alone: it may lie here for years, and would come in as new.
    """
    ours = comparing.ours(client, source, step)
    figures.on_server += len(ours)
    figures.known += len(ours)
    moving.remember(source.channel, source.folder, source.uidvalidity, ours)


def _moved(source: Source) -> QuerySet[MovedMails]:
    return MovedMails.objects.filter(channel=source.channel, folder=source.folder).exclude(last=None)


def _passed(source: Source, watched: bool) -> list[tuple[int, int]] | None:
    """Runs of UIDs that the cursor has passed, or that we moved here; None where the cursor is another folder's."""
    if not watched:
        rows = _moved(source).filter(uidvalidity=source.uidvalidity).order_by("first").values_list("first", "last")
        return _merged([(first, last) for first, last in rows if last is not None])
    position = source.channel.cursor.get(source.folder) or {}
    same = position.get("uidvalidity") == source.uidvalidity
    if not same or position.get("mailbox", source.mailbox) != source.mailbox:
        return None
    return [(1, int(position["uid"]))] if position.get("uid") else []


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs that rise without meeting each other, from runs that rise."""
    found: list[tuple[int, int]] = []
    for first, last in ranges:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def _uids(client: imap.GuardedIMAPClient, ranges: list[tuple[int, int]], exists: int) -> Iterator[list[int]]:
    """UIDs on the server within these runs, rising, at most WINDOW at a time."""
    for at in range(0, len(ranges), RANGES):
        runs = ranges[at : at + RANGES]
        if exists > WINDOW:
            runs = [
                (start, min(start + WINDOW - 1, last))
                for first, last in runs
                for start in range(first, last + 1, WINDOW)
            ]
            groups = [[one] for one in runs]
        else:
            groups = [runs]
        for group in groups:
            found = client.search(["UID", ",".join(f"{first}:{last}" for first, last in group)])
            if found:
                yield sorted(found)


def _keep(row: MailboxAudit, figures: Figures, uid: int) -> None:
    """Write how far it has come: what a page shows, and where the next slice begins."""
    row.folders = [*row.folders[:-1], asdict(figures)]
    row.position = {"folder": figures.name, "uid": uid}
    for name in ("on_server", "known", "missing", "caught_up"):
        setattr(row, name, sum(int(one[name]) for one in row.folders))
    row.save(update_fields=["folders", "position", "on_server", "known", "missing", "caught_up"])


def _finish(row: MailboxAudit) -> None:
    row.finished_at, row.position = timezone.now(), {}
    with transaction.atomic():
        row.save(update_fields=["finished_at", "position", "error"])
        if row.missing:
            log.record(None, "mailbox_caught_up", channel=row.channel_id, missing=row.missing, caught_up=row.caught_up)
        old = MailboxAudit.objects.filter(channel=row.channel_id).order_by("-id").values_list("pk", flat=True)[KEPT:]
        MailboxAudit.objects.filter(pk__in=list(old)).delete()
