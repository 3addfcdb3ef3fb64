"""The log after a dump was restored into another PostgreSQL cluster.

Events remember the transaction that wrote them, and transaction ids start anew in another cluster: the ids of old
events would lie in its future, and readers of the log would wait for them, then read new events in front of them. So
what another cluster wrote is moved below all ids of this one, in its order, and the readers' cursors with it.
"""

from __future__ import annotations

import logging
import zlib

from django.db import connection, transaction

from inbox import locks
from inbox.models import Cursor

logger = logging.getLogger(__name__)

NEWEST = "SELECT xid FROM inbox_event ORDER BY xid DESC, id DESC LIMIT 1"
NEXT = "SELECT (pg_snapshot_xmax(pg_current_snapshot()))::text::bigint"


def adopt() -> int:
    """Move the log of another cluster below this one's transactions; returns how many events that were, mostly 0.

    Two look-ups where there is nothing to do. Else it holds up writers of the log for as long as the rows take.
    """
    if not _foreign():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        for name in sorted(Cursor.objects.values_list("name", flat=True)):  # as `log.only_one` takes them
            key = zlib.crc32(f"follow:{name}".encode()) - 2**31
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.FOLLOWER, key])
        cursor.execute("LOCK TABLE inbox_event IN SHARE ROW EXCLUSIVE MODE")
        newest = _foreign()
        if not newest:
            return 0
        cursor.execute(NEXT)
        (following,) = cursor.fetchone()
        # Events that were written here meanwhile have higher ids than all that came with the dump.
        cursor.execute("SELECT max(id) FROM inbox_event WHERE xid >= %s", [following])
        (last_old,) = cursor.fetchone()
        cursor.execute("UPDATE inbox_event SET xid = xid - %s WHERE id <= %s", [newest + 1, last_old])
        moved: int = cursor.rowcount
        cursor.execute("UPDATE inbox_cursor SET xid = xid - %s WHERE xid > %s", [newest + 1, Cursor.START])
    logger.warning("the log came from another PostgreSQL cluster: %s events were moved below its transactions", moved)
    return moved


def _foreign() -> int:
    """The newest transaction id in the log where this cluster has not reached it; 0 where all is as it should be."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        newest = cursor.fetchone()
        if newest is None:
            return 0
        cursor.execute(NEXT)
        (following,) = cursor.fetchone()
    return int(newest[0]) if newest[0] >= following else 0
