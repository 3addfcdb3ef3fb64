"""How long chats wait for what somebody else holds in the database: no talk may stop for another's ticket.

What is held is waited for like any other lock, for a moment. After that whoever wrote it is told to say it again, and
for some seconds this process waits less, and goes around what is held.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import Error, OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")
WAIT, SHORT = "1s", "100ms"  # for a lock, by PostgreSQL's lock_timeout; once something was held
CAREFUL = 10.0  # seconds after the last time that a wait was in vain
_until = 0.0


class Held(Exception):
    """Somebody holds what this needs, longer than others can be kept waiting for it: it is said again."""


def is_held(error: BaseException) -> bool:
    """Whether PostgreSQL gave up because a lock was held for too long."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) == "55P03"


def careful() -> bool:
    """Whether something was held a moment ago."""
    return time.monotonic() < _until


def in_vain() -> None:
    """Something is held."""
    global _until
    _until = time.monotonic() + CAREFUL


def most() -> str:
    return SHORT if careful() else WAIT


def bound() -> None:
    """From here to its end this transaction waits for no lock longer than that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [most()])


def bounded(work: Callable[P, R]) -> Callable[P, R]:
    """Decorator: what is done in the few threads that all pages share, and may lock something. Raises Held."""

    @wraps(work)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        inside = connection.in_atomic_block  # then the limit ends with that transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, %s)", [most(), inside])
        try:
            return work(*args, **kwargs)
        except OperationalError as error:
            if not is_held(error):
                raise
            in_vain()
            raise Held from error
        finally:
            if not inside:
                _unbind()

    return within


def _unbind() -> None:
    """Others have this connection next."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    except Error:  # it is broken, and goes nowhere
        connection.close()
