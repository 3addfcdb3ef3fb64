"""Facts for open screens: which tickets changed, whose rights did, what one agent's own pages should know. The only
caller of group_send in the tree.

Only ids travel. In each web process the hub (inbox/hub.py) loads the rows once, renders them and decides who sees
them. A fact that is lost costs nothing but time: pages ask again by themselves.
"""

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GROUP = "live"
CHATS = "chats"  # the group that hears of chats (channels_chat/hub.py)
TIMEOUT = 2  # seconds for one publication; Redis may be away
MOST_WAITING = 1000  # beyond this many unsent facts new ones are dropped
GATHER = 0.05  # seconds that facts are gathered for after one has left: a busy worker tells a thousand a second
COMPLAIN_EVERY = 30  # seconds between two lines of log about the same trouble


class Publisher:
    """One thread with an event loop, so that announcing costs the caller microseconds and never waits for Redis.

    Made anew after a fork (Celery's workers): neither threads nor connections survive one.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.lock = threading.Lock()
        self.tickets: set[int] = set()
        self.messages: set[int] = set()
        self.people: set[int] = set()
        self.hints: list[tuple[list[int], dict[str, object]]] = []
        self.presence: dict[str, str] = {}
        self.chats: list[dict[str, object]] = []
        self.chatting: Future[None] | None = None
        self.sending: Future[None] | None = None
        self.complained_at = 0.0
        threading.Thread(target=self.loop.run_forever, name="live", daemon=True).start()

    def publish(
        self,
        tickets: Iterable[int],
        messages: Iterable[int],
        people: Iterable[int] = (),
        hint: tuple[list[int], dict[str, object]] | None = None,
        presence: dict[str, str] | None = None,
    ) -> None:
        """The first fact leaves at once; those that come while it does, or shortly after, leave together."""
        with self.lock:
            self.people.update(people)  # never dropped: a right that was taken away must be known
            if len(self.tickets) < MOST_WAITING:
                self.tickets.update(tickets)
                self.messages.update(messages)
            if hint is not None and len(self.hints) < MOST_WAITING:
                self.hints.append(hint)
            self.presence.update(presence or {})  # of what one process says the last counts
            if self.sending is None:
                self.sending = asyncio.run_coroutine_threadsafe(self._run(), self.loop)

    def publish_chat(self, fact: dict[str, object]) -> None:
        """Of a chat each fact leaves at once: two people wait for one another's words."""
        with self.lock:
            if len(self.chats) < MOST_WAITING:
                self.chats.append(fact)
            if self.chatting is None:
                self.chatting = asyncio.run_coroutine_threadsafe(self._run_chats(), self.loop)

    async def _run_chats(self) -> None:
        while True:
            with self.lock:
                facts, self.chats = self.chats, []
                if not facts:
                    self.chatting = None
                    return
            await self._send({"type": "chat.tell", "facts": facts}, CHATS)

    async def _run(self) -> None:
        while True:
            with self.lock:
                tickets, messages, people = sorted(self.tickets), sorted(self.messages), sorted(self.people)
                self.tickets.clear()
                self.messages.clear()
                self.people.clear()
                hints, self.hints = self.hints, []
                presence, self.presence = self.presence, {}
                if not (tickets or people or hints or presence):
                    self.sending = None
                    return
            fact = {"tickets": tickets, "messages": messages, "people": people, "hints": hints, "presence": presence}
            await self._send({"type": "live.announce", **fact})
            await asyncio.sleep(GATHER)

    async def _send(self, message: dict[str, object], group: str = GROUP) -> None:
        try:
            layer = get_channel_layer()
            assert layer is not None
            await asyncio.wait_for(layer.group_send(group, message), TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with Redis, nobody's work may fail for it
            if time.monotonic() - self.complained_at > COMPLAIN_EVERY:
                self.complained_at = time.monotonic()
                logger.warning("screens were not told of a change: %r", error)

    def drain(self, seconds: float) -> None:
        """Give what is on its way this long to leave."""
        sending = [one for one in (self.sending, self.chatting) if one is not None]
        if sending:
            wait(sending, timeout=seconds)


_publisher: Publisher | None = None
_lock = threading.Lock()


def _current() -> Publisher:
    global _publisher
    with _lock:
        if _publisher is None or _publisher.pid != os.getpid():
            _publisher = Publisher()
        return _publisher


_held: ContextVar[set[int] | None] = ContextVar("held", default=None)


@contextmanager
def held() -> Iterator[set[int]]:
    """Tickets that are announced meanwhile are gathered here and not sent: whoever changes many at once tells of them
    together, or lets pages ask again.
    """
    gathered: set[int] = set()
    token = _held.set(gathered)
    try:
        yield gathered
    finally:
        _held.reset(token)


def announce(tickets: Iterable[int], *, messages: Iterable[int] = ()) -> None:
    """Tell every open screen that these tickets, and messages of theirs, changed. After the commit; never raises."""
    numbers, ids = list(tickets), list(messages)
    gathered = _held.get()
    if gathered is not None:
        gathered.update(numbers)
    elif numbers:
        _publish(numbers, ids)


def announce_people(agents: Iterable[int]) -> None:
    """Tell every web process that log-in, role or teams of these people changed. After the commit; never raises.

    Their open pages are closed where the log-in is gone, and start over where they see something else now.
    """
    ids = list(agents)
    if ids:
        _publish([], [], ids)


def hint(agents: Iterable[int], **frame: object) -> None:
    """Put this frame of ids and codes before all open pages of these agents, of every tab. After the commit; never
    raises. A hint that is lost must cost nothing: what it tells of can be asked for, too.
    """
    ids = list(agents)
    if ids:
        _publish([], [], hint=(ids, frame))


def presence(hub: str, state: str) -> None:
    """What the pages of one web process show now, to all others (inbox/presence.py). Never raises."""
    _publish([], [], presence={hub: state})


def chat(**fact: object) -> None:
    """Tell every web process of something in a chat, by ids and codes. After the commit; never raises."""
    try:
        _current().publish_chat(fact)
    except RuntimeError as error:
        logger.warning("screens were not told of a chat: %r", error)


def _publish(
    tickets: list[int],
    messages: list[int],
    people: Iterable[int] = (),
    hint: tuple[list[int], dict[str, object]] | None = None,
    presence: dict[str, str] | None = None,
) -> None:
    try:
        _current().publish(tickets, messages, people, hint, presence)
    except RuntimeError as error:  # no thread to be had: the interpreter is ending, or the machine is full
        logger.warning("screens were not told of a change: %r", error)


def _at_exit() -> None:
    if _publisher is not None and _publisher.pid == os.getpid():
        _publisher.drain(0.5)


atexit.register(_at_exit)
