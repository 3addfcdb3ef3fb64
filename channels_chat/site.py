"""Who is on the site right now: kept in Redis with a time to live, never in PostgreSQL.

Each web process keeps one hash a channel, with a field for each visit that is connected to it. Only what changed is
written, a few times a second for all; what a process said dies with it. Redis may be emptied at any moment: each
process notices within seconds and says all of it again. No IP address gets here: `KEPT` says what is kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from channels_chat import memory, trails

logger = logging.getLogger(__name__)

PARTS = "rabta:site"  # "<hub>:<channel>" of all that is said, each with the moment when it runs out
LIVES = 15  # seconds that Redis keeps what a process said
RENEW = 5.0  # seconds between two times of renewing that
PACE = 0.25  # seconds between two times of writing what changed
SAME = 20  # seconds: a visit of which nothing but `at` moved by less than this is not written anew
AGAIN = 1.0  # seconds until Redis is tried again
TIMEOUT = 1.0

# What is kept of a visit, and the longest text of each. `since` and `at` are seconds since 1970.
KEPT = {"page": 500, "title": 200, "ref": 300, "lang": 10, "name": 100}
NUMBERS = ("since", "at", "visits", "visitor", "chat")
JOURNEYS = 10
STARTED, DONE = "started", "done"
FULL = 2000  # fields that one command writes
MOST_STEPS = 10_000  # that wait to be written while Redis is away


@dataclass(frozen=True, slots=True)
class Here:
    """One visit. `since` is when it began, `at` when it last did something; `visitor` and `chat` are ids, if known.

    `journeys` says how far it is in those it started: "started" or "done"; or from when on (seconds since 1970) it
    counts as stalled.
    """

    visit: str
    channel: int
    page: str = ""
    title: str = ""
    since: datetime | None = None
    at: datetime | None = None
    ref: str = ""
    lang: str = ""
    name: str = ""
    visits: int = 1
    visitor: int | None = None
    chat: int | None = None
    journeys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stalled(self) -> list[str]:
        """Keys of the journeys that it got stuck in."""
        return [key for key, how in self.journeys.items() if isinstance(how, int | float) and how <= time.time()]


def progress(declared: Mapping[str, Any], started: float, *, done: bool) -> Any:
    """How far a visit is in a journey that the settings declare, as `Here.journeys` has it."""
    if done:
        return DONE
    return started + declared["stalled"] if declared.get("stalled") else STARTED


def _packed(told: Mapping[str, Any]) -> dict[str, Any]:
    """What of an entry is kept, within its bounds."""
    entry: dict[str, Any] = {key: str(told[key])[:most] for key, most in KEPT.items() if told.get(key)}
    entry |= {key: told[key] for key in NUMBERS if isinstance(told.get(key), int | float)}
    journeys = told.get("journeys")
    if isinstance(journeys, Mapping) and journeys:
        entry["journeys"] = {
            str(key)[:60]: how if isinstance(how, int | float) else str(how)[:10]
            for key, how in list(journeys.items())[:JOURNEYS]
        }
    return entry


def _moment(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value else None


def _unpacked(visit: bytes, text: bytes, channel: int) -> Here | None:
    try:
        told = json.loads(text)
        return Here(
            visit=visit.decode(),
            channel=channel,
            since=_moment(told.pop("since", None)),
            at=_moment(told.pop("at", None)),
            **told,
        )
    except (ValueError, TypeError, AttributeError, OSError, OverflowError):
        logger.warning("what a process said about a visit cannot be read")
        return None


def _key(part: str) -> str:
    return f"{PARTS}:{part}"


class Site:
    """What one web process says of the visits that are connected to it. It lives in that process's event loop.

    `put` and `drop` only note; `run` is the task that writes. `close` takes all of it back.
    """

    def __init__(self, hub: str = "") -> None:
        self.hub = hub or secrets.token_hex(6)
        self._entries: dict[int, dict[str, dict[str, Any]]] = {}  # by channel, by visit
        self._channels: dict[str, int] = {}  # of each visit
        self._dirty: dict[int, set[str]] = {}
        self._steps: list[tuple[str, str]] = []  # pages of visits whose visitor has not written yet: (key, step)
        self._known: set[int] = set()  # channels of which Redis should have something
        self._changed = asyncio.Event()
        self._connection: redis.asyncio.Redis | None = None

    def __len__(self) -> int:
        return len(self._channels)

    def put(self, visit: str, told: Mapping[str, Any]) -> None:
        """This visit is here. `told`: channel (id), page, title, since, at, ref, lang, name, visits, visitor, chat,
        journeys; all but `channel` may be missing."""
        channel = int(told["channel"])
        if self._channels.get(visit, channel) != channel:
            self.drop(visit)
        entry, before = _packed(told), self._entries.get(channel, {}).get(visit)
        if before is not None and _same(before, entry):
            return
        if entry.get("page") and not entry.get("visitor") and (before or {}).get("page") != entry["page"]:
            step = trails.page(entry["page"], entry.get("title", ""), time.time())
            self._steps.append((trails.key(channel, visit), step))
            del self._steps[:-MOST_STEPS]
        self._channels[visit] = channel
        self._entries.setdefault(channel, {})[visit] = entry
        self._note(channel, visit)

    def drop(self, visit: str) -> None:
        """This visit is here no more."""
        channel = self._channels.pop(visit, None)
        if channel is not None:
            self._entries[channel].pop(visit, None)
            self._note(channel, visit)

    def _note(self, channel: int, visit: str) -> None:
        self._dirty.setdefault(channel, set()).add(visit)
        self._changed.set()

    async def run(self) -> None:
        """Write what changes, and renew what is there, until cancelled. Redis may go and come back."""
        renewed, task = 0.0, asyncio.current_task()
        while True:
            if task is not None and task.cancelling():  # Python 3.11's wait_for, below the client, may swallow it
                raise asyncio.CancelledError
            try:
                async with asyncio.timeout(max(0.0, renewed + RENEW - time.monotonic())):
                    await self._changed.wait()
            except TimeoutError:
                pass
            try:
                if time.monotonic() - renewed >= RENEW:
                    await self._renew()
                    renewed = time.monotonic()
                else:
                    await self._write()
                await asyncio.sleep(PACE)
            except (RedisError, OSError) as error:
                logger.warning("who is on the site cannot be told: %r", error)
                await asyncio.sleep(AGAIN)

    async def close(self) -> None:
        """Take back what this process said. Never an error: else it runs out by itself."""
        try:
            parts = [f"{self.hub}:{channel}" for channel in self._known]
            if parts:
                async with self._line().pipeline(transaction=False) as pipe:
                    pipe.delete(*[_key(part) for part in parts])
                    pipe.zrem(PARTS, *parts)
                    await pipe.execute()
        except (RedisError, OSError):
            logger.info("Redis is away; who was on the site runs out by itself")
        finally:
            if self._connection is not None:
                await self._connection.aclose()
                self._connection = None

    def _line(self) -> redis.asyncio.Redis:
        if self._connection is None:
            self._connection = redis.asyncio.Redis.from_url(
                settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
            )
        return self._connection

    async def _write(self) -> None:
        """Write what changed since the last time; whatever could not be written stays noted."""
        self._changed.clear()
        taken, self._dirty = self._dirty, {}
        try:
            lost = await self._say({channel: (visits, False) for channel, visits in taken.items()})
        except BaseException:
            for channel, visits in taken.items():
                self._dirty.setdefault(channel, set()).update(visits)
            self._changed.set()
            raise
        if lost:
            await self._say({channel: (set(self._entries.get(channel, ())), True) for channel in lost})
        await self._keep_steps()

    async def _keep_steps(self) -> None:
        """Pages that visits went through, until whoever it is writes (`channels_chat.trails`)."""
        steps = self._steps
        if not steps:
            return
        async with self._line().pipeline(transaction=False) as pipe:
            for key, step in steps:
                pipe.rpush(key, step)
            for key in {key for key, _step in steps}:
                pipe.ltrim(key, -trails.MOST, -1)
                pipe.expire(key, trails.LIVES)
            await pipe.execute()
        self._steps = self._steps[len(steps) :]

    async def _renew(self) -> None:
        """Put off when it runs out, and say all of it again where Redis has not what it should."""
        await self._write()
        lost = await self._say({channel: (set(), False) for channel in self._known})
        if lost:
            await self._say({channel: (set(self._entries.get(channel, ())), True) for channel in lost})

    async def _say(self, what: Mapping[int, tuple[set[str], bool]]) -> list[int]:
        """Say these visits of these channels (afresh: what was said before goes), and put off when that runs out.

        Answers the channels of which Redis then has another number of visits than there are.
        """
        if not what:
            return []
        until = time.time() + LIVES
        counted: dict[int, int] = {}  # where in the answers a channel's number stands
        async with self._line().pipeline(transaction=False) as pipe:
            for channel, (visits, afresh) in what.items():
                part = f"{self.hub}:{channel}"
                entries, key = self._entries.get(channel, {}), _key(part)
                if afresh:
                    pipe.delete(key)
                if gone := [visit for visit in visits if visit not in entries]:
                    pipe.hdel(key, *gone)
                here = [visit for visit in visits if visit in entries]
                for begin in range(0, len(here), FULL):
                    chunk = here[begin : begin + FULL]
                    pipe.hset(key, mapping={one: json.dumps(entries[one], separators=(",", ":")) for one in chunk})
                pipe.expire(key, LIVES)
                pipe.zadd(PARTS, {part: until})
                counted[channel] = len(pipe)
                pipe.hlen(key)
            wanted = {channel: len(self._entries.get(channel, ())) for channel in what}
            pipe.zremrangebyscore(PARTS, "-inf", time.time() - LIVES)
            answers = await pipe.execute()
        self._known.update(what)
        return [channel for channel, place in counted.items() if answers[place] != wanted[channel]]


def _same(before: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether nothing moved that is worth writing."""
    if {**before, "at": 0} != {**entry, "at": 0}:
        return False
    return bool(abs(entry.get("at", 0) - before.get("at", 0)) < SAME)


def _parts(channels: Iterable[int]) -> list[tuple[int, str]]:
    """What processes say of these channels right now: (channel, key)."""
    asked = set(channels)
    found: Any = memory.line().zrangebyscore(PARTS, time.time(), "+inf")
    named = [name.decode() for name in found]
    return [(channel, _key(name)) for name in named if (channel := int(name.rpartition(":")[2])) in asked]


def now(*channels: int) -> list[Here]:
    """Who is on the sites of these channels (ids), the newest first; nobody while Redis is away.

    A visit that is connected twice, as when it has just moved to another process, is named once.
    """
    try:
        parts = _parts(channels)
        pipe = memory.line().pipeline(transaction=False)
        for _channel, key in parts:
            pipe.hgetall(key)
        hashes: list[Any] = pipe.execute() if parts else []
    except (RedisError, OSError) as error:
        logger.warning("nobody can say who is on the site: %r", error)
        return []
    visits: dict[str, Here] = {}
    for (channel, _name), told in zip(parts, hashes, strict=True):
        for visit, text in told.items():
            one = _unpacked(visit, text, channel)
            if one is not None and (one.visit not in visits or _later(one, visits[one.visit])):
                visits[one.visit] = one
    return sorted(visits.values(), key=lambda one: one.since or NEVER, reverse=True)


NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def _later(one: Here, other: Here) -> bool:
    return (one.at or one.since or NEVER) > (other.at or other.since or NEVER)


def count(*channels: int) -> int:
    """How many visits are on the sites of these channels; 0 while Redis is away. Cheap, whatever their number."""
    try:
        parts = _parts(channels)
        pipe = memory.line().pipeline(transaction=False)
        for _channel, key in parts:
            pipe.hlen(key)
        return sum(pipe.execute()) if parts else 0
    except (RedisError, OSError) as error:
        logger.warning("nobody can say how many are on the site: %r", error)
        return 0


def find(channel: int, visit: str) -> Here | None:
    """One visit, if it is on the site of this channel right now."""
    try:
        parts = _parts([channel])
        pipe = memory.line().pipeline(transaction=False)
        for _channel, key in parts:
            pipe.hget(key, visit)
        found: list[Any] = pipe.execute() if parts else []
    except (RedisError, OSError) as error:
        logger.warning("nobody can say who is on the site: %r", error)
        return None
    known = [one for text in found if text and (one := _unpacked(visit.encode(), text, channel)) is not None]
    return max(known, key=lambda one: one.at or one.since or NEVER, default=None)
