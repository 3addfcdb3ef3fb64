"""The hub: who hears what, in which language, how soon, and what happens when Redis or a right goes away."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.utils import timezone

from inbox import frames, hub, live, sockets
from inbox.actions import people, teams, tickets
from inbox.models import Agent, Channel, LogIn, Notification, Team, Ticket
from inbox.routing import websocket_urlpatterns
from tests.cast import question

pytestmark = pytest.mark.django_db(transaction=True)

call = sync_to_async


class Socket(ApplicationCommunicator):
    """The browser's end of /ws/."""

    def __init__(self, agent: Agent | None, session: SessionStore, language: str) -> None:
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/ws/",
            "query_string": f"language={language}".encode(errors="surrogateescape"),
            "headers": [],
            "user": agent,
            "session": session,
        }
        self.session = str(session.session_key)
        super().__init__(URLRouter(websocket_urlpatterns), scope)  # type: ignore[no-untyped-call]

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})  # type: ignore[no-untyped-call]
        await self.wait(5)  # type: ignore[no-untyped-call]
        idle = hub.current().thread.submit(int)  # what it still reads would get in the way of emptying the tables
        await asyncio.to_thread(idle.result)

    async def hear(self, seconds: float) -> dict[str, Any]:
        said: dict[str, Any] = await self.receive_output(seconds)  # type: ignore[no-untyped-call]
        return said


async def connect(agent: Agent | None, language: str = "en") -> Socket:
    session = SessionStore()
    if agent is not None:
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
    await call(session.create)()
    if agent is not None:
        await call(LogIn.objects.create)(agent=agent, session=session.session_key)
    socket = Socket(agent, session, language)
    await socket.send_input({"type": "websocket.connect"})  # type: ignore[no-untyped-call]
    assert (await socket.hear(5))["type"] == "websocket.accept"
    if hub.current().tasks:  # what is told before it listens is found by looks alone, some of it late
        await asyncio.wait_for(hub.current().listening.wait(), 8)
    return socket


async def say(socket: Socket, **message: Any) -> None:
    await socket.send_input({"type": "websocket.receive", "text": json.dumps(message)})  # type: ignore[no-untyped-call]


async def frame(socket: Socket, key: str, seconds: float = 8) -> Any:
    """The next frame that has `key`; others are passed over."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        left = deadline - asyncio.get_running_loop().time()
        said = await socket.hear(max(left, 0.01))
        if said["type"] == "websocket.close":
            return said["code"]
        told = json.loads(said["text"])
        if key in told:
            return told


async def test_a_row_reaches_those_who_may_see_it(support: Channel, sana: Agent, bilal: Agent) -> None:
    inside, urdu, outside = await connect(sana), await connect(sana, "ur"), await connect(bilal)
    ticket = await call(question)(support, "Where is my parcel?")
    told = await frame(inside, "rows")
    assert f'id="row-{ticket.pk}"' in told["rows"] and told["changed"] == [ticket.pk]
    assert "Where is my parcel?" in (await frame(urdu, "rows"))["rows"]
    assert (await call(frames.count_for)({sana.pk}))[sana.pk]["open"] == "1"
    assert await silent(outside)
    for socket in (inside, urdu, outside):
        await socket.disconnect()


async def test_a_hint_reaches_all_pages_of_its_agent_and_nobody_else(sana: Agent, bilal: Agent) -> None:
    first, second, other = await connect(sana), await connect(sana, "ur"), await connect(bilal)
    live.hint([sana.pk], notifications=3)
    assert (await frame(first, "notifications"))["notifications"] == 3
    assert (await frame(second, "notifications"))["notifications"] == 3
    assert await silent(other)
    for socket in (first, second, other):
        await socket.disconnect()


async def test_who_was_notified_while_away_is_told(support: Channel, sana: Agent, bilal: Agent) -> None:
    ticket = await call(question)(support, "Where is my parcel?")
    first, other = await connect(sana), await connect(bilal)
    for page in (first, other):
        await settled(page)
    ago = timezone.now() - 10 * frames.LOOK_BACK
    told = await call(Notification.objects.create)(agent=sana, kind="assigned", ticket=ticket, event=1)
    for page in (first, other):
        await say(page, since=ago.timestamp())
    assert await frame(first, "notifications") == {"notifications": 1}
    assert (await frame(other, "beat"))["beat"]
    assert await silent(other)
    await settled(first)
    await call(Notification.objects.filter(pk=told.pk).update)(created_at=ago - 2 * frames.LOOK_BACK)
    await say(first, since=ago.timestamp())
    assert "notifications" not in await frame(first, "beat")
    for page in (first, other):
        await page.disconnect()


async def silent(socket: Socket) -> bool:
    """Whether nothing of any ticket is said for a while; counts of their own, and who is here, are no news."""
    while not await socket.receive_nothing(timeout=0.6, interval=0.02):  # type: ignore[no-untyped-call]
        said = json.loads((await socket.hear(1))["text"])
        if "counts" not in said and ("people" not in said or "marks" in said):
            return False
    return True


async def test_rights_are_looked_at_anew_for_each_frame(support: Channel, team: Team, sana: Agent) -> None:
    socket = await connect(sana)
    ticket = await call(question)(support, "Where is my parcel?")
    assert (await frame(socket, "rows"))["changed"] == [ticket.pk]
    await asyncio.sleep(0.6)
    await call(team.members.remove)(sana)
    await call(tickets.set_priority)(ticket, "high", by=None)
    assert await frame(socket, "reload") == {"reload": 1}
    assert await silent(socket)
    await call(Agent.objects.filter(pk=sana.pk).update)(is_active=False)
    await call(tickets.set_priority)(ticket, "low", by=None)
    assert await frame(socket, "never") == sockets.LOGGED_OUT
    await socket.disconnect()


async def test_membership_is_heard_of_at_once(
    support: Channel, team: Team, sana: Agent, bilal: Agent, zoya: Agent, omar: Agent
) -> None:
    """Who joins starts over and then hears; who leaves starts over and then hears nothing, ticket or no ticket."""
    inside, outside, aside = await connect(sana), await connect(bilal), await connect(omar)
    for socket in (inside, outside, aside):
        await settled(socket)
    told: dict[str, Any] = {"name": "Support", "private": True, "signature": "", "channels": [support], "by": zoya}
    await call(teams.change)(team, members=[bilal, omar], **told)
    assert await frame(inside, "reload") == await frame(outside, "reload") == {"reload": 1}
    ticket = await call(question)(support, "Where is my parcel?")
    assert (await frame(outside, "rows"))["changed"] == (await frame(aside, "rows"))["changed"] == [ticket.pk]
    assert await silent(inside)
    await call(teams.change)(team, members=[omar], **told)
    assert await frame(outside, "reload") == {"reload": 1}
    await call(tickets.set_priority)(ticket, "high", by=None)
    assert (await frame(aside, "rows"))["changed"] == [ticket.pk]
    assert await silent(outside)
    for socket in (inside, outside, aside):
        await socket.disconnect()


async def test_a_channel_given_to_a_team_leaves_all_others(sana: Agent, bilal: Agent, zoya: Agent, team: Team) -> None:
    open_to_all = await call(Channel.objects.create)(kind="email", name="Info", slug="info", settings={})
    inside, outside = await connect(sana), await connect(bilal)
    ticket = await call(question)(open_to_all, "Hello?")
    assert (await frame(outside, "rows"))["changed"] == [ticket.pk]
    members = await call(lambda: list(team.members.all()))()
    await call(teams.change)(
        team, by=zoya, name="Support", private=False, signature="", members=members, channels=[open_to_all]
    )
    assert await frame(outside, "reload") == {"reload": 1}
    await call(tickets.set_priority)(ticket, "high", by=None)
    assert (await frame(inside, "rows"))["changed"]
    assert await silent(outside)
    for socket in (inside, outside):
        await socket.disconnect()


async def test_a_log_in_that_ends_takes_its_page_with_it(sana: Agent, zoya: Agent) -> None:
    here, there = await connect(sana), await connect(sana)
    assert await call(people.end_sessions)(sana, by=sana, only=there.session) == 1
    assert await frame(there, "never") == sockets.LOGGED_OUT
    await settled(here)  # it stays, and may start over
    await call(people.switch_off)(sana, by=zoya)
    assert await frame(here, "never") == sockets.LOGGED_OUT
    for socket in (here, there):
        await socket.disconnect()


async def test_who_must_set_up_a_second_factor_is_told_nothing(
    support: Channel, sana: Agent, omar: Agent, settings: Any
) -> None:
    settings.REQUIRE_MFA = "all"
    await call(Authenticator.objects.create)(user=omar, type="totp", data={})
    without, having = await connect(sana), await connect(omar)
    ticket = await call(question)(support, "Where is my parcel?")
    assert (await frame(having, "rows"))["changed"] == [ticket.pk]
    assert await without.receive_nothing(timeout=0.6)  # type: ignore[no-untyped-call]
    await call(Authenticator.objects.all().delete)()
    live.announce_people([omar.pk])
    assert await frame(having, "never") == sockets.LOGGED_OUT
    for socket in (without, having):
        await socket.disconnect()


async def settled(socket: Socket) -> None:
    """Take what a page is told when it has just been opened."""
    while not await socket.receive_nothing(timeout=0.6, interval=0.02):  # type: ignore[no-untyped-call]
        await socket.hear(1)


async def test_strangers_are_told_to_log_in() -> None:
    socket = await connect(None)
    assert await frame(socket, "never") == sockets.LOGGED_OUT


async def test_what_redis_lost_is_found(support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_EVERY", 0.2)
    socket = await connect(sana)
    monkeypatch.setattr(live, "announce", lambda *args, **more: None)
    ticket = await call(question)(support, "Where is my parcel?")
    assert (await frame(socket, "rows"))["changed"] == [ticket.pk]
    await socket.disconnect()


async def test_a_flood_becomes_one_hint(support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_ROWS", 2)
    socket = await connect(sana)
    hub.current().note([1, 2, 3])
    assert (await frame(socket, "reload"))["reload"] == 1
    await socket.disconnect()


async def test_a_slow_socket_keeps_its_order_and_is_given_up() -> None:
    """What cannot be written at once waits behind what is being written, and holds up nobody else."""
    written: list[str] = []
    writable = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await writable.wait()
        written.append(message.get("text") or str(message["code"]))

    socket = sockets.Socket(1, "session", "en", send)
    for name in "abc":
        socket.put({"text": name})
    assert written == []
    writable.set()
    assert socket.relay is not None
    await socket.relay
    socket.put({"text": "d"})
    assert written == ["a", "b", "c", "d"]
    writable.clear()
    for _again in range(sockets.MOST_FRAMES + 2):
        socket.put({"text": "late"})
    writable.set()
    await socket.relay
    assert written[4:] == ["late", str(sockets.TOO_SLOW)]
    socket.put({"text": "never"})
    assert written[-1] == str(sockets.TOO_SLOW)


async def test_bytes_that_are_no_text_in_its_address_hurt_nobody(sana: Agent) -> None:
    socket = await connect(sana, "\udcff&language=\udc80")
    await say(socket, since=1)
    assert (await frame(socket, "sight"))["beat"] > 0
    await socket.disconnect()


def test_those_who_were_away_are_told_by_one_question(support: Channel, django_assert_num_queries: Any) -> None:
    """However long each was away; whoever missed more than is told one by one asks for all."""
    numbers = [question(support, f"Question {n}").pk for n in range(3)]
    times = list(Ticket.objects.order_by("number").values_list("updated_at", flat=True))
    early, late = (times[at] + frames.LOOK_BACK for at in (0, 1))
    with django_assert_num_queries(1):
        changed = frames.missed(early, 2)
    assert frames.since(changed, early, 2) == set(numbers[1:])
    assert frames.since(changed, late, 2) == {numbers[2]}
    assert frames.since(frames.missed(times[0], 2), times[0], 2) is None


def test_a_transaction_is_told_of_once(support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what a savepoint took back takes nothing with it."""
    told: list[list[int]] = []
    monkeypatch.setattr(live, "announce", lambda numbers, messages=(): told.append(list(numbers)))
    ticket, other = question(support, "Where is my parcel?"), question(support, "And mine?")
    told.clear()
    with transaction.atomic():
        with pytest.raises(RuntimeError), transaction.atomic():
            tickets.assign(other, by=sana, agent=sana)
            raise RuntimeError
        tickets.assign(ticket, by=sana, agent=sana)
        tickets.set_status(ticket, "solved", by=sana)
        tickets.set_priority(other, "high", by=sana)
    assert told == [[ticket.pk, other.pk]]


def test_announcing_costs_nothing_and_never_fails(settings: Any) -> None:
    import time

    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
        }
    }
    live.announce([1])
    start = time.perf_counter()
    for number in range(200):
        live.announce([number])
    assert time.perf_counter() - start < 10  # nobody waits for a Redis that is not there, not even half a second


def test_agents_of_equal_permission_share_what_they_see(
    support: Channel, sana: Agent, omar: Agent, bilal: Agent, zoya: Agent
) -> None:
    people = {agent.email: agent for agent in frames.with_sight({sana.pk, omar.pk, bilal.pk, zoya.pk})}
    sights = {email: id(agent._sight) for email, agent in people.items()}  # type: ignore[attr-defined]
    assert sights["sana@example.org"] == sights["omar@example.org"]
    assert len(set(sights.values())) == 3
    ticket = question(support, "Where is my parcel?")
    rows, told = frames.prepare({ticket.pk}, {sana.pk, bilal.pk}, {"en"})
    assert {pk: sees.visible for pk, sees in told.items()} == {sana.pk: frozenset({ticket.pk}), bilal.pk: frozenset()}
    assert "Where is my parcel?" in rows[ticket.pk].html["en"]
    Ticket.objects.filter(pk=ticket.pk).update(assignee=bilal)
    assert frames.prepare({ticket.pk}, {bilal.pk}, {"en"})[1][bilal.pk].visible == {ticket.pk}


async def test_who_loses_a_ticket_is_told(support: Channel, team: Team, sana: Agent, bilal: Agent) -> None:
    outside = await connect(bilal)
    ticket = await call(question)(support, "Where is my parcel?")
    await call(tickets.assign)(ticket, by=sana, agent=bilal)
    assert (await frame(outside, "rows"))["changed"] == [ticket.pk]
    await asyncio.sleep(0.6)
    await call(tickets.assign)(ticket, by=sana, agent=sana)
    while (told := await frame(outside, "rows"))["changed"]:
        continue  # an echo of what was allowed
    assert told == {"rows": "", "changed": [], "gone": [ticket.pk]}
    await outside.disconnect()


def test_a_new_password_ends_the_log_ins_of_the_old_one(sana: Agent) -> None:
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(sana.pk), sana.get_session_auth_hash()
    session.create()
    key = session.session_key
    assert key is not None
    assert frames.logged_in({key: sana.pk, "gone": sana.pk}) == {key}
    sana.set_password("quite another one")
    sana.save()
    assert frames.logged_in({key: sana.pk}) == set()
