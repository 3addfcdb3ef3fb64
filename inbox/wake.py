"""Wake-ups for the workers: an id over Redis after the commit. Losing one costs a sweep's delay, never a message."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

QUEUES = {"email": "email", "telegram": "social", "chat": "chat"}


def queue_of(kind: str) -> str:
    """One queue per family of channels, so that none starves another."""
    return QUEUES.get(kind, "social")


def _send(task: str, args: list[int], queue: str) -> None:
    try:
        current_app.send_task(task, args=args, queue=queue, retry=False)
    except Exception as error:  # noqa: BLE001
        # Redis may be away at any moment; what is due stands in PostgreSQL and the sweep finds it.
        logger.warning("no wake-up for %s: %s", task, error)


def take_in() -> None:
    """There are new receipts."""
    transaction.on_commit(partial(_send, "inbox.tasks.take_in", [], "email"), robust=True)


def deliver(channel_id: int, kind: str) -> None:
    """There is something to send on this channel."""
    transaction.on_commit(partial(_send, "inbox.tasks.deliver", [channel_id], queue_of(kind)), robust=True)


def fetch() -> None:
    """There are files to be fetched from platforms."""
    transaction.on_commit(partial(_send, "inbox.tasks.fetch_files", [], "social"), robust=True)


def poll(channel_id: int, kind: str) -> None:
    """This channel wants to be polled."""
    transaction.on_commit(partial(_send, "inbox.tasks.poll", [channel_id], queue_of(kind)), robust=True)


def run(task: str, args: list[int], queue: str) -> None:
    """A task of an app above: there is something for it to do."""
    transaction.on_commit(partial(_send, task, args, queue), robust=True)
