"""A log that came from another PostgreSQL cluster goes on where it was: nothing read twice, nothing left out."""

import pytest
from django.db import connection

from inbox import log, restoring
from inbox.models import Cursor, Event
from tests.inbox.test_log import follow_until

pytestmark = pytest.mark.django_db(transaction=True)

FAR = 10**12  # transactions that this cluster has not reached


def as_if_from_elsewhere() -> None:
    """Events and cursors as a dump of an older, busier cluster brings them."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inbox_event SET xid = xid + %s", [FAR])
        cursor.execute("UPDATE inbox_cursor SET xid = xid + %s WHERE xid > 0", [FAR])


def test_the_log_goes_on_in_another_cluster() -> None:
    seen: list[str] = []
    for kind in ("one", "two"):
        log.record(None, kind)
    follow_until(lambda: seen == ["one", "two"], lambda event: seen.append(event.kind))
    log.record(None, "three")
    as_if_from_elsewhere()
    log.record(None, "four")  # written here before anybody looked
    assert restoring.adopt() == 3
    follow_until(lambda: len(seen) == 4, lambda event: seen.append(event.kind))
    assert seen == ["one", "two", "three", "four"]
    assert restoring.adopt() == 0


def test_late_commits_keep_their_order() -> None:
    """Order is that of the transactions, not of the ids: it must outlive the move."""
    log.record(None, "late")
    log.record(None, "early")
    Event.objects.filter(kind="late").update(xid=FAR + 2)
    Event.objects.filter(kind="early").update(xid=FAR + 1)
    restoring.adopt()
    seen: list[str] = []
    follow_until(lambda: len(seen) == 2, lambda event: seen.append(event.kind))
    assert seen == ["early", "late"]


def test_a_reader_that_starts_over_reads_what_was_moved() -> None:
    log.record(None, "old")
    as_if_from_elsewhere()
    restoring.adopt()
    log.rewind("test")
    assert Cursor.objects.get(name="test").xid < Event.objects.get().xid < 0
    seen: list[str] = []
    follow_until(lambda: seen == ["old"], lambda event: seen.append(event.kind))
    assert seen == ["old"]


def test_it_leaves_a_log_of_its_own_alone() -> None:
    log.record(None, "one")
    before = Event.objects.get().xid
    assert restoring.adopt() == 0
    assert Event.objects.get().xid == before
