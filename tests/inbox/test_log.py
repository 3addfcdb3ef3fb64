"""The log under concurrency: a late commit is never skipped, a failing reader loses nothing."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from inbox import log
from inbox.models import Cursor, Event
from tests.cast import HELD_UP

pytestmark = pytest.mark.django_db(transaction=True)


def follow_until(done: Callable[[], bool], read: log.Handler) -> None:
    """Read on until `done`: a transaction in any database of the server holds readers up, those of other tests too."""
    until = time.monotonic() + HELD_UP
    while not done() and time.monotonic() < until:
        if not log.follow("test", read):
            time.sleep(0.05)


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


def test_a_rewind_while_a_batch_is_in_hand_is_not_lost() -> None:
    for kind in ("one", "two"):
        log.record(None, kind)
    Cursor.objects.create(name="test")
    seen: list[str] = []
    rewound = threading.Event()

    def rewind() -> None:
        log.rewind("test")
        rewound.set()
        connection.close()

    thread = threading.Thread(target=rewind)

    def read(event: Event) -> None:
        if not seen:
            thread.start()
            assert not rewound.wait(0.2), "it waits for the batch in hand"
        seen.append(event.kind)

    follow_until(lambda: bool(seen), read)
    thread.join()
    assert Cursor.objects.get(name="test").xid == Cursor.START
    seen.append("rewound")
    follow_until(lambda: len(seen) > 3, read)
    assert seen == ["one", "two", "rewound", "one", "two"]


def test_a_rewind_just_before_a_batch_is_taken_up_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    log.record(None, "one")
    seen: list[str] = []
    follow_until(lambda: bool(seen), lambda event: seen.append(event.kind))
    log.record(None, "two")
    waiting, held = log.waiting_events, log._held

    def rewind() -> None:
        log.rewind("test")
        connection.close()

    def late(cursor: Cursor) -> bool:
        monkeypatch.setattr(log, "_held", held)
        thread = threading.Thread(target=rewind)
        thread.start()
        thread.join()
        return held(cursor)

    monkeypatch.setattr(log, "_held", late)
    follow_until(lambda: len(seen) == 3, lambda event: seen.append(event.kind))
    assert seen == ["one", "one", "two"]
    assert not waiting(Cursor.objects.get(name="test")).exists()


def follow_all_until(done: Callable[[], bool], raised: list[Exception] | None = None) -> list[Exception]:
    """Let all followers read on until `done`; returns what was raised, kept in `raised` as it happens."""
    raised = [] if raised is None else raised
    until = time.monotonic() + HELD_UP
    while not done() and time.monotonic() < until:
        try:
            log.follow_all()
        except OperationalError as error:
            raised.append(error)
    return raised


def test_a_reader_that_asks_too_much_of_the_database_stops_visibly_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    log.record(None, "one")
    seen: list[str] = []

    def bad(_event: Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::tsvector", ["x" * 3000])  # program_limit_exceeded, an OperationalError

    monkeypatch.setattr(log, "_followers", {"bad": bad, "good": lambda event: seen.append(event.kind)})
    broken = Cursor.objects.filter(name="bad", failing_since__isnull=False)
    assert follow_all_until(lambda: bool(seen) and broken.exists()) == []
    assert seen == ["one"]
    stopped = Cursor.objects.get(name="bad")
    assert stopped.failing_since is not None and "too long" in stopped.error


def test_a_reader_that_is_interrupted_holds_up_no_other_and_is_not_taken_for_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log.record(None, "one")
    seen: list[str] = []

    def slow(_event: Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(10)")

    monkeypatch.setattr(log, "_followers", {"slow": slow, "good": lambda event: seen.append(event.kind)})
    raised: list[Exception] = []
    follow_all_until(lambda: bool(seen and raised), raised)
    assert seen == ["one"] and raised and "timeout" in str(raised[0])
    assert not Cursor.objects.filter(name="slow", failing_since__isnull=False).exists()
