"""Heartbeats of the Celery processes.

A worker's children beat, not their parent: it must not touch the database before it forks. One that works in threads
forks nothing.
"""

from typing import Any

from celery.concurrency.thread import TaskPool
from celery.signals import beat_init, worker_process_init, worker_ready

from inbox import health


@worker_process_init.connect
def worker_child_started(**_kwargs: Any) -> None:
    health.keep_beating("worker")


@worker_ready.connect
def threads_started(sender: Any, **_kwargs: Any) -> None:
    if isinstance(sender.pool, TaskPool):
        health.keep_beating("worker")


@beat_init.connect
def beat_started(**_kwargs: Any) -> None:
    health.keep_beating("beat")
