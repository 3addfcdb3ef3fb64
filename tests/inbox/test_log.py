"""The log under concurrency: a late commit is never skipped, a failing reader loses nothing."""

import threading

import pytest
from django.db import connection, transaction

from inbox import log
from inbox.models import Cursor, Event

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_late_commit_is_not_skipped() -> None:
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            log.record(None, "slow")
            written.set()
            finish.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(10)
    log.record(None, "fast")
    seen: list[str] = []
    assert log.follow("test", lambda event: seen.append(event.kind)) == 0, "an older transaction still runs"
    finish.set()
    thread.join()
    log.follow("test", lambda event: seen.append(event.kind))
    assert seen == ["slow", "fast"]


def test_a_reader_that_fails_stops_there_and_goes_on() -> None:
    for kind in ("one", "two", "three"):
        log.record(None, kind)
    seen: list[str] = []
    broken = True

    def read(event: Event) -> None:
        if event.kind == "two" and broken:
            raise RuntimeError("cannot read two")
        seen.append(event.kind)

    assert log.follow("test", read) == 1
    cursor = Cursor.objects.get(name="test")
    assert cursor.failing_since is not None and "cannot read two" in cursor.error
    broken = False
    assert log.follow("test", read) == 2
    assert seen == ["one", "two", "three"]
    assert Cursor.objects.get(name="test").failing_since is None


def test_only_one_reads_at_a_time() -> None:
    log.record(None, "one")
    counts: list[int] = []

    def elsewhere() -> None:
        counts.append(log.follow("test", lambda event: None))
        connection.close()

    def read(_event: Event) -> None:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    assert log.follow("test", read) == 1
    assert counts == [0]
