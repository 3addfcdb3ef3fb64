"""Files that messages left on their platform: fetched right after the message is in, for their links die soon.

One slow or endless file keeps neither its message nor others waiting: rows are claimed under a lease, a few at a time,
and each fetch has a time-out of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import files, log, sniffing, wake
from inbox.actions import base
from inbox.adapters import InboundFile, NotFetched, RemoteMedia, adapter_for
from inbox.delivery import jitter
from inbox.models import Attachment, Message, RemoteFile

logger = logging.getLogger(__name__)

NEVER = "never"  # in a file's `ref`: asking again is in vain
LEASE = timedelta(minutes=3)
FIRST_RETRY = timedelta(seconds=3)
LONGEST_RETRY = timedelta(minutes=30)
GIVE_UP_AFTER = timedelta(hours=24)
MOST_ATTEMPTS = 30
MOST_SECONDS = 20.0  # of one run: others wait for this worker, too
LOOKED_AT = 5000  # files that one claim looks at, to find those of another channel


def fetch_waiting() -> int:
    """Fetch what is due; returns how many files came. Safe to run in several workers at once."""
    came = 0
    until = time.monotonic() + MOST_SECONDS
    served: set[int] = set()
    while (row := _claim(served)) is not None:
        channel = row.message.channel_id
        served = {channel} if channel in served else {*served, channel}  # all of them had their turn
        came += _fetch(row)
        if time.monotonic() > until:
            wake.fetch()
            break
    return came


def _claim(served: Collection[int] = ()) -> RemoteFile | None:
    """The next file for this worker: of a channel (id) that was not `served` yet where there is one, so that a
    platform which is slow, or has many, keeps no other waiting.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT id, message_id, next_attempt_at FROM inbox_remotefile
                WHERE failed_at IS NULL AND next_attempt_at <= %(now)s ORDER BY next_attempt_at, id LIMIT %(most)s
            )
            UPDATE inbox_remotefile SET attempts = attempts + 1, next_attempt_at = %(lease)s
            WHERE id = (
                SELECT file.id FROM inbox_remotefile file
                JOIN due ON due.id = file.id JOIN inbox_message message ON message.id = due.message_id
                WHERE file.failed_at IS NULL AND file.next_attempt_at <= %(now)s
                ORDER BY message.channel_id = ANY(%(served)s), due.next_attempt_at, due.id
                LIMIT 1 FOR UPDATE OF file SKIP LOCKED
            ) RETURNING id
            """,
            {"lease": now + LEASE, "now": now, "served": list(served), "most": LOOKED_AT},
        )
        found = cursor.fetchone()
    return None if found is None else RemoteFile.objects.select_related("message__channel").get(pk=found[0])


def _fetch(row: RemoteFile) -> int:
    channel = row.message.channel
    media = RemoteMedia(row.ref, row.name, row.content_type, row.size)
    try:
        file = adapter_for(channel.kind).fetch(channel, media)
    except NotFetched as error:
        _failed(row, str(error.reason), permanent=error.permanent, after=error.retry_after or 0)
        return 0
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("a file of message %s cannot be fetched", row.message_id)
        _failed(row, f"{type(error).__name__}: {error}", permanent=False)
        return 0
    try:
        return _keep(row, file)
    except files.StoreAway as error:
        _failed(row, str(error), permanent=False)
        return 0


def _keep(row: RemoteFile, file: InboundFile) -> int:
    """Make it an attachment, if its message still wants it."""
    kind = sniffing.kind_of(file.content, file.name, file.content_type)
    if kind is None:
        _failed(row, _("This file is a program, and was not kept."), permanent=True)
        return 0
    stored, digest = files.put("attachments", file.content)
    with transaction.atomic():
        message = Message.objects.select_for_update(no_key=True).get(pk=row.message_id)
        if not RemoteFile.objects.filter(pk=row.pk).delete()[0]:
            return 0  # withdrawn or erased meanwhile
        Attachment.objects.create(
            message=message,
            name=file.name[:255],
            content_type=kind[:127],
            size=len(file.content),
            digest=digest,
            stored=stored,
            inline=file.inline,
            content_id=file.content_id[:255],
        )
        log.record(message.ticket, "file_fetched", message=message.pk)
        base.announce([message.ticket_id], [message.pk])
    return 1


def _failed(row: RemoteFile, reason: str, *, permanent: bool, after: float = 0) -> None:
    now = timezone.now()
    row.error = reason[:500]
    if permanent or row.attempts >= MOST_ATTEMPTS or now - row.created_at > GIVE_UP_AFTER:
        row.failed_at = now
        if permanent:
            row.ref = {**row.ref, NEVER: True}
    else:
        wait = min(FIRST_RETRY * 2 ** min(row.attempts - 1, 20), LONGEST_RETRY)
        row.next_attempt_at = now + max(jitter(wait), timedelta(seconds=after))
    with transaction.atomic():
        row.save(update_fields=["error", "failed_at", "next_attempt_at", "ref"])
        base.announce([row.message.ticket_id], [row.message_id])


def again(row: RemoteFile) -> None:
    """Somebody asks for a file once more that was given up. Of one that will never be had, nothing changes."""
    if row.ref.get(NEVER):
        return
    with transaction.atomic():
        RemoteFile.objects.filter(pk=row.pk).update(
            failed_at=None, error="", attempts=0, next_attempt_at=timezone.now(), created_at=timezone.now()
        )
        base.announce([row.message.ticket_id], [row.message_id])
        wake.fetch()


def is_due() -> bool:
    return RemoteFile.objects.filter(failed_at__isnull=True, next_attempt_at__lte=timezone.now()).exists()
