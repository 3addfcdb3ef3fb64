"""Who is here, and who views or writes where: kept in Redis with a time to live, never in PostgreSQL.

Each web process keeps one key: what the pages that are connected to it show. It is written anew every few seconds and
dies with its process. Redis may be emptied at any moment: then nobody is anywhere, for a few seconds.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

LIVES = 8  # seconds that Redis keeps what a process said
EXCHANGE_EVERY = 2.5  # seconds between two times of saying it
HUBS = "rabta:presence"  # ids of the processes, each with the moment when its word runs out
TIMEOUT = 1.0

# What somebody does on a ticket, the weightier later; and whether they are at their desk.
DOING = ("view", "note", "reply")
HERE, AWAY = "here", "away"


@dataclass
class State:
    """Agents who are connected, and what they do on which ticket.

    `before` are tickets that stand side by side before an agent's eyes, where a page shows several.
    """

    here: dict[int, str] = field(default_factory=dict)
    marks: dict[int, dict[int, str]] = field(default_factory=dict)
    before: dict[int, set[int]] = field(default_factory=dict)

    def looks_at(self, agent: int, ticket: int) -> bool:
        """Whether somebody who sits there has this ticket before their eyes."""
        shown = ticket in self.before.get(agent, ()) or agent in self.marks.get(ticket, {})
        return shown and self.here.get(agent) == HERE

    def add(
        self, agent: int, *, away: bool, ticket: int | None, doing: str, before: Collection[int] = frozenset()
    ) -> None:
        """One more page of this agent. Of several, the one that is used counts, and the weightiest of what is done."""
        if self.here.get(agent) != HERE:
            self.here[agent] = AWAY if away else HERE
        if ticket is not None:
            self._mark(ticket, agent, doing)
        if before and not away:
            self.before.setdefault(agent, set()).update(before)

    def _mark(self, ticket: int, agent: int, doing: str) -> None:
        on_ticket = self.marks.setdefault(ticket, {})
        on_ticket[agent] = max(on_ticket.get(agent, doing), doing, key=DOING.index)

    def join(self, other: State) -> None:
        for agent, where in other.here.items():
            self.add(agent, away=where == AWAY, ticket=None, doing="")
        for ticket, people in other.marks.items():
            for agent, doing in people.items():
                self._mark(ticket, agent, doing)
        for agent, tickets in other.before.items():
            self.before.setdefault(agent, set()).update(tickets)

    def packed(self) -> str:
        before = {agent: sorted(tickets) for agent, tickets in self.before.items()}
        return json.dumps([self.here, self.marks, *([before] if before else [])], separators=(",", ":"))

    @classmethod
    def unpacked(cls, text: str | bytes) -> State:
        """Raises ValueError or the like for what is no state."""
        here, marks, *more = json.loads(text)
        return cls(
            {int(agent): HERE if where == HERE else AWAY for agent, where in here.items()},
            {
                int(ticket): {int(agent): doing for agent, doing in people.items() if doing in DOING}
                for ticket, people in marks.items()
            },
            {int(agent): {int(one) for one in tickets} for agent, tickets in (more[0] if more else {}).items()},
        )


def joined(states: Iterable[State]) -> State:
    found = State()
    for state in states:
        found.join(state)
    return found


def _key(hub: str) -> str:
    return f"{HUBS}:{hub}"


def _read(found: Iterable[Any]) -> list[State]:
    states = []
    for text in found:
        if text is None:
            continue
        try:
            states.append(State.unpacked(text))
        except (ValueError, TypeError, AttributeError):
            logger.warning("what a process said about presence cannot be read")
    return states


def line() -> redis.asyncio.Redis:
    """A connection of an event loop; whoever asks for it closes it."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)


async def exchange(connection: redis.asyncio.Redis, hub: str, mine: State) -> Mapping[str, State]:
    """Say what one's own process knows, and hear of all others. Raises RedisError or OSError."""
    now = time.time()
    async with connection.pipeline(transaction=False) as pipe:
        if mine.here:
            pipe.set(_key(hub), mine.packed(), ex=LIVES)
            pipe.zadd(HUBS, {hub: now + LIVES})
        else:
            pipe.delete(_key(hub))
            pipe.zrem(HUBS, hub)
        pipe.zremrangebyscore(HUBS, "-inf", now - LIVES)
        pipe.zrange(HUBS, 0, -1)
        names = [name.decode() for name in (await pipe.execute())[-1]]
    others = [name for name in names if name != hub]
    if not others:
        return {}
    texts = await connection.mget([_key(name) for name in others])
    return {name: state for name, text in zip(others, texts, strict=True) for state in _read([text])}


@cache
def _connection() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)


def read() -> State | None:
    """What all web processes know together; None while Redis cannot be asked, which says nothing of anybody."""
    try:
        names: Any = _connection().zrange(HUBS, 0, -1)
        found: Any = _connection().mget([_key(name.decode()) for name in names]) if names else []
    except (RedisError, OSError) as error:
        logger.warning("nobody can say who is here: %r", error)
        return None
    return joined(_read(found))


def now() -> State:
    """As `read`; nothing while Redis is away."""
    return read() or State()


def who_is_here() -> dict[int, str]:
    """Ids of the agents who have Rabta open, each "here" or "away": no key or pointer was used for minutes."""
    return now().here


def who_views(ticket: int) -> dict[int, str]:
    """Ids of the agents who have this ticket before them, each with what they do: "view", "note" or "reply"."""
    return now().marks.get(ticket, {})
