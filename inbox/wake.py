"""Wake-ups for the workers: an id over Redis after the commit. Losing one costs a sweep's delay, never a message."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

QUEUES = {"email": "email", "chat": "chat"}


def queue_of(kind: str) -> str:
    """One queue per family of channels, so that none starves another."""
    return QUEUES.get(kind, "social")


def _send(task: str, args: list[Any], queue: str) -> None:
    try:
        current_app.send_task(task, args=args, queue=queue, retry=False)
    except Exception as error:  # noqa: BLE001
        # Redis may be away at any moment; what is due stands in PostgreSQL and the sweep finds it.
        logger.warning("no wake-up for %s: %s", task, error)


def take_in() -> None:
    """There are new receipts."""
    transaction.on_commit(partial(_send, "inbox.tasks.take_in", [], "email"), robust=True)


class _Soon:
    """At most so often: the first call at once, all that follow within `EVERY` together at its end."""

    EVERY = 0.1  # seconds

    def __init__(self, deed: Callable[[], None]) -> None:
        self.deed = deed
        self.lock = threading.Lock()
        self.last = 0.0
        self.waiting = False

    def __call__(self) -> None:
        with self.lock:
            if self.waiting:
                return
            wait = self.last + self.EVERY - time.monotonic()
            if wait > 0:
                self.waiting = True
                timer = threading.Timer(wait, self._later)
                timer.daemon = True
                timer.start()
                return
            self.last = time.monotonic()
        self.deed()

    def _later(self) -> None:
        with self.lock:
            self.waiting, self.last = False, time.monotonic()
        self.deed()


def _take_in() -> None:
    _send("inbox.tasks.take_in", [], "email")


_soon = _Soon(_take_in)


def take_in_soon() -> None:
    """There are new receipts, perhaps by the hundred: call it once they are committed."""
    _soon()


def deliver(channel_id: int, kind: str) -> None:
    """There is something to send on this channel."""
    transaction.on_commit(partial(_send, "inbox.tasks.deliver", [channel_id], queue_of(kind)), robust=True)


def fetch() -> None:
    """There are files to be fetched from platforms."""
    transaction.on_commit(partial(_send, "inbox.tasks.fetch_files", [], "social"), robust=True)


def poll(channel_id: int, kind: str) -> None:
    """This channel wants to be polled."""
    transaction.on_commit(partial(_send, "inbox.tasks.poll", [channel_id], queue_of(kind)), robust=True)


def tend(channel_id: int, kind: str) -> None:
    """This channel wants to be looked after."""
    transaction.on_commit(partial(_send, "inbox.tasks.tend", [channel_id], queue_of(kind)), robust=True)


def run(task: str, args: list[Any], queue: str) -> None:
    """A task of an app above: there is something for it to do."""
    transaction.on_commit(partial(_send, task, args, queue), robust=True)
