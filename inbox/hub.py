"""In each web process one hub: it hears which tickets changed, renders each row once per language, and sends every
socket what its agent may see. It hears, too, what pages say: since when they know nothing, what they show (marks.py),
what was read.

The first change leaves at once, what follows is gathered for a quarter of a second. A fact that Redis lost is found by
a look at what changed lately, so that screens are late by seconds at most. Rows go to all who may see them (the page
knows which list it shows); of an open conversation only the number goes, and the page asks for what is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.db import connection
from django.utils import timezone

from inbox import frames, live
from inbox.marks import Marks
from inbox.sockets import LOGGED_OUT, Message, Socket, frame

logger = logging.getLogger(__name__)

GATHER = 0.25  # seconds from one frame to the next
BREATH = 0.05  # seconds that pages and requests have to themselves between two frames, however long one takes
COUNTS_EVERY = 2.0  # seconds between two counts
LOOK_EVERY = 5.0  # seconds between two looks at what changed lately
BEAT_EVERY = 20.0  # seconds between two signs of life; log-ins are checked with them
MOST_ROWS = 100  # changed at once; above that pages fetch their list anew
RECENT = timedelta(minutes=2)  # pages that lost their connection within it are told together what they missed

T = TypeVar("T")


class Hub:
    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.newcomers: set[Socket] = set()
        self.changed: set[int] = set()
        self.sent: dict[int, datetime] = {}  # when each ticket changed that was sent lately
        self.tasks: list[asyncio.Task[None]] = []
        self.flusher: asyncio.Task[None] | None = None
        self.counter: asyncio.Task[None] | None = None
        self.uncounted = False
        self.newcomer = asyncio.Event()
        self.listening = asyncio.Event()  # facts are heard; what was told before is found by looks alone
        self.thread = ThreadPoolExecutor(1, "hub")
        self.marks = Marks(self)
        self.seen: dict[tuple[int, int], int | None] = {}  # (agent, ticket): newest message that was before them
        self.reader: asyncio.Task[None] | None = None
        self.log = logger

    # Who is here -------------------------------------------------------------------------------------------------

    def join(self, socket: Socket) -> None:
        self.sockets.add(socket)
        self.newcomer.set()
        self._count_soon()
        self.marks.join(socket)
        if not self.tasks:
            loops = (self._listen, self._look, self._beat)
            self.tasks = [asyncio.get_running_loop().create_task(again(loop)) for loop in loops]

    def leave(self, socket: Socket) -> None:
        socket.closed = True
        if socket.relay is not None:
            socket.relay.cancel()
        self.sockets.discard(socket)
        self.newcomers.discard(socket)
        self.marks.leave(socket)
        if not self.sockets:
            for task in self.tasks:
                task.cancel()
            self.tasks = []

    def catch_up(self, socket: Socket, since: datetime | None, sight: str | None) -> None:
        """The page knows all that happened until `since`, as far as `sight` let it see. It is told the rest, soon."""
        socket.since, socket.sight = since, sight
        self.newcomers.add(socket)
        self.newcomer.set()

    def read(self, socket: Socket, ticket: int, message: int | None) -> None:
        """The agent has before them all of this ticket up to this message."""
        self.seen[socket.agent, ticket] = message
        if self.reader is None:
            self.reader = asyncio.get_running_loop().create_task(self._read())

    # What is heard -----------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        layer = get_channel_layer()
        assert layer is not None
        channel = await layer.new_channel()
        await layer.group_add(live.GROUP, channel)
        self.listening.set()
        self.newcomer.set()  # what was said before is found by a look
        try:
            while True:
                message = await layer.receive(channel)
                self.note(message.get("tickets", ()))
                for agents, told in message.get("hints", ()):
                    self.hint(set(agents), told)
                if states := message.get("presence"):
                    self.marks.hear_of(states)
                if people := message.get("people"):
                    await self.check(set(people))
        finally:
            self.listening.clear()
            await layer.group_discard(live.GROUP, channel)

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.newcomer.wait(), LOOK_EVERY)
            await asyncio.sleep(GATHER)
            self.newcomer.clear()
            fresh, self.newcomers = self.newcomers & self.sockets, set()
            try:
                rows = await self.in_thread(frames.lately)
                self.note([number for number, at in rows if self.sent.get(number) != at])
                self.sent.update(rows)
                await self._tell_missed(fresh)
            except Exception:
                self.newcomers |= fresh
                raise
            self.sent = {number: at for number, at in self.sent.items() if at > timezone.now() - 2 * frames.LOOK_BACK}

    async def _tell_missed(self, fresh: set[Socket]) -> None:
        """What pages missed that were just opened, or lost their connection for a while.

        One question for all of them, and two frames at most: for those who were away for moments, and the others.
        """
        if not fresh:
            return
        now, oldest = time.time(), min((socket.since for socket in fresh if socket.since), default=None)
        changed = await self.in_thread(partial(frames.missed, oldest, MOST_ROWS)) if oldest else []
        found = {since: frames.since(changed, since, MOST_ROWS) for since in {one.since for one in fresh} if since}
        border = timezone.now() - RECENT
        for recent in (True, False):
            told = {one for one in fresh if one.since and found[one.since] and (one.since > border) == recent}
            if told:
                await self._send_rows(
                    set().union(*(found[one.since] or () for one in told if one.since)),
                    told,
                    min(one.since for one in told if one.since),
                )
        agents = {socket.agent for socket in fresh}
        rights, rung = await self.in_thread(lambda: (frames.rights_of(agents), frames.told_last(agents)))
        for socket in fresh:
            socket.rights = rights.get(socket.agent)
            sight = sight_of(socket.rights)
            if socket.since is None or found[socket.since] is None or socket.sight not in (None, sight):
                socket.put(RELOAD)
            if socket.since and socket.agent in rung and rung[socket.agent] > socket.since - frames.LOOK_BACK:
                socket.put(RING)
            socket.put(frame({"beat": now, "sight": sight}))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            here, now = list(self.sockets), time.time()
            valid = await self.in_thread(partial(frames.logged_in, {socket.session: socket.agent for socket in here}))
            alive, behind = frame({"beat": now}), frame({"beat": 0})  # who is still behind must not forget since when
            for socket in here:
                if socket.session not in valid:
                    socket.close(LOGGED_OUT)
                else:
                    socket.put(behind if socket in self.newcomers else alive)

    async def _read(self) -> None:
        """What was read is written down, a few times a second for all together."""
        try:
            while self.seen:
                claims, self.seen = self.seen, {}
                try:
                    await self.in_thread(partial(frames.see, claims))
                except Exception:
                    logger.exception("what was read was not written down")
                await asyncio.sleep(GATHER)
        finally:
            self.reader = None

    async def check(self, agents: set[int]) -> None:
        """Log-ins or rights of these people changed: their pages end, or start over if they see something else now."""
        here = [socket for socket in self.sockets if socket.agent in agents]
        self.marks.forget_rights(agents)
        if not here:
            return
        sessions = {socket.session: socket.agent for socket in here}
        valid, rights = await self.in_thread(lambda: (frames.logged_in(sessions), frames.rights_of(agents)))
        for socket in here:
            now = rights.get(socket.agent)
            if socket.session not in valid or now is None:
                socket.close(LOGGED_OUT)
            elif socket.rights != now:
                socket.rights = now
                socket.put(RELOAD)
        self._count_soon()

    def hint(self, agents: set[int], told: dict[str, Any]) -> None:
        """What only the pages of these people are told; `live.hint` says what that may be."""
        message = frame(told)
        for socket in self.sockets:
            if socket.agent in agents:
                socket.put(message)

    def note(self, numbers: Iterable[int]) -> None:
        """These tickets changed; their rows leave soon."""
        self.changed.update(numbers)
        if self.changed and self.sockets and self.flusher is None:
            self.flusher = asyncio.get_running_loop().create_task(self._flush())

    # What is sent ------------------------------------------------------------------------------------------------

    async def _flush(self) -> None:
        try:
            while self.changed and self.sockets:
                batch, self.changed = self.changed, set()
                began = time.monotonic()
                try:
                    await self._send_rows(batch, set(self.sockets))
                except Exception:  # the database is away: keep the batch, screens are late but complete
                    logger.exception("rows were not sent")
                    self.changed |= batch
                    await asyncio.sleep(1)
                self._count_soon()
                await asyncio.sleep(max(began + GATHER - time.monotonic(), BREATH))
        finally:
            self.flusher = None

    async def _send_rows(self, batch: set[int], here: set[Socket], since: datetime | None = None) -> None:
        if len(batch) > MOST_ROWS:
            for socket in here:
                socket.put(RELOAD)
            return
        agents, languages = {socket.agent for socket in here}, {socket.language for socket in here}
        rows, told = await self.in_thread(partial(frames.prepare, batch, agents, languages, since))
        self.sent.update({number: row.at for number, row in rows.items()})
        made: dict[tuple[frozenset[int], frozenset[int], str], Message | None] = {}
        for socket in here:
            sees = told.get(socket.agent)
            if sees is None:
                socket.close(LOGGED_OUT)
                continue
            if socket.rights is not sees.rights and socket.rights != sees.rights:
                if socket.rights is not None:
                    socket.put(RELOAD)  # what they may see has changed: they ask for all of it again
                socket.rights = sees.rights
            key = (sees.visible, sees.lost, socket.language)
            message = made.get(key)
            if message is None and key not in made:
                message = made[key] = row_frame(rows, sees, socket.language)
            if message is not None:
                socket.put(message)
            if socket.shows in sees.lost:
                socket.allowed = None
                self.marks.moved.set()

    def _count_soon(self) -> None:
        self.uncounted = True
        if self.counter is None:
            self.counter = asyncio.get_running_loop().create_task(self._count())

    async def _count(self) -> None:
        try:
            await asyncio.sleep(GATHER)
            while self.uncounted and self.sockets:
                self.uncounted = False
                here = list(self.sockets)
                found = await self.in_thread(partial(frames.count_for, {socket.agent for socket in here}))
                made: dict[int, Message] = {}
                for socket in here:
                    counts = found.get(socket.agent, socket.counts)
                    if counts != socket.counts:
                        socket.counts = counts
                        if socket.agent not in made:
                            made[socket.agent] = frame({"counts": counts})
                        socket.put(made[socket.agent])
                await asyncio.sleep(COUNTS_EVERY)
        except Exception:
            logger.exception("counts were not sent")
        finally:
            self.counter = None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run database work in the hub's own thread, so that it holds one connection at most, and only meanwhile."""

        def run() -> T:
            try:
                return work()
            finally:
                connection.close()  # back into the pool of the web process

        return await asyncio.get_running_loop().run_in_executor(self.thread, run)


RELOAD = frame({"reload": 1})
RING = frame({"notifications": 1})


def row_frame(rows: dict[int, frames.Row], sees: frames.Sees, language: str) -> Message | None:
    """What whoever sees this of a batch is told of it; None where that is nothing."""
    if not sees.visible and not sees.lost:
        return None
    html = "".join(rows[number].html[language] for number in sorted(sees.visible))
    return frame({"rows": html, "changed": sorted(sees.visible), "gone": sorted(sees.lost)})


def sight_of(rights: frames.Rights | None) -> str:
    """A short word for what somebody may see, to be compared with that of another time."""
    return hashlib.sha256(repr([sorted(part) for part in rights or ()]).encode()).hexdigest()[:12]


async def again(loop: Callable[[], Any]) -> None:
    """Keep a loop going through whatever happens to Redis or the database."""
    told = ""
    while True:
        try:
            await loop()
        except Exception as error:
            if repr(error) != told:  # once, not every second while Redis is away
                logger.exception("the hub stumbled; it goes on in a second")
            told = repr(error)
        await asyncio.sleep(1)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current() -> Hub:
    """The hub of this process (of this event loop)."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
