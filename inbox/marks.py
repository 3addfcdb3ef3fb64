"""The hub's part in presence: gathers what its own pages show, trades it with the other processes, and tells the pages
what changed, each what its agent may see.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from inbox import frames, live, presence
from inbox.presence import AWAY, State
from inbox.sockets import Socket, frame

if TYPE_CHECKING:
    from inbox.hub import Hub

GATHER = 0.25  # seconds between two frames
SILENT = 7.0  # seconds without a word after which a page shows nothing any more; it speaks every four
NAMES_FOR = 60.0  # seconds that a name or a face may be out of date


class Marks:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.id = uuid.uuid4().hex
        self.mine = State()
        self.others: dict[str, tuple[float, State]] = {}  # what each process said, and until when that holds
        self.told = State()  # what the pages know
        self.fresh: set[Socket] = set()  # pages that know nothing yet
        self.people: dict[int, dict[str, str]] = {}
        self.away: set[int] = set()  # those of them who say that they are
        self.people_until = 0.0
        self.moved = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    # What is heard -----------------------------------------------------------------------------------------------

    def join(self, socket: Socket) -> None:
        self.fresh.add(socket)
        self.moved.set()
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, socket: Socket) -> None:
        self.fresh.discard(socket)
        self.moved.set()

    def hear(
        self, socket: Socket, ticket: int | None, doing: str, away: bool, before: frozenset[int] = frozenset()
    ) -> None:
        """A page says what it shows."""
        said = (ticket, doing, away, before)
        changed = (socket.shows, socket.doing, socket.away, socket.before) != said
        (socket.shows, socket.doing, socket.away, socket.before), socket.spoke = said, time.monotonic()
        if changed:
            self.moved.set()

    def hear_of(self, states: dict[str, str]) -> None:
        """Other processes say what their pages show."""
        for hub, text in states.items():
            if hub != self.id:
                self.others[hub] = (time.monotonic() + presence.LIVES, State.unpacked(text))
                self.moved.set()

    def forget_rights(self, agents: set[int]) -> None:
        """What these people may see has changed: what they show has to be looked at again."""
        for socket in self.hub.sockets:
            if socket.agent in agents:
                socket.allowed = None
        self.people_until = 0
        self.moved.set()

    # What is told ------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._trade()
            if not self.hub.sockets:  # nothing is waited for from here on: whoever joins would be overlooked
                return

    async def _trade(self) -> None:
        """As long as there are pages; once more without any, so that others hear of it."""
        connection = presence.line()
        due, stumbled = 0.0, False
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.moved.wait(), max(due - time.monotonic(), 0.01))
                self.moved.clear()
                try:
                    changed = await self._look()
                    if changed or time.monotonic() >= due:
                        due = time.monotonic() + presence.EXCHANGE_EVERY
                        await self._exchange(connection)
                    if changed:  # after it: who is told of it, and then asks Redis, must not find what was
                        live.presence(self.id, self.mine.packed())
                    await self._tell()
                    stumbled = False
                except Exception:
                    if not stumbled:  # once, not every second while the database is away
                        self.hub.log.exception("marks of presence were not sent")
                    stumbled = True
                    await asyncio.sleep(1)
                if not self.hub.sockets and not self.moved.is_set():
                    return
                await asyncio.sleep(GATHER)
        finally:
            with contextlib.suppress(Exception):
                await connection.aclose()

    async def _look(self) -> bool:
        """What the own pages show now; whether that is news to others."""
        silent_since = time.monotonic() - SILENT
        here = list(self.hub.sockets)
        for socket in here:
            if (socket.shows is not None or socket.before) and socket.spoke < silent_since:
                socket.shows, socket.before = None, frozenset()
        asked = [one for one in here if one.shows is not None and one.allowed != one.shows]
        if asked:
            numbers = {one.shows for one in asked if one.shows is not None}
            sees = await self.hub.in_thread(partial(frames.who_sees, numbers, {one.agent for one in asked}))
            for one in asked:
                one.allowed = one.shows if one.shows in sees.get(one.agent, ()) else None
        mine = State()
        for one in here:
            ticket = one.shows if one.shows == one.allowed else None
            mine.add(one.agent, away=one.away, ticket=ticket, doing=one.doing, before=one.before)
        if mine == self.mine:
            return False
        self.mine = mine
        return True

    async def _exchange(self, connection: Any) -> None:
        try:
            found = await presence.exchange(connection, self.id, self.mine)
        except (RedisError, OSError, TimeoutError):
            return  # what others said last holds until it runs out
        until = time.monotonic() + presence.LIVES
        self.others.update({hub: (until, state) for hub, state in found.items()})

    async def _tell(self) -> None:
        now = time.monotonic()
        self.others = {hub: said for hub, said in self.others.items() if said[0] > now}
        known = presence.joined([self.mine, *(state for _until, state in self.others.values())])
        wanted = {*known.here, *(agent for people in known.marks.values() for agent in people)}
        if time.monotonic() > self.people_until or not wanted <= self.people.keys():
            self.people, self.away = await self.hub.in_thread(partial(frames.faces, wanted | self.people.keys()))
            self.people_until = time.monotonic() + NAMES_FOR
        known.here.update(dict.fromkeys(self.away & known.here.keys(), AWAY))
        marks = {
            ticket: known.marks.get(ticket, {})
            for ticket in {*known.marks, *self.told.marks}
            if known.marks.get(ticket) != self.told.marks.get(ticket)
        }
        here = {
            agent: known.here.get(agent, "")
            for agent in {*known.here, *self.told.here}
            if known.here.get(agent) != self.told.here.get(agent)
        }
        fresh, self.fresh = self.fresh & self.hub.sockets, set()
        told = self.hub.sockets - fresh if marks or here else set()
        self.told = known
        if not fresh and not told:
            return
        agents = {socket.agent for socket in fresh | told}
        asked = {*marks, *known.marks} if fresh else {*marks}
        sees = await self.hub.in_thread(partial(frames.who_sees, asked, agents)) if asked else {}
        for sockets, what, whole in ((told, State(here, marks), False), (fresh, known, True)):
            self._send(sockets, what, sees, whole)

    def _send(self, sockets: set[Socket], what: State, sees: dict[int, frozenset[int]], whole: bool) -> None:
        made: dict[frozenset[int], Any] = {}
        nothing: frozenset[int] = frozenset()
        for socket in sockets:
            visible = sees.get(socket.agent, nothing).intersection(what.marks)
            if visible not in made:
                marks = {ticket: list(what.marks[ticket].items()) for ticket in visible}
                people = {*what.here, *(agent for ticket in visible for agent in what.marks[ticket])}
                told: dict[str, Any] = {"people": {one: self.people[one] for one in people if one in self.people}}
                told |= {"marks": marks} if marks else {}
                told |= {"here": what.here} if what.here else {}
                told |= {"whole": 1} if whole else {}
                made[visible] = frame(told) if len(told) > 1 else None
            if made[visible] is not None:
                socket.put(made[visible])
