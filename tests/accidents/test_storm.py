"""A thousand pages that lost their connection, and are all back at the web process within seconds, without the jitter
that real ones have: nothing of what is said meanwhile is lost or doubled, and everybody is greeted.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
import requests
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from channels_chat.actions.visitors import digest
from channels_chat.models import Visitor
from inbox.models import Agent, Channel, Message, Role
from tests.accidents.chatting import Guest, Host, until
from tests.channels_chat import cast
from tests.servers.web import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.xdist_group("accidents")]

PAGES, WRITERS, LINES, WITHIN = 1000, 50, 3, 5.0


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


def cookie_of(agent: Agent) -> str:
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def sessions(channel: Channel, count: int) -> list[str]:
    """Session keys of visitors who have been here before."""
    keys = [secrets.token_urlsafe(32) for _ in range(count)]
    rows = [Visitor(channel=channel, digest=digest(key)) for key in keys]
    for row in rows:
        row.address = f"v:{row.public}"
    Visitor.objects.bulk_create(rows)
    return keys


def server_seconds(server: Server) -> float:
    """What the web process has used of a processor."""
    assert server.process is not None
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def test_a_thousand_are_back_within_five_seconds(server: Server) -> None:
    channel = cast.chat_channel()
    sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)
    keys = sessions(channel, PAGES)
    first = [cast.says(visitor, f"{visitor.pk} begins") for visitor in Visitor.objects.order_by("pk")[:WRITERS]]
    cookie = cookie_of(sana)
    tickets = [message.ticket_id for message in first]
    connection.close()
    sockets = server.url.replace("http", "ws")
    guests = [Guest(f"{sockets}/chat/{channel.token}/ws/", key=key) for key in keys]
    writers = guests[:WRITERS]
    # One desk watches twenty tickets at most.
    desks = [
        Host(
            f"{sockets}/ws/chats/",
            headers={"Cookie": cookie, "Origin": server.url},
            tickets=tickets[start : start + 20],
            answers="re {}".format,
        )
        for start in range(0, WRITERS, 20)
    ]
    said: dict[str, list[str]] = {guest.visit: [] for guest in writers}
    figures: dict[str, float] = {}

    async def write() -> None:
        for number in range(LINES):
            for guest in writers:
                text = f"{guest.visit} {number}"
                said[guest.visit].append(text)
                await guest.say(text)
                await asyncio.sleep(WITHIN / LINES / WRITERS)

    async def storm() -> None:
        tasks = [asyncio.create_task(one.run()) for one in [*writers, *desks]]
        await until(lambda: all(one.connections for one in [*writers, *desks]), "they come", seconds=60)
        writing = asyncio.create_task(write())
        began, busy = time.monotonic(), server_seconds(server)
        for number, guest in enumerate(guests):
            if number < WRITERS:
                await guest.hang_up()
            else:  # has been here before, as its key says
                tasks.append(asyncio.create_task(guest.run()))
            await asyncio.sleep(max(0, began + WITHIN * number / PAGES - time.monotonic()))
        figures["all asked within"] = time.monotonic() - began
        await until(
            lambda: all(one.connections > (number < WRITERS) for number, one in enumerate(guests)),
            "all are greeted again",
            seconds=60,
        )
        figures["all greeted after"] = time.monotonic() - began
        await writing
        await until(lambda: not any(one.waiting for one in [*guests, *desks]), "all is acknowledged", seconds=60)
        await until(lambda: all(map(has_all, writers, first)), "all answers are told", seconds=60)
        figures["settled after"] = time.monotonic() - began
        figures["seconds of a processor"] = server_seconds(server) - busy
        for one in [*guests, *desks]:
            await one.end()
        await asyncio.gather(*tasks)

    def has_all(guest: Guest, begins: Message) -> bool:
        return {text for one in (begins.text, *said[guest.visit]) for text in (one, f"re {one}")} <= {
            *guest.seen.values()
        }

    asyncio.run(storm())
    waits = sorted(guest.welcome_after[-1] for guest in guests)
    figures |= {"greeting p50": waits[PAGES // 2], "p95": waits[PAGES * 95 // 100], "longest": waits[-1]}
    print("storm:", {name: round(value, 2) for name, value in figures.items()})
    for guest, ticket in zip(writers, tickets, strict=True):
        rows = Message.objects.filter(ticket=ticket, direction__in=["in", "out"]).order_by("pk")
        stored = list(rows.values_list("pk", "text"))
        assert sorted(guest.seen.items()) == stored and not guest.doubled
        texts = [text for _pk, text in stored]
        assert [text for text in texts if text.startswith(guest.visit)] == said[guest.visit]
        assert Counter(text for text in texts if text.startswith("re ")) == {
            f"re {one}": 1 for one in (texts[0], *said[guest.visit])
        }
    assert not any(guest.doubled for guest in guests)
    assert requests.get(f"{server.url}/readyz", timeout=10).status_code in {200, 503}  # it answers
    connection.close()
