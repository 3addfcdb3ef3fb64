"""Whatever is killed or emptied while visitors and an agent chat: nothing is missing, nothing is double, and all three,
visitor, database and agent, have it in the same order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psutil
import pytest
import redis

from config import local
from tests.accidents import house as houses
from tests.accidents.chatting import Guest, Host, until
from tests.accidents.house import PASSWORD, SANA, House
from tests.accidents.person import Person
from tests.instance import kill

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("accidents")]

GUESTS = 4
SETTINGS = '{"queue": {"agent_gone": 3600}}'  # Sana has no page of the inbox open, only this socket
SAID = """
SELECT m.id, m.direction, m.text FROM inbox_message m JOIN inbox_ticket t ON t.number = m.ticket_id
WHERE m.direction IN ('in', 'out') AND m.ticket_id = %s ORDER BY m.id
"""


@dataclass
class Place:
    """A running Rabta with one chat, and the cookie of an agent who is logged in."""

    house: House
    token: str
    cookie: str

    @property
    def sockets(self) -> str:
        return self.house.url.replace("http", "ws")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with houses.running() as house:
        with ThreadPoolExecutor() as pool:
            made = pool.submit(house.manage, "createchannel", "chat", "shop", "--settings", SETTINGS)
            house.manage("createagent", SANA, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
        made.result()
        sana = Person(house.url, SANA, PASSWORD)
        cookies = "; ".join(f"{one.name}={one.value}" for one in sana.session.cookies)
        yield Place(house, house.value("SELECT token FROM inbox_channel WHERE kind = 'chat'"), cookies)


class Talk:
    """Guests who write one line after the other, and Sana who answers each."""

    def __init__(self, place: Place, guests: int) -> None:
        self.place, self.count = place, 0
        self.guests = [Guest(f"{place.sockets}/chat/{place.token}/ws/") for _ in range(guests)]
        self.sana = Host(
            f"{place.sockets}/ws/chats/",
            headers={"Cookie": place.cookie, "Origin": place.house.url},
            answers="re {}".format,
        )
        self.said: dict[str, list[str]] = {guest.visit: [] for guest in self.guests}
        self.tickets: dict[str, int] = {}

    async def begin(self) -> None:
        self.tasks = [asyncio.create_task(one.run()) for one in [*self.guests, self.sana]]
        for guest in self.guests:
            await self.say(guest)
        await until(lambda: all(guest.took for guest in self.guests), "first words are taken")
        for guest in self.guests:
            [first] = guest.took.values()
            sql = "SELECT ticket_id FROM inbox_message WHERE id = %s"
            self.tickets[guest.visit] = await asyncio.to_thread(self.place.house.value, sql, first)
        await self.sana.watch(list(self.tickets.values()))

    async def say(self, guest: Guest) -> None:
        self.count += 1
        text = f"line {self.count}"
        self.said[guest.visit].append(text)
        await guest.say(text)

    async def go_on(self) -> None:
        """They write until they are stopped, each a line in a second and a bit."""
        while True:
            for guest in self.guests:
                await self.say(guest)
                await asyncio.sleep(1.2 / len(self.guests))

    async def settle(self) -> None:
        """Everything that was said has been answered, and both sides have it."""
        await until(lambda: not any(one.waiting for one in [*self.guests, self.sana]), "all is acknowledged")
        await until(lambda: not self.missing(), lambda: f"visitors are told of all answers, also of {self.missing()}")

    def missing(self) -> list[str]:
        """What visitors have not been told."""
        wanted = {
            guest.visit: {*self.said[guest.visit], *map("re {}".format, self.said[guest.visit])}
            for guest in self.guests
        }
        return [text for guest in self.guests for text in wanted[guest.visit].difference(guest.seen.values())]

    async def check(self) -> None:
        for guest in self.guests:
            ticket = self.tickets[guest.visit]
            rows = await asyncio.to_thread(self.place.house.rows, SAID, ticket)
            stored = [(row["id"], row["text"]) for row in rows]
            assert [row["text"] for row in rows if row["direction"] == "in"] == self.said[guest.visit]
            answers = Counter(row["text"] for row in rows if row["text"].startswith("re "))
            assert answers == {f"re {one}": 1 for one in self.said[guest.visit]}
            assert sorted(guest.seen.items()) == stored and not guest.doubled
            lines = self.sana.lines[ticket]
            await until(lambda have=lines, all_of=stored: len(have) == len(all_of), "the agent has all lines")
            assert sorted(lines.items()) == stored

    async def end(self) -> None:
        for one in [*self.guests, self.sana]:
            await one.end()
        await asyncio.gather(*self.tasks)


@contextlib.asynccontextmanager
async def talking(place: Place, guests: int = GUESTS) -> AsyncIterator[Talk]:
    """They talk while the block runs; afterwards they finish, and everything is compared."""
    talk = Talk(place, guests)
    try:
        await talk.begin()
        writing = asyncio.create_task(talk.go_on())
        try:
            yield talk
        finally:
            writing.cancel()
        await talk.settle()
        await talk.check()
    finally:
        await talk.end()


def fell(place: Place, name: str) -> psutil.Process:
    process = place.house.programs()[name]
    kill([*process.children(recursive=True), process])
    return process


async def back(place: Place, name: str, dead: psutil.Process) -> None:
    def runs() -> bool:
        now = place.house.programs().get(name)
        return now is not None and now.pid != dead.pid

    await until(runs, f"{name} is started again")


# What dies in this order while they talk; the web process again and again, what is behind it once each.
COURSE = ("web", "redis", "web", "worker-live", "postgres", "web")


def test_whatever_dies_in_mid_chat(place: Place) -> None:
    """What was said is there once and in order, and what is said goes on: late by some seconds at most."""

    async def goes_on(talk: Talk, after: str) -> None:
        """What is said from now on is answered, and the answer seen."""
        before = talk.count
        await until(lambda: talk.count >= before + GUESTS, "they write")
        wanted = [(guest, talk.said[guest.visit][-1]) for guest in talk.guests]
        await until(lambda: all(f"re {text}" in guest.seen.values() for guest, text in wanted), f"after {after}: chat")

    async def live() -> None:
        async with talking(place) as talk:
            store = redis.Redis.from_url(local.redis_url(place.house.data_dir), socket_timeout=2)
            store.flushall()
            store.close()
            await goes_on(talk, "Redis was emptied")
            for name in COURSE:
                dead = await asyncio.to_thread(fell, place, name)
                await back(place, name, dead)
                await goes_on(talk, f"{name} was killed")
            assert all(guest.connections > COURSE.count("web") for guest in talk.guests)

    asyncio.run(live())
