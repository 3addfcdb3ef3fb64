"""How long chats wait for what somebody else holds in the database: no talk may stop for another's ticket.

What is held is waited for like any other lock, for a moment. After that whoever wrote it is told to say it again, and
for some seconds this process waits less, and goes around what is held.
"""

from __future__ import annotations

import time

from django.db import OperationalError, connection

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
