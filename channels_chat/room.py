"""The web process's side of `hub.tell`: pages of visitors and desks of agents that are connected here, and what they
are told.

Reading happens in threads of its own, never in the event loop; what came meanwhile is read together.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone, translation

from channels_chat import answers, history, intake, lines, openings, reading
from channels_chat.intake import Batcher
from channels_chat.intake_values import Took
from channels_chat.pages import DeskPage, OnTheirWay, Page
from channels_chat.site import Site
from inbox import frames, live
from inbox.hub import again
from inbox.models import Message as ChatMessage
from inbox.sockets import LOGGED_OUT, Message, Socket, frame

logger = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds between two looks for news that nobody told of
BEAT_EVERY = 20.0  # seconds between two notes that visitors are connected
GRACE = 5.0  # seconds until a visitor without a page is gone: they may be on their way to the next one
ANSWERS = 1.0  # seconds that other processes have to say that somebody is with them
THREADS = 2
CHECK_EVERY = 5.0  # seconds between two looks at who still sees what they watch
BELIEVED = 12.0  # seconds that somebody is believed to see a ticket still
AWAY = (OperationalError, InterfaceError, OSError)  # the database will be back
T = TypeVar("T")


class Room:
    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.pages: dict[int, set[Page]] = defaultdict(set)
        self.visits: dict[tuple[int, str], set[Page]] = defaultdict(set)
        self.desks: set[DeskPage] = set()
        self.watched: dict[int, set[DeskPage]] = defaultdict(set)
        self.count = 0
        self.news: set[int] = set()
        self.coming = OnTheirWay()
        self.spoken: set[int] = set()
        self.teller: asyncio.Task[None] | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.leaving: dict[int, float] = {}  # visitors without a page here, and since when
        self.notes: set[asyncio.Task[None]] = set()
        self.seeing_off: asyncio.Task[None] | None = None
        self.threads = ThreadPoolExecutor(THREADS, "chat")
        self.intake = Batcher("chat-in", partial(intake.each, origin=self.id))
        self.answers = Batcher("chat-out", partial(answers.answer, origin=self.id))
        self.site = Site(self.id)
        self.handed: dict[int, datetime] = {}  # tickets whose last change was a line that was handed out here
        self.listening = asyncio.Event()

    # Who is here -------------------------------------------------------------------------------------------------

    def _started(self) -> None:
        self.count += 1
        if not self.tasks:
            loops = (self._listen, self._look, self._beat, self._check, self.site.run, partial(openings.watch, self))
            self.tasks = [asyncio.get_running_loop().create_task(again(loop)) for loop in loops]

    def _stopped(self) -> None:
        self.count -= 1
        if self.count <= 0 and not self.leaving:
            for task in self.tasks:
                task.cancel()
            self.tasks = []

    def join(self, page: Page) -> None:
        """A page said what it is; its visitor may be known or not."""
        self._started()
        assert page.door is not None
        self.visits[page.door.channel.pk, page.visit].add(page)
        if page.visitor:
            self.meet(page, page.visitor)

    def meet(self, page: Page, visitor: int) -> None:
        """From now on the page is this visitor's."""
        page.visitor = visitor
        self.pages[visitor].add(page)
        if self.coming.missed(page, visitor):
            self.look_at(visitor)
        self.leaving.pop(visitor, None)

    def look_at(self, visitor: int) -> None:
        """Pages of theirs may miss something."""
        self.news.add(visitor)
        self._tell_soon()

    def leave(self, page: Page) -> None:
        page.closed = True
        assert page.door is not None
        place = (page.door.channel.pk, page.visit)
        self.visits[place].discard(page)
        if not self.visits[place]:
            del self.visits[place]
            self.site.drop(page.visit)
        if page.visitor:
            self.part(page)
        self._stopped()

    def part(self, page: Page) -> None:
        """The page is no visitor's any more. Without another page of theirs they are gone soon."""
        visitor, page.visitor = page.visitor, 0
        self.pages[visitor].discard(page)
        if not self.pages[visitor]:
            del self.pages[visitor]
            self.leaving.setdefault(visitor, time.monotonic())
            if self.seeing_off is None:
                self.seeing_off = asyncio.get_running_loop().create_task(self._see_off())

    async def _see_off(self) -> None:
        """Note who is gone, many together: those who are back here meanwhile, or are with another process, are not."""
        try:
            while self.leaving:
                await asyncio.sleep(1)
                since = time.monotonic() - GRACE
                due = {visitor for visitor, at in self.leaving.items() if at <= since}
                if due:
                    asked_at = timezone.now()
                    live.chat(still=sorted(due))
                    await asyncio.sleep(ANSWERS)
                    due &= self.leaving.keys()
                    await self.in_thread(partial(reading.left, due, asked_at))
                    for visitor in due:
                        self.leaving.pop(visitor, None)
        except Exception:
            logger.exception("it was not noted that visitors left")  # the sweep finds them
            self.leaving.clear()
        finally:
            self.seeing_off = None
            if self.count <= 0:
                self.count += 1
                self._stopped()

    async def _still_here(self, visitors: set[int]) -> None:
        """Another process has no page of these any more; we have."""
        try:
            await self.in_thread(partial(reading.connected, visitors))
        except AWAY as error:
            logger.warning("it was not noted that visitors are here: %r", error)  # the next beat notes it

    # At the desk -------------------------------------------------------------------------------------------------

    def join_desk(self, desk: DeskPage) -> None:
        self._started()
        self.desks.add(desk)

    def leave_desk(self, desk: DeskPage) -> None:
        desk.closed = True
        self.desks.discard(desk)
        self.watch(desk, {})
        self._stopped()

    def watch(self, desk: DeskPage, tickets: dict[int, int]) -> None:
        """These tickets are before this agent, who has their messages up to these ids, and may see them."""
        for ticket in desk.watches.keys() - tickets.keys():
            self.watched[ticket].discard(desk)
            if not self.watched[ticket]:
                del self.watched[ticket]
        for ticket in tickets:
            self.watched[ticket].add(desk)
        desk.watches = dict(tickets)

    # What is heard -----------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        layer = get_channel_layer()
        assert layer is not None
        channel = await layer.new_channel()
        await layer.group_add(live.CHATS, channel)
        self.listening.set()
        self.everybody()  # of what was told before we heard
        try:
            while True:
                message = await layer.receive(channel)
                for fact in message.get("facts", ()):
                    self.hear(fact)
        finally:
            self.listening.clear()
            await layer.group_discard(live.CHATS, channel)

    def hear(self, fact: dict[str, Any]) -> None:
        """One fact: ids and codes, as `channels_chat.hub` tells them."""
        visitors = fact.get("visitors") or ()
        here = {one for one in visitors if one in self.pages}
        self.coming.news(visitors)
        if fact.get("by") == self.id:
            return  # our own pages have it
        self.news |= here
        if tickets := fact.get("tickets"):
            self.spoken.update(one for one in tickets if one in self.watched)
        self._tell_soon()
        match fact:
            case {"typing": [visitor, name, on]}:
                self._put_all(self.pages.get(visitor, ()), {"t": "typing", "name": name, "on": on})
            case {"ticks": [visitor, delivered, read]}:
                self._put_all(self.pages.get(visitor, ()), {"t": "ticks", "delivered": delivered, "read": read})
            case {"shown": [numbers, delivered, read]}:
                for one in numbers:
                    told = {"t": "ticks", "ticket": one, "delivered": delivered, "read": read}
                    self._put_all(self.watched.get(one, ()), told)
            case {"draft": [ticket, text, on]}:
                told = {"t": "typing", "ticket": ticket, "text": text, "on": on}
                self._put_all(self.watched.get(ticket, ()), told)
            case {"visit": [channel, visit, told]}:
                self._put_all(self.visits.get((channel, visit), ()), told)
            case {"still": asked}:
                if here := {one for one in asked if one in self.pages}:
                    self.notes.add(task := asyncio.get_running_loop().create_task(self._still_here(here)))
                    task.add_done_callback(self.notes.discard)
            case {"changed": numbers}:
                for one in numbers:
                    self._put_all(self.watched.get(one, ()), {"t": "changed", "ticket": one})

    def _put_all(self, sockets: Iterable[Socket], told: dict[str, Any]) -> None:
        found = list(sockets)
        if found:
            message = frame(told)
            for socket in found:
                socket.put(message)

    def everybody(self) -> None:
        """Look for news of all that are connected."""
        self.news.update(self.pages)
        self.spoken.update(self.watched)
        self._tell_soon()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            here = set(self.pages)
            if here or self.watched:
                changed, talks = await self.in_thread(partial(reading.lately, here, set(self.watched)))
                fresh = {one for one, at in changed.items() if self.handed.get(one) != at}
                self.handed = {one: at for one, at in self.handed.items() if one in changed}
                self.news.update(visitor for visitor, ticket in talks if ticket in fresh)
                self.spoken.update(fresh & self.watched.keys())
                self._tell_soon()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            if self.pages:
                await self.in_thread(partial(reading.connected, set(self.pages)))
            sessions = {desk.session: desk.agent for desk in self.desks}
            if sessions:
                valid = await self.in_thread(partial(frames.logged_in, sessions))
                for desk in [one for one in self.desks if one.session not in valid]:
                    desk.close(LOGGED_OUT)

    async def _check(self) -> None:
        """Look again, for all together, whether those at the desk still see what they watch: so that what is said can
        be put before them without asking each time.
        """
        while True:
            await asyncio.sleep(CHECK_EVERY)
            if not self.watched:
                continue
            began, agents = time.monotonic(), {desk.agent for desk in self.desks}
            sees = await self.in_thread(partial(frames.who_sees, set(self.watched), agents))
            for desk in list(self.desks):
                theirs = sees.get(desk.agent, frozenset())
                for ticket in list(desk.watches):
                    if ticket in theirs:
                        desk.checked[ticket] = began
                    else:
                        self.spoken.add(ticket)  # which tells them that it is gone
            self._tell_soon()

    # What is told ------------------------------------------------------------------------------------------------

    def _tell_soon(self) -> None:
        if (self.news or self.spoken) and self.teller is None:
            self.teller = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self.news or self.spoken:
                news, self.news = self.news, set()
                spoken, self.spoken = self.spoken, set()
                try:
                    await asyncio.gather(self._tell_desks(spoken), self._tell_visitors(news))
                except AWAY:
                    logger.exception("news of chats were not handed out")
                    self.news |= news
                    self.spoken |= spoken
                    await asyncio.sleep(1)
                except Exception:
                    logger.exception("news of chats are handed out one by one")
                    await self._tell_singly(news, spoken)
        finally:
            self.teller = None

    async def _tell_singly(self, news: set[int], spoken: set[int]) -> None:
        """One of them cannot be read: the others are told all the same."""
        for tell in [partial(self._tell_visitors, {one}) for one in news] + [
            partial(self._tell_desks, {one}) for one in spoken
        ]:
            try:
                await tell()
            except AWAY:  # the database went in the middle of it: all of it again, once it is back
                self.news |= news
                self.spoken |= spoken
                await asyncio.sleep(1)
                return
            except Exception as error:  # noqa: BLE001 - said before; a look finds them again as long as they change
                logger.warning("news of one chat were not handed out: %r", error)

    async def _tell_visitors(self, news: set[int]) -> None:
        # Pages that come meanwhile know less than these, and are told by themselves what they missed.
        here = {one: list(self.pages[one]) for one in news if self.pages.get(one)}
        if not here:
            return
        known = {
            one: (
                min(page.knows for page in pages),
                frozenset[int].intersection(*(frozenset(page.sent.union(page.told)) for page in pages)),
            )
            for one, pages in here.items()
        }
        found = await self.in_thread(partial(reading.news_of, known))
        for visitor, told in found.items():
            for page in here[visitor]:
                if page.visitor != visitor:
                    continue
                page.ready = None
                if not told.exists:
                    page.put(frame({"t": "gone"}))
                    continue
                messages = [one for one in told.messages if one["id"] not in page.sent and one["id"] not in page.told]
                # What all of them were sent meanwhile was not read again; what came since this was read is not in it.
                page.now_knows([*(one["id"] for one in told.messages)], since=max(known[visitor][1], default=0))
                if messages:
                    page.put(frame({"t": "said", "messages": messages}))
                page.put(frame({"t": "chat", "chat": told.chat}))

    async def _tell_desks(self, spoken: set[int]) -> None:
        desks = {desk for ticket in spoken for desk in self.watched.get(ticket, ())}
        if not desks:
            return
        known = {
            ticket: min(desk.watches.get(ticket, 0) for desk in self.watched[ticket])
            for ticket in spoken
            if self.watched.get(ticket)
        }
        have = {
            ticket: frozenset.intersection(*(frozenset(desk.sent) for desk in self.watched[ticket])) for ticket in known
        }
        ways = {(desk.agent, desk.language) for desk in desks}
        found = await self.in_thread(partial(reading.lines_of, known, ways, have))
        now = time.monotonic()
        for desk in desks:
            for ticket in list(desk.watches):
                if ticket not in known:
                    continue
                said = found.get((ticket, desk.agent, desk.language))
                if said is None:  # not theirs to see any more
                    self.watch(desk, {one: at for one, at in desk.watches.items() if one != ticket})
                    desk.put(frame({"t": "gone", "ticket": ticket}))
                    continue
                desk.checked[ticket] = now
                new = [one for one in said if one["id"] > desk.watches[ticket] and one["id"] not in desk.sent]
                ids = have[ticket].union(one["id"] for one in said)
                desk.watches[ticket] = max({desk.watches[ticket], *ids})
                desk.sent -= ids
                if new:
                    desk.put(frame({"t": "said", "ticket": ticket, "messages": new}))

    # What was written here, and need not be read again --------------------------------------------------------------

    def heard(self, took: Took, page: Page) -> None:
        """A visitor's line was taken in: those who watch, and the visitor's other pages, have it at once."""
        if took.line is None:
            return
        self.coming.news([page.visitor])
        self._to_desks(took, None)
        others = [one for one in self.pages.get(page.visitor, ()) if one is not page]
        if others:
            self._to_pages(took, others)
        page.sent.add(took.message)
        self._handed(took)

    def answered(self, took: Took, desk: DeskPage) -> None:
        """An agent's line is on its way: the visitor has it at once, and colleagues who watch."""
        if took.line is None:
            return
        self.coming.news([took.visitor])
        self._to_pages(took, list(self.pages.get(took.visitor, ())))
        self._to_desks(took, desk)
        desk.sent.add(took.message)
        self._handed(took)

    def _handed(self, took: Took) -> None:
        """That this line is there needs no look: whoever is connected here has it."""
        if took.changed is not None:
            self.handed[took.ticket] = took.changed

    def _to_pages(self, took: Took, pages: list[Page]) -> None:
        if not pages or pages[0].door is None or took.line is None:
            return
        message = frame({"t": "said", "messages": history.wire([_bare(took.line)], pages[0].door.channel)})
        for page in pages:
            page.put(message)
            page.sent.add(took.message)
            if len(page.sent) > page.enough:
                self.news.add(page.visitor)
        self._tell_soon()

    def _to_desks(self, took: Took, author: DeskPage | None) -> None:
        made: dict[str, Message] = {}
        since = time.monotonic() - BELIEVED
        for desk in self.watched.get(took.ticket, ()):
            if desk is author:
                continue
            if desk.checked.get(took.ticket, 0.0) < since:
                self.spoken.add(took.ticket)
                continue
            if len(desk.sent) > desk.enough:
                self.spoken.update(desk.watches)
            if desk.language not in made and took.line is not None:
                with translation.override(desk.language):
                    (line,) = lines.of([_bare(took.line)])
                    told = {"id": line.pk, "dir": line.direction, "cid": line.cid, "html": lines.html(line)}
                made[desk.language] = frame({"t": "said", "ticket": took.ticket, "messages": [told]})
            desk.put(made[desk.language])
            desk.sent.add(took.message)
        self._tell_soon()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Database work in one of the room's own threads; its connection goes back into the pool right after."""

        def run() -> T:
            try:
                return work()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self.threads, run)


def _bare(message: ChatMessage) -> ChatMessage:
    """A message without files as both `history` and `lines` read it, so that neither asks the database."""
    message.file_rows = []  # type: ignore[attr-defined]
    message._prefetched_objects_cache = {"attachments": []}  # type: ignore[attr-defined]
    if message.agent_id is None:
        message.agent = None
    return message


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, Room] = WeakKeyDictionary()


def current() -> Room:
    """The room of this process (of this event loop)."""
    loop = asyncio.get_running_loop()
    if loop not in _rooms:
        _rooms[loop] = Room()
    return _rooms[loop]
