"""What pages tell of the tickets before their agents becomes rows: gathered in the web process, written now and then.

A page says every few seconds how far a stretch has come; only its last word of some seconds is written. A process that
is killed loses those seconds' words, and pages say them again once they are connected anew. What is refused again and
again is given up, counted and told: in the log, the audit log and the settings.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from weakref import WeakKeyDictionary

from django.db import InterfaceError, OperationalError, connection, transaction

from inbox import focus, frames, hub, log
from inbox.focus import Stretch
from reports.handling import refreshing, switch
from reports.models.activity import LONGEST

logger = logging.getLogger(__name__)

EVERY = 30.0  # seconds between two times of writing
PATIENCE = "500ms"  # with others' locks: it is tried again
MOST = 5_000  # stretches that wait while the database is away
TRIES = 5  # of a stretch that is refused
TRIES_AWAY = 120  # an hour: the database is away, or others hold its locks, which is no stretch's fault
TURNS = 100  # of one round, to find which of them are refused
AWAY = (OperationalError, InterfaceError)
LOST = "handle_time_lost"  # the event that counts what was given up

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


Failed = list[tuple[Stretch, Exception]]


class Waiting:
    """What was told to this process and is not written yet.

    The event loop alone touches it: the thread that writes is handed a batch, and answers what it could not write.
    """

    def __init__(self) -> None:
        self.told: dict[Key, Stretch] = {}
        self.tries: Counter[tuple[Key, bool]] = Counter()  # that failed; True: because the database was away
        self.lost: set[Key] = set()  # given up, and not counted yet
        self.task: asyncio.Task[None] | None = None

    def add(self, stretches: Collection[Stretch]) -> None:
        for one in stretches:
            key = _key(one)
            if key not in self.told and len(self.told) >= MOST:
                if not self.lost:
                    logger.error("%d stretches of handle time wait to be written: no more are kept until then", MOST)
                self.lost.add(key)
                continue
            self._wait(key, one)
        if self.told and (self.task is None or self.task.done()):
            self.task = asyncio.get_running_loop().create_task(self._run())

    def _wait(self, key: Key, one: Stretch) -> None:
        known = self.told.get(key)
        if known is None or known.ended_at < one.ended_at:
            self.told[key] = one

    async def _run(self) -> None:
        try:
            while self.told or self.lost:
                await asyncio.sleep(EVERY)
                try:
                    await self._round()
                except Exception:
                    logger.exception("how much handle time was lost could not be noted; it is tried again")
        except asyncio.CancelledError:  # the process ends
            if self.told:
                last = partial(_written, list(self.told.values()), iter(range(TURNS)))
                if failed := hub.current().thread.submit(last).result(timeout=5):
                    logger.error("%d stretches of handle time are lost", len(failed), exc_info=failed[0][1])
            raise

    async def _round(self) -> None:
        batch, self.told = self.told, {}
        work = partial(_written, list(batch.values()), iter(range(TURNS)))
        try:
            failed = await hub.current().in_thread(work) if batch else []
        except Exception as trouble:  # noqa: BLE001  of the thread itself: it is told below
            failed = [(one, trouble) for one in batch.values()]
        before, self.tries = self.tries, Counter()
        given_up: Failed = []
        for one, error in failed:
            away = isinstance(error, AWAY)
            key = _key(one)
            tries = before[key, away] + 1
            if tries >= (TRIES_AWAY if away else TRIES):
                given_up.append((one, error))
                continue
            self.tries[key, away], self.tries[key, not away] = tries, before[key, not away]
            self._wait(key, one)
        if given_up:
            self.lost.update(_key(one) for one, _error in given_up)
            one, error = given_up[0]
            logger.error(
                "%d stretches of handle time are given up, which were refused again and again; one is of agent %d on "
                "ticket %d", len(given_up), one.agent, one.ticket, exc_info=error,
            )  # fmt: skip
        elif failed:
            logger.warning(
                "%d stretches of handle time were not written; it is tried again", len(failed), exc_info=failed[0][1]
            )
        if self.lost:
            lost, self.lost = self.lost, set()
            try:
                await hub.current().in_thread(partial(_count_lost, len(lost)))
            except BaseException:
                self.lost |= lost
                raise


def _written(stretches: list[Stretch], turns: Iterator[int]) -> Failed:
    """Write these in the thread of the hub, and answer those that were not, each with why. Of one that is refused the
    others do not suffer: they are written without it.
    """
    try:
        write(stretches, patience=PATIENCE)
    except AWAY as error:
        return [(one, error) for one in stretches]
    except Exception as error:  # noqa: BLE001  it is told by whoever gets the answer
        if len(stretches) == 1 or next(turns, None) is None:
            return [(one, error) for one in stretches]
        half = len(stretches) // 2
        return _written(stretches[:half], turns) + _written(stretches[half:], turns)
    return []


def _count_lost(count: int) -> None:
    with transaction.atomic():
        log.record(None, LOST, by=None, count=count)


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
