"""The classes of our advisory locks in PostgreSQL: the first of their two numbers. Each is one thing's alone.

Two users of one class would wait for each other wherever their second numbers meet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

FOLLOWER: Final = 20001  # a reader of the log, by the digest of its name
SENDER: Final = 20002  # an address that writes to us, by its digest
POLLER: Final = 20003  # a channel that is polled, by its id
WEBHOOKS: Final = 20004  # 0 for the pump, 1 for a claim
TOKEN_RENEWAL: Final = 20005  # a mailbox whose OAuth token is renewed, by its channel's id
MAILBOX_COUNT: Final = 20006  # a mailbox that is counted, by its channel's id; 0 for the worker that counts
SEARCH_PARTITIONS: Final = 20007  # whoever makes or exchanges a partition
FIRST_PERSON: Final = 20008  # whoever makes themselves the first admin
EXPORTS: Final = 20009  # shared by whoever writes a part of an export; whoever erases somebody has it alone
CHATS: Final = 20010  # whoever tends the queue of chats
TENDER: Final = 20011  # a channel that is looked after, by its id
FACTS: Final = 20012  # whoever writes facts (reports.facts): the follower alone, or parts of a rebuild together
SCHEDULES: Final = 20013  # whoever writes down which hours of business hold
ASKING: Final = 20014  # a customer who is asked a survey, by their id


def lost_race(error: Exception) -> bool:
    """Whether PostgreSQL gave up this transaction for another one's sake: tried again, it works."""
    return getattr(error.__cause__, "sqlstate", None) in {"40P01", "40001"}


@contextmanager
def only_one(what: int, number: int) -> Iterator[bool]:
    """Whether this process alone does it: a lock of the session, which PostgreSQL drops when the process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [what, number])
        (mine,) = cursor.fetchone()
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [what, number])
