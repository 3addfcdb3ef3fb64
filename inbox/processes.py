"""Heartbeats of the Celery processes.

A worker's children beat, not their parent: it must not touch the database before it forks.
"""

from typing import Any

from celery.signals import beat_init, worker_process_init

from inbox import health


@worker_process_init.connect
def worker_child_started(**_kwargs: Any) -> None:
    health.keep_beating("worker")


@beat_init.connect
def beat_started(**_kwargs: Any) -> None:
    health.keep_beating("beat")
