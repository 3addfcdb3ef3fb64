"""In each web process one hub: it hears which tickets changed, renders each row once per language, and sends every
socket what its agent may see.

The first change leaves at once, what follows is gathered for a quarter of a second. A fact that Redis lost is found by
a look at what changed lately, so that screens are late by seconds at most. Rows go to all who may see them (the page
knows which list it shows); of an open conversation only the number goes, and the page asks for what is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from django.utils import timezone

from inbox import frames, live

logger = logging.getLogger(__name__)

GATHER = 0.25  # seconds between two frames
COUNTS_EVERY = 2.0  # seconds between two counts
LOOK_EVERY = 5.0  # seconds between two looks at what changed lately
BEAT_EVERY = 20.0  # seconds between two signs of life; log-ins are checked with them
MOST_ROWS = 100  # changed at once; above that pages fetch their list anew
MOST_FRAMES = 60  # waiting for one slow socket before it is given up

T = TypeVar("T")
LOGGED_OUT = 4401  # close code: log in again
TOO_SLOW = 4408


@dataclass(eq=False)
class Socket:
    """One open page: whose it is, in which language, and what still has to be sent to it."""

    agent: int
    session: str
    language: str
    rights: object = None  # what decided the last frame; a change of it makes the page start over
    counts: dict[str, str] = field(default_factory=dict)  # as last sent
    frames: asyncio.Queue[str | int] = field(default_factory=lambda: asyncio.Queue(MOST_FRAMES))

    def put(self, frame: str | int) -> None:
        """Queue a frame, or a close code. A socket that does not keep up is closed; its page will ask again."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            while not self.frames.empty():
                self.frames.get_nowait()
            self.frames.put_nowait(TOO_SLOW)


class Hub:
    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.newcomers: set[Socket] = set()
        self.changed: set[int] = set()
        self.seen: dict[int, datetime] = {}  # when each ticket changed that was sent lately
        self.tasks: list[asyncio.Task[None]] = []
        self.flusher: asyncio.Task[None] | None = None
        self.counter: asyncio.Task[None] | None = None
        self.uncounted = False
        self.newcomer = asyncio.Event()
        self.thread = ThreadPoolExecutor(1, "hub")

    # Who is here -------------------------------------------------------------------------------------------------

    def join(self, socket: Socket) -> None:
        self.sockets.add(socket)
        self.newcomers.add(socket)  # they get what changed since their page was rendered
        self.newcomer.set()
        self._count_soon()
        if not self.tasks:
            loops = (self._listen, self._look, self._beat)
            self.tasks = [asyncio.get_running_loop().create_task(again(loop)) for loop in loops]

    def leave(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        self.newcomers.discard(socket)
        if not self.sockets:
            for task in self.tasks:
                task.cancel()
            self.tasks = []

    # What is heard -----------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        layer = get_channel_layer()
        assert layer is not None
        channel = await layer.new_channel()
        await layer.group_add(live.GROUP, channel)
        try:
            while True:
                message = await layer.receive(channel)
                self.note(message.get("tickets", ()))
                for agents, frame in message.get("hints", ()):
                    self.hint(set(agents), frame)
                if people := message.get("people"):
                    await self.check(set(people))
        finally:
            await layer.group_discard(live.GROUP, channel)

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.newcomer.wait(), LOOK_EVERY)
            await asyncio.sleep(GATHER)
            self.newcomer.clear()
            fresh, self.newcomers = self.newcomers, set()
            rows = await self._in_thread(frames.lately)
            self.note([number for number, at in rows if self.seen.get(number) != at])
            self.seen.update(rows)
            if fresh and rows:
                await self._send_rows({number for number, _at in rows}, fresh)
            self.seen = {number: at for number, at in self.seen.items() if at > timezone.now() - 2 * frames.LOOK_BACK}

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            here = list(self.sockets)
            valid = await self._in_thread(partial(frames.logged_in, {socket.session: socket.agent for socket in here}))
            for socket in here:
                socket.put('{"beat":1}' if socket.session in valid else LOGGED_OUT)

    async def check(self, agents: set[int]) -> None:
        """Log-ins or rights of these people changed: their pages end, or start over if they see something else now."""
        here = [socket for socket in self.sockets if socket.agent in agents]
        if not here:
            return
        sessions = {socket.session: socket.agent for socket in here}
        valid, rights = await self._in_thread(lambda: (frames.logged_in(sessions), frames.rights_of(agents)))
        for socket in here:
            now = rights.get(socket.agent)
            if socket.session not in valid or now is None:
                socket.put(LOGGED_OUT)
            elif socket.rights != now:
                socket.rights = now
                socket.put('{"reload":1}')
        self._count_soon()

    def hint(self, agents: set[int], frame: dict[str, Any]) -> None:
        """What only the pages of these people are told; `live.hint` says what that may be."""
        text = json.dumps(frame, ensure_ascii=False)
        for socket in self.sockets:
            if socket.agent in agents:
                socket.put(text)

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
                try:
                    await self._send_rows(batch, set(self.sockets))
                except Exception:  # the database is away: keep the batch, screens are late but complete
                    logger.exception("rows were not sent")
                    self.changed |= batch
                    await asyncio.sleep(1)
                self._count_soon()
                await asyncio.sleep(GATHER)
        finally:
            self.flusher = None

    async def _send_rows(self, batch: set[int], here: set[Socket]) -> None:
        if len(batch) > MOST_ROWS:
            for socket in here:
                socket.put('{"reload":1}')
            return
        agents, languages = {socket.agent for socket in here}, {socket.language for socket in here}
        rows, told = await self._in_thread(partial(frames.prepare, batch, agents, languages))
        self.seen.update({number: row.at for number, row in rows.items()})
        made: dict[tuple[frozenset[int], frozenset[int], str], str] = {}
        for socket in here:
            sees = told.get(socket.agent)
            if sees is None:
                socket.put(LOGGED_OUT)
                continue
            if socket.rights not in (None, sees.rights):
                socket.put('{"reload":1}')  # what they may see has changed: they ask for all of it again
            socket.rights = sees.rights
            key = (sees.visible, sees.lost, socket.language)
            if key not in made:
                html = "".join(rows[number].html[socket.language] for number in sorted(sees.visible))
                frame = {"rows": html, "changed": sorted(sees.visible), "gone": sorted(sees.lost)}
                made[key] = json.dumps(frame, ensure_ascii=False)
            if sees.visible or sees.lost:
                socket.put(made[key])

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
                found = await self._in_thread(partial(frames.count_for, {socket.agent for socket in here}))
                for socket in here:
                    counts = found.get(socket.agent, socket.counts)
                    if counts != socket.counts:
                        socket.counts = counts
                        socket.put(json.dumps({"counts": counts}))
                await asyncio.sleep(COUNTS_EVERY)
        except Exception:
            logger.exception("counts were not sent")
        finally:
            self.counter = None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run database work in the hub's own thread, so that it holds one connection at most, and only meanwhile."""

        def run() -> T:
            try:
                return work()
            finally:
                connection.close()  # back into the pool of the web process

        return await sync_to_async(run, thread_sensitive=False, executor=self.thread)()


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
