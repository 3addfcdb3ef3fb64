"""Building all documents anew, partition by partition, while searches go on in the old ones.

What happens meanwhile is not missed: at the end the follower reads again from where it stood when the building began.
A run that was interrupted is taken up where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from inbox.models import PARTITION, Cursor, Ticket
from inbox.search import follower, partitions
from lib import processes

RUN = "search-rebuild"  # the cursor that remembers where the follower stood, as long as a run is not at its end
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


def skip() -> None:
    """Let the follower go on behind all that is in the log now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inbox_cursor SET xid = last.xid, event_id = last.id, moved_at = now()"
            " FROM (SELECT xid, id FROM inbox_event ORDER BY xid DESC, id DESC LIMIT 1) AS last"
            " WHERE name = %s",
            [follower.NAME],
        )
