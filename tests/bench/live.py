"""How fast a change is on hundreds of screens: `python -m tests.bench live`.

One message to 500 agents on one web process, beside a bare ASGI websocket.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.bench.house import House, table
from tests.bench.sockets import Client, Web, connect

MODULE = "tests.bench.live"
MOST_RATIO = 2.0


def measure(house: House, *, agents: int = 500, rounds: int = 25) -> bool:
    """Print what one message costs; returns whether its median is at most twice the bare one."""
    cookies = house.run(house.fresh("live", "empty"), MODULE, "people", str(agents))["sessions"]
    writer = house.start("live", MODULE, "write")
    web = Web("config.asgi:application", house.environment("live"))
    try:
        ours, text = asyncio.run(_rounds(web, cookies, writer, rounds))
    finally:
        web.stop()
        writer.kill()
        writer.communicate()
    web = Web("tests.bench.sockets:bare", dict(os.environ), bare=True)
    try:
        plain, _text = asyncio.run(_rounds(web, cookies, text, rounds))
    finally:
        web.stop()
    rows = []
    for name, found in (("Rabta, commit to frame", ours), ("bare, frame to frame", plain)):
        rows.append(
            [name, *(f"{quantile(found[part], q) * 1000:.1f}" for part in ("each", "last") for q in (0.5, 0.95))]
        )
    print(f"\nOne message to {agents} sockets on one process, {rounds} rounds, frames of {len(text)} bytes, ms:\n")
    print(table(["", "p50 of sockets", "p95", "last socket, p50", "p95"], rows))
    ratio = statistics.median(ours["last"]) / statistics.median(plain["last"])
    print(f"\nlast socket, p50 to the bare one: {ratio:.2f} (at most {MOST_RATIO:.0f})")
    return ratio <= MOST_RATIO


def quantile(values: list[float], q: float) -> float:
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * q))]


async def _rounds(
    web: Web, cookies: list[str], source: subprocess.Popen[str] | str, rounds: int
) -> tuple[dict[str, list[float]], str]:
    """Times from the commit, or from the frame that set the bare server going, to each socket and to the last one."""
    arrived: list[float] = []
    everybody = asyncio.Event()
    text = ""

    def heard(_client: Client, now: float, body: bytes) -> None:
        nonlocal text
        if b'"rows"' in body:
            arrived.append(now)
            if len(arrived) == len(cookies):
                text = body.decode()
                everybody.set()

    clients = await connect(web.port, cookies, heard)
    await asyncio.sleep(4)  # what newcomers are told has been told
    found: dict[str, list[float]] = {"each": [], "last": []}
    for number in range(rounds + 3):
        arrived.clear()
        everybody.clear()
        if isinstance(source, str):
            began = time.monotonic()
            clients[0].say(source)
        else:
            began = await asyncio.to_thread(_written, source)
        await asyncio.wait_for(everybody.wait(), 20)
        if number >= 3:
            found["each"] += [at - began for at in arrived]
            found["last"].append(max(arrived) - began)
        await asyncio.sleep(0.7)
    for client in clients:
        client.transport.abort()
    return found, text


def _written(writer: subprocess.Popen[str]) -> float:
    assert writer.stdin is not None and writer.stdout is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()
    return float(writer.stdout.readline())


# In child processes -----------------------------------------------------------------------------------------


def people(count: int) -> None:
    _agents, sessions = log_in(count)
    print(json.dumps({"sessions": sessions}))


def log_in(count: int) -> tuple[list[Any], list[str]]:
    """So many agents of one team, and a session of each."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from inbox.models import Agent, LogIn, Team

    team = Team.objects.create(name="Orders", slug="orders")
    made = Agent.objects.bulk_create(
        [Agent(email=f"a{n}@desk.example", name=f"Agent {n}", password="!") for n in range(count)]
    )
    team.members.add(*made)
    sessions = []
    for agent in made:
        session = SessionStore()
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session.create()
        LogIn.objects.create(agent=agent, session=session.session_key)
        sessions.append(str(session.session_key))
    return made, sessions


def write() -> None:
    """A message for each line of standard input; says when its transaction was committed."""
    from django.db import transaction

    from inbox.actions import tickets
    from inbox.adapters import Party
    from inbox.models import Channel

    channel = Channel.objects.get(slug="support")
    for number, _line in enumerate(sys.stdin):
        with transaction.atomic():
            transaction.on_commit(lambda: print(time.monotonic(), flush=True))
            who = Party("email", f"c{number}@example.com", f"Customer {number}")
            tickets.open_ticket(
                by=None, channel=channel, identity=who, subject=f"Question {number}", text="Where is it?"
            )


def main() -> None:
    import django

    django.setup()
    what, *numbers = sys.argv[1:]
    {"people": people, "write": write}[what](*map(int, numbers))  # type: ignore[operator]


if __name__ == "__main__":
    main()
