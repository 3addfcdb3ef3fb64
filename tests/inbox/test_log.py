"""The log under concurrency: a late commit is never skipped, a failing reader loses nothing."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from inbox import log
from inbox.models import Cursor, Event

pytestmark = pytest.mark.django_db(transaction=True)


def follow_until(done: Callable[[], bool], read: log.Handler) -> None:
    """Read on until `done`: a transaction in any database of the server holds readers up, those of other tests too."""
    until = time.monotonic() + 20
    while not done() and time.monotonic() < until:
        log.follow("test", read)


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
    follow_until(lambda: len(seen) == 2, lambda event: seen.append(event.kind))
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

    follow_until(lambda: Cursor.objects.filter(name="test", failing_since__isnull=False).exists(), read)
    assert seen == ["one"]
    cursor = Cursor.objects.get(name="test")
    assert cursor.failing_since is not None and "cannot read two" in cursor.error
    broken = False
    follow_until(lambda: len(seen) == 3, read)
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

    follow_until(lambda: bool(counts), read)
    assert counts == [0]
