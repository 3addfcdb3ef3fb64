"""What pages tell of the tickets before their agents becomes rows: gathered in the web process, written now and then.

A page says every few seconds how far a stretch has come; only its last word of some seconds is written. A process that
is killed loses those seconds' words, and pages say them again once they are connected anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from weakref import WeakKeyDictionary

from django.db import connection, transaction

from inbox import focus, frames, hub
from inbox.focus import Stretch
from reports.handling import refreshing, switch
from reports.models.activity import LONGEST

logger = logging.getLogger(__name__)

EVERY = 30.0  # seconds between two times of writing
PATIENCE = "500ms"  # with others' locks: it is tried again
MOST = 5_000  # stretches that wait while the database is away

KEEP = """
INSERT INTO reports_activity (agent_id, page, seq, ticket_id, idle, started_at, ended_at)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::bigint[], %s::bool[], %s::timestamptz[],
    %s::timestamptz[])
ON CONFLICT (agent_id, page, seq) DO UPDATE SET ended_at = excluded.ended_at
WHERE reports_activity.ended_at < excluded.ended_at AND reports_activity.ticket_id = excluded.ticket_id
    AND reports_activity.idle = excluded.idle AND excluded.ended_at - reports_activity.started_at <= %s::interval
RETURNING agent_id, started_at, ended_at
"""
THERE = """
SELECT agent_id, page, seq FROM reports_activity
JOIN unnest(%s::bigint[], %s::text[], %s::int[]) AS asked (agent, of_page, number)
    ON agent_id = agent AND page = of_page AND seq = number
"""
Key = tuple[int, str, int]


def _key(one: Stretch) -> Key:
    return one.agent, one.page, one.seq


class Waiting:
    """What was told to this process and is not written yet."""

    def __init__(self) -> None:
        self.told: dict[Key, Stretch] = {}
        self.task: asyncio.Task[None] | None = None

    def add(self, stretches: Collection[Stretch]) -> None:
        for one in stretches:
            known = self.told.get(_key(one))
            if known is None and len(self.told) >= MOST:
                continue
            if known is None or known.ended_at < one.ended_at:
                self.told[_key(one)] = one
        if self.told and (self.task is None or self.task.done()):
            self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self.told:
            try:
                await asyncio.sleep(EVERY)
            except asyncio.CancelledError:  # the process ends
                hub.current().thread.submit(self._write).result(timeout=5)
                raise
            try:
                await hub.current().in_thread(self._write)
            except Exception:
                logger.exception("what agents had before them was not written down; it is tried again")

    def _write(self) -> None:
        batch, self.told = self.told, {}
        try:
            write(batch.values(), patience=PATIENCE)
        except Exception:
            self.told = {**batch, **self.told}
            raise


def write(stretches: Collection[Stretch], *, patience: str = "0") -> int:
    """Keep these, as far as their agents may see the tickets, and share out anew what they change. Returns how many
    rows came or grew; none where nothing is to be recorded. `patience` (of PostgreSQL's) is how long a lock is waited
    for, after which OperationalError is raised; "0" is for ever.
    """
    if not stretches or not switch.is_on():
        return 0
    found = sorted({_key(one): one for one in sorted(stretches, key=lambda one: one.ended_at)}.values(), key=_key)
    kept = _seen(found)
    if not kept:
        return 0
    columns = [
        [getattr(one, name) for one in kept]
        for name in ("agent", "page", "seq", "ticket", "idle", "started_at", "ended_at")
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [patience])
        cursor.execute(KEEP, (*columns, str(LONGEST)))
        changed = cursor.fetchall()
        refreshing.mark(changed)
        return len(changed)


def _seen(found: list[Stretch]) -> list[Stretch]:
    """Those of tickets that their agents see or saw then. What is there already was theirs when it began."""
    with connection.cursor() as cursor:
        cursor.execute(THERE, [[one.agent for one in found], [one.page for one in found], [one.seq for one in found]])
        there = set(cursor.fetchall())
    new = [one for one in found if _key(one) not in there]
    numbers, agents = {one.ticket for one in new}, {one.agent for one in new}
    sees = frames.who_sees(numbers, agents, min(one.started_at for one in new)) if new else {}
    return [one for one in found if _key(one) in there or one.ticket in sees.get(one.agent, ())]


_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, Waiting] = WeakKeyDictionary()


@focus.hears
def keep(stretches: list[Stretch], now: bool) -> None:
    if now:
        write(stretches)
    else:
        _waiting.setdefault(asyncio.get_running_loop(), Waiting()).add(stretches)
