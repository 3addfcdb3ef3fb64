"""Processes that live long, and several of them for what takes minutes on one."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 4


def keep_loaded() -> None:
    """Call it once everything is loaded: the garbage collector leaves alone what is here until the process ends.

    Else each full collection goes through all modules of Rabta again, which held up a request in twenty by a tenth of
    a second; and processes forked from this one get copies of the memory that it touches.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def sensible() -> int:
    """How many this machine has use for."""
    return max(1, min(MOST, os.cpu_count() or 1))


def do(work: Callable[..., T], jobs: Sequence[tuple[Any, ...]], processes: int) -> Iterator[T]:
    """What `work` gives for each of the jobs, in their order; a few are done ahead, so that memory stays flat.

    Each of the processes has Rabta loaded and a connection of its own. Without processes it is done here, in the
    caller's transaction. `work` is a function of a module. Raises what the work raises, and BrokenProcessPool where a
    process is killed.
    """
    if not processes:
        for job in jobs:
            yield work(*job)
        return
    from django.db import connection

    # Spawned: a fork would share this process's connection to the database.
    context = multiprocessing.get_context("spawn")
    name = connection.settings_dict["NAME"]
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(name,)) as pool:
        ahead: deque[Future[T]] = deque()
        try:
            for job in jobs:
                ahead.append(pool.submit(_do, pickle.dumps((work, job))))
                if len(ahead) > 2 * processes:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()


def _begin(database: str) -> None:
    import django
    from django.db import connection

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who waits for what is in hand
    django.setup()
    connection.settings_dict["NAME"] = database


def _do(packed: bytes) -> Any:
    work, job = pickle.loads(packed)  # noqa: S301 (our parent's)
    return work(*job)
