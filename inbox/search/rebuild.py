"""Building all documents anew, partition by partition, while searches go on in the old ones.

What happens meanwhile is not missed: at the end the follower reads again from where it stood when the building began.
A run that was interrupted is taken up where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from inbox.models import PARTITION, Cursor, Ticket
from inbox.search import follower, partitions
from lib import processes

RUN = "search-rebuild"  # the cursor that remembers where the follower stood, as long as a run is not at its end
WAITS = 10.0  # seconds, for transactions that are older than what is skipped
Say = Callable[[str, int, int], None]


def everything(count: int, say: Say) -> int:
    """Build the documents of all tickets anew; returns how many there are."""
    with transaction.atomic():
        stood, _ = Cursor.objects.get_or_create(name=follower.NAME)
        run, _ = Cursor.objects.get_or_create(
            name=RUN, defaults={"xid": stood.xid, "event_id": stood.event_id, "moved_at": timezone.now()}
        )
    last = Ticket.objects.aggregate(last=Max("number"))["last"] or 0
    mark = f"built {run.moved_at.isoformat()}"
    wanted = [part for part in range(last // PARTITION, -1, -1) if partitions.built_as(part) != mark]
    found = parts(wanted, count, say, mark)
    with transaction.atomic():
        Cursor.objects.filter(name=follower.NAME).update(xid=run.xid, event_id=run.event_id)
        Cursor.objects.filter(name=RUN).delete()
    return found


def parts(wanted: Iterable[int], count: int, say: Say, mark: str = "") -> int:
    """Build these partitions; returns the number of their documents."""
    jobs = [(part, mark) for part in wanted]
    found = 0
    say("Building what search looks in", 0, len(jobs))
    for place, made in enumerate(processes.do(partitions.build, jobs, count), 1):
        found += made
        say("Building what search looks in", place, len(jobs))
    return found


def stood() -> tuple[int, int]:
    """Where the follower stands now, for `again`."""
    row, _ = Cursor.objects.get_or_create(name=follower.NAME)
    return row.xid, row.event_id


def again(place: tuple[int, int]) -> None:
    """Let the follower read again from where it stood; waits for a batch that is in hand."""
    Cursor.objects.filter(name=follower.NAME).update(xid=place[0], event_id=place[1])


SKIP = """
UPDATE inbox_cursor SET xid = %(xid)s, event_id = %(last)s, moved_at = now()
WHERE name = %(name)s AND (xid, event_id) < (%(xid)s, %(last)s)
AND NOT EXISTS (
    SELECT FROM inbox_event AS event
    WHERE (event.xid, event.id) > (inbox_cursor.xid, inbox_cursor.event_id) AND event.xid < %(xid)s
)
"""


def skip(xid: int, last: int, name: str = follower.NAME) -> None:
    """Let the follower go on behind event `last` of transaction `xid`, whose work is done, if it has no other to read.

    While an older transaction runs, which may still write an event to be read before, it waits for a few seconds;
    after that it is for the follower to read all.
    """
    until = time.monotonic() + WAITS
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s", [xid])
            if cursor.fetchone()[0]:
                break
            if connection.in_atomic_block or time.monotonic() > until:
                return
            time.sleep(0.05)
        cursor.execute(SKIP, {"xid": xid, "last": last, "name": name})
