"""How fast a word goes to and fro in a chat, and what a visitor costs: `python -m tests.bench chat`.

A visitor writes, it is stored, an agent's socket has it and answers at once, the answer is stored, the visitor has it.
Beside a bare echo over Channels with the same Redis layer, which stores nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from typing import Any

import psutil

from tests.bench.house import House, table
from tests.bench.live import quantile
from tests.bench.sockets import Client, Heard, Web

MODULE = "tests.bench.chat"
MOST_RATIO, MOST_MEMORY = 4.0, 1.5
AGENTS = 10
WARM = 3  # lines of each visitor that are not measured


def measure(house: House, *, rate: int = 50, seconds: int = 20, idle: int = 2000) -> bool:
    """Print both; returns whether the round trip is at most four times, and an idle visitor's memory one and a half
    times, the bare one's.
    """
    ready = house.run(house.fresh("chat", "empty"), MODULE, "people", str(rate))
    environment = house.environment("chat")
    bare = {**os.environ, "BENCH_REDIS": house.servers.redis_url}
    times: dict[str, list[float]] = {}
    memory: dict[str, float] = {}
    for name, application, env in (
        ("ours", "config.asgi:application", environment),
        ("bare", "tests.bench.echo:application", bare),
    ):
        web = Web(application, env, bare=name == "bare")
        try:
            times[name] = asyncio.run(_talk(web, ready, name == "bare", rate, seconds))
        finally:
            web.stop()
        web = Web(application, env, bare=name == "bare")
        try:
            memory[name] = asyncio.run(_idle(web, ready, name == "bare", idle))
        finally:
            web.stop()
    rows = [
        [name, str(len(found)), *(f"{quantile(found, q) * 1000:.1f}" for q in (0.5, 0.95, 0.99))]
        for name, found in times.items()
    ]
    print(f"\n{rate} messages a second of {rate} visitors, each answered by one of {AGENTS} agents, {seconds} s, ms:\n")
    print(table(["", "round trips", "p50", "p95", "p99"], rows))
    ratio = quantile(times["ours"], 0.95) / quantile(times["bare"], 0.95)
    print(f"\nround trip, p95 to the bare one: {ratio:.2f} (at most {MOST_RATIO:.0f})")
    more = memory["ours"] / memory["bare"]
    print(f"{idle} idle visitors: {memory['ours']:.1f} KiB each, bare {memory['bare']:.1f}: {more:.2f} times")
    print(f"(at most {MOST_MEMORY})")
    return ratio <= MOST_RATIO and more <= MOST_MEMORY


async def _open(port: int, paths: list[str], cookies: list[str], heard: Heard) -> list[Client]:
    loop, clients = asyncio.get_running_loop(), []
    for at in range(0, len(paths), 50):
        made = []
        for path, cookie in zip(paths[at : at + 50], cookies[at : at + 50], strict=True):
            one = Client(path, port, cookie, heard)
            await loop.create_connection(lambda one=one: one, "localhost", port)
            made.append(one)
        await asyncio.gather(*(one.ready for one in made))
        clients += made
    return clients


async def _talk(web: Web, ready: dict[str, Any], plain: bool, rate: int, seconds: int) -> list[float]:
    """Seconds of each round trip, by visitors who write once a second."""
    began: dict[str, float] = {}
    took: list[float] = []

    def visitor_hears(client: Client, now: float, body: bytes) -> None:
        told = json.loads(body)
        for one in told.get("messages", ()):
            if one["dir"] == "out" and (at := began.pop(one["text"].removeprefix("re "), None)) is not None:
                took.append(now - at)

    def agent_hears(client: Client, now: float, body: bytes) -> None:
        told = json.loads(body)
        for one in told.get("messages", ()) if told.get("t") == "said" else ():
            if one["dir"] == "in":
                word = one["html"].partition("[")[2].partition("]")[0]
                client.say(
                    json.dumps({"t": "say", "ticket": told["ticket"], "cid": str(uuid.uuid4()), "text": f"re [{word}]"})
                )

    agents = await _open(web.port, ["/ws/chats/?language=en"] * AGENTS, ready["sessions"], agent_hears)
    chats = ready["chats"]
    for number, one in enumerate(agents):
        mine = chats[number::AGENTS]
        one.say(
            json.dumps(
                {
                    "t": "watch",
                    "tickets": [chat["ticket"] for chat in mine],
                    "since": {str(chat["ticket"]): chat["last"] for chat in mine},
                }
            )
        )
    path = f"/chat/{ready['token']}/ws/"
    visitors = await _open(web.port, [path] * rate, [""] * rate, visitor_hears)
    for chat, one in zip(chats, visitors, strict=True):
        one.say(json.dumps({"t": "hi", "visit": uuid.uuid4().hex, "key": chat["key"], "since": chat["last"],
                            "ticket": chat["ticket"]}))  # fmt: skip
    await asyncio.sleep(3)

    async def write(number: int, one: Client) -> None:
        await asyncio.sleep(number / rate)
        for turn in range(WARM + seconds):
            word = uuid.uuid4().hex[:12]
            if turn >= WARM:  # the first lines make what later ones find made
                began[f"[{word}]"] = time.monotonic()
            one.say(json.dumps({"t": "say", "cid": str(uuid.uuid4()), "text": f"[{word}]"}))
            await asyncio.sleep(1)

    await asyncio.gather(*(write(number, one) for number, one in enumerate(visitors)))
    await asyncio.sleep(3)
    if began:
        print(f"{len(began)} of {rate * seconds} round trips did not end")
    for one in (*agents, *visitors):
        one.transport.abort()
    return took


async def _idle(web: Web, ready: dict[str, Any], plain: bool, count: int) -> float:
    """KiB of the web process for each idle visitor."""
    process = psutil.Process(web.process.pid)

    def heard(client: Client, now: float, body: bytes) -> None:
        pass

    path = f"/chat/{ready['token']}/ws/"

    async def come(many: int) -> list[Client]:
        clients = await _open(web.port, [path] * many, [""] * many, heard)
        for one in clients:
            one.say(json.dumps({"t": "hi", "visit": uuid.uuid4().hex, "key": "", "since": 0, "ticket": 0,
                                "url": "https://shop.example/cart", "title": "Cart", "lang": "en"}))  # fmt: skip
        await asyncio.sleep(2)
        return clients

    first = await come(50)  # what is made once has been made
    before = process.memory_info().rss
    many = await come(count)
    await asyncio.sleep(3)
    after = process.memory_info().rss
    lost = sum(one.lost for one in (*first, *many))
    if lost:
        print(f"{lost} of {count} idle visitors lost their connection")
    for one in (*first, *many):
        one.transport.abort()
    return (after - before) / 1024 / count


# In child processes -----------------------------------------------------------------------------------------


def people(count: int) -> None:
    """Agents, and so many visitors who each have a chat with one of them."""
    from channels_chat import intake
    from channels_chat.actions import visitors
    from channels_chat.intake_values import Said
    from channels_chat.models import Chat, ChatState
    from inbox.actions import reply
    from inbox.models import Channel, Engagement, Ticket
    from tests.bench.live import log_in

    channel = Channel.objects.create(kind="chat", slug="chat", name="Shop")
    agents, sessions = log_in(AGENTS)
    chats = []
    for number in range(count):
        visitor, key = visitors.meet(channel, {"name": f"Visitor {number}", "language": "en"})
        took = intake.take([Said(channel, visitor, uuid.uuid4().hex, "Hello")])[0]
        assert took is not None
        ticket = Ticket.objects.get(pk=took.ticket)
        answer = reply.reply(ticket, by=agents[number % AGENTS], text="Hello")
        Engagement.objects.filter(ticket=ticket).update(agent=agents[number % AGENTS])
        Chat.objects.filter(visitor=visitor).update(state=ChatState.ACTIVE)
        chats.append({"ticket": ticket.pk, "key": key, "last": answer.pk})
    print(json.dumps({"token": channel.token, "chats": chats, "sessions": sessions}))


def main() -> None:
    import django

    django.setup()
    what, *numbers = sys.argv[1:]
    {"people": people}[what](*map(int, numbers))


if __name__ == "__main__":
    main()
