"""Making all facts anew from zero, range by range of tickets' numbers, while they are read and kept up to the log.

Each range is replaced in one transaction: whoever reads sees it as it was or as it is. Ranges share a lock that the
follower wants alone, so that no ticket is counted by both at once: whatever happens after a range was read, the
follower reads afterwards. What other tickets say of one is told in a second round, until which it stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import Max

from inbox.log import SnapshotXmin
from inbox.models import Cursor, Event, Ticket
from lib import processes
from reports.facts import beside, follower, loading, others, storing
from reports.models import Answer, AnswerFact

RANGE = 500  # numbers of tickets: less than a second's work, for which the follower may have to wait
Say = Callable[[str, int, int], None]


def everything(count: int, say: Say) -> int:
    """Make all facts anew with `count` processes; returns how many tickets count."""
    stood = _newest()
    with transaction.atomic():
        storing.hold(alone=True)
        beside.begin_anew()
    last = Ticket.objects.aggregate(last=Max("number"))["last"] or 0
    jobs = [(first, min(first + RANGE - 1, last)) for first in range(1, last + 1, RANGE)]
    found = 0
    say("Counting tickets", 0, len(jobs))
    for place, made in enumerate(processes.do(count_range, jobs, count), 1):
        found += made
        say("Counting tickets", place, len(jobs))
    _of_no_ticket()
    say("Comparing tickets", 0, len(jobs))
    for place, _told in enumerate(processes.do(compare_range, jobs, count), 1):
        say("Comparing tickets", place, len(jobs))
    _skip(stood)
    return found


def count_range(first: int, last: int) -> int:
    """Make the facts of the tickets with these numbers anew; returns how many count."""
    with transaction.atomic():
        storing.hold(alone=False)
        return storing.keep(range(first, last + 1), loading.world(), all_over=True)


def compare_range(first: int, last: int) -> None:
    with transaction.atomic():
        storing.hold(alone=False)
        others.tell_range(first, last)


def _of_no_ticket() -> None:
    """Answers that are about no ticket, and rows of what is gone."""
    with transaction.atomic():
        storing.hold(alone=True)
        AnswerFact.objects.filter(ticket__isnull=True).delete()
        storing.keep_askings(Answer.objects.all())


def _newest() -> tuple[int, int] | None:
    """The newest event that no running transaction can still get in front of."""
    seen = Event.objects.filter(xid__lt=SnapshotXmin()).order_by("-xid", "-id")
    return seen.values_list("xid", "id").first()


def _skip(stood: tuple[int, int] | None) -> None:
    """What had happened before all was made anew is counted: a follower that is behind goes on from there."""
    if stood is None:
        return
    Cursor.objects.get_or_create(name=follower.NAME)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inbox_cursor SET xid = %s, event_id = %s, error = '', failing_since = NULL, moved_at = now()"
            " WHERE name = %s AND (xid, event_id) < (%s, %s)",
            [*stood, follower.NAME, *stood],
        )
