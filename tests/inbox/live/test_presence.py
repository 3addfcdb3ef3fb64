"""Who is here, who views and who writes: told to whoever may see the ticket, and gone when they are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis

from inbox import consumers, frames, hub, live, marks, presence
from inbox.actions import tickets
from inbox.models import Agent, Channel, TicketSeen
from inbox.presence import State
from tests.cast import question
from tests.inbox.live.test_hub import Socket, call, connect, frame, say, silent

pytestmark = pytest.mark.django_db(transaction=True)


async def mark(socket: Socket, ticket: int) -> Any:
    """What the next frame that tells of this ticket says of it."""
    while True:
        told = (await frame(socket, "marks"))["marks"]
        if str(ticket) in told:
            return told[str(ticket)]


async def test_colleagues_see_who_views_and_who_writes(
    support: Channel, sana: Agent, omar: Agent, bilal: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "SILENT", 0.8)
    monkeypatch.setattr(presence, "EXCHANGE_EVERY", 0.2)
    ticket = await call(question)(support, "Where is my parcel?")
    hers, second, his, outside = [await connect(one) for one in (sana, sana, omar, bilal)]
    assert (await frame(his, "whole"))["here"][str(sana.pk)] == "here"
    await say(hers, shows=ticket.pk, doing="reply")
    assert await mark(his, ticket.pk) == [[sana.pk, "reply"]]
    await say(second, shows=ticket.pk, doing="view")
    await say(outside, shows=ticket.pk, doing="reply")  # he may not see it: nobody is told, nor is he
    assert (await call(presence.who_is_here)())[sana.pk] == "here"
    assert await call(presence.who_views)(ticket.pk) == {sana.pk: "reply"}
    while await mark(his, ticket.pk):
        continue  # until neither page of hers has spoken for a while
    late = await connect(omar)
    assert "marks" not in await frame(late, "whole")
    await say(hers, shows=ticket.pk, doing="note", away=True)
    assert await mark(late, ticket.pk) == [[sana.pk, "note"]]
    await call(Agent.objects.filter(pk=omar.pk).update)(away=True)
    live.announce_people([omar.pk])
    assert (await frame(late, "here"))["here"][
        str(omar.pk)
    ] == "away"  # who says so of themselves, at their desk or not
    await hers.disconnect()
    assert await mark(late, ticket.pk) == []
    assert await silent(outside)
    for socket in (second, his, outside, late):
        await socket.disconnect()


async def test_other_processes_are_heard_and_forgotten(
    support: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their word, by Redis when that was lost, and no longer than they live."""
    monkeypatch.setattr(presence, "EXCHANGE_EVERY", 0.2)
    monkeypatch.setattr(presence, "LIVES", 1)
    ticket = await call(question)(support, "Where is my parcel?")
    his = await connect(omar)
    await frame(his, "whole")
    elsewhere = State()
    elsewhere.add(sana.pk, away=False, ticket=ticket.pk, doing="view")
    hub.current().marks.hear_of({"another": elsewhere.packed()})
    assert await mark(his, ticket.pk) == [[sana.pk, "view"]]
    assert await mark(his, ticket.pk) == []
    connection = presence.line()
    elsewhere.add(sana.pk, away=False, ticket=ticket.pk, doing="reply")
    await presence.exchange(connection, "another", elsewhere)
    assert await mark(his, ticket.pk) == [[sana.pk, "reply"]]
    await connection.flushall()
    assert await mark(his, ticket.pk) == []
    await connection.aclose()
    await his.disconnect()


async def test_the_last_one_is_told_to_have_gone_whenever_that_was(
    support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while something else is being told, after which the process would have nothing more to do."""
    telling, may_tell, tell = asyncio.Event(), asyncio.Event(), marks.Marks._tell

    async def slow(self: marks.Marks) -> None:
        telling.set()
        await may_tell.wait()
        await tell(self)

    monkeypatch.setattr(marks.Marks, "_tell", slow)
    only = await connect(sana)
    async with asyncio.timeout(10):
        await telling.wait()
        assert (await call(presence.who_is_here)())[sana.pk] == "here"
        await only.disconnect()
        may_tell.set()
        work = hub.current().marks.task
        assert work is not None
        await work
    assert sana.pk not in await call(presence.who_is_here)()


async def test_who_comes_just_as_the_last_one_has_gone_is_seen(
    support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As whoever goes from one page to the next does: the socket of the first may still be being forgotten."""
    ending, may_end, line = asyncio.Event(), asyncio.Event(), presence.line

    def slow() -> redis.asyncio.Redis:
        connection = line()
        close = connection.aclose

        async def aclose() -> None:
            ending.set()
            await may_end.wait()
            await close()

        monkeypatch.setattr(connection, "aclose", aclose)
        return connection

    monkeypatch.setattr(presence, "line", slow)
    first = await connect(sana)
    await frame(first, "whole")
    await first.disconnect()
    async with asyncio.timeout(10):
        await ending.wait()
    assert sana.pk not in await call(presence.who_is_here)(), "that she has gone is said first"
    second = await connect(sana)
    may_end.set()
    assert (await frame(second, "whole"))["here"][str(sana.pk)] == "here"
    assert (await call(presence.who_is_here)())[sana.pk] == "here"
    await second.disconnect()


def test_without_redis_nobody_is_anywhere(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    presence._connection.cache_clear()
    assert presence.who_is_here() == {} and presence.who_views(1) == {}
    presence._connection.cache_clear()


async def test_who_loses_a_ticket_no_longer_shows_on_it(support: Channel, sana: Agent, bilal: Agent) -> None:
    ticket = await call(question)(support, "Where is my parcel?")
    await call(tickets.assign)(ticket, by=sana, agent=bilal)
    hers, his = await connect(sana), await connect(bilal)
    await say(his, shows=ticket.pk)
    assert await mark(hers, ticket.pk) == [[bilal.pk, "view"]]
    await call(tickets.assign)(ticket, by=sana, agent=sana)
    assert await mark(hers, ticket.pk) == []
    for socket in (hers, his):
        await socket.disconnect()


async def test_what_is_open_before_an_agent_is_read(support: Channel, sana: Agent, bilal: Agent) -> None:
    ticket = await call(question)(support, "Where is my parcel?")
    first, second, outside = await connect(sana), await connect(sana), await connect(bilal)
    await say(outside, seen=[ticket.pk, None])
    await say(first, seen=[ticket.pk, None])
    told = await frame(second, "seen")
    assert float(told["seen"][str(ticket.pk)]) == pytest.approx(ticket.last_message_at.timestamp())
    assert await call(lambda: list(TicketSeen.objects.values_list("agent", flat=True)))() == [sana.pk]
    for socket in (first, second, outside):
        await socket.disconnect()


HOSTILE = [
    "", "nonsense", "[" * 400, "1", "[]", '{"shows": "1"}', '{"shows": true}', '{"shows": -1}', '{"shows": 1e999}',
    '{"shows": 99999999999999999999}', '{"shows": 1, "doing": ["x"]}', '{"shows": 1, "doing": {"a": 1}}',
    '{"seen": 1}', '{"seen": [1]}', '{"seen": ["a", "b"]}', '{"seen": [99999999999999999999, 1]}', '{"since": "x"}',
    '{"since": -1}', '{"since": 1e300}', '{"since": null, "sight": 5}', "x" * 1000,
]  # fmt: skip


async def test_hostile_pages_break_nothing(
    support: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "BURST", len(HOSTILE) + 5)
    monkeypatch.setattr(consumers, "MOST_IN_VAIN", 5)
    hers, his = await connect(sana), await connect(omar)
    hers_says = [{"type": "websocket.receive", "text": text} for text in HOSTILE] + [
        {"type": "websocket.receive", "bytes": b"\x00\xff"}
    ]
    for one in hers_says:
        await hers.send_input(one)  # type: ignore[no-untyped-call]
    ticket = await call(question)(support, "Where is my parcel?")
    assert (await frame(hers, "rows"))["changed"] == [ticket.pk]
    for _again in range(40):
        await say(hers, shows=1)
    assert await frame(hers, "never") == consumers.FLOODS
    assert (await frame(his, "rows"))["changed"] == [ticket.pk]
    for socket in (hers, his):
        await socket.disconnect()


async def test_a_page_is_told_what_it_missed(
    support: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since when, by the same rights as then; if that was too much or too long ago, that it had better ask anew."""
    old = await call(question)(support, "From before")
    before = old.created_at.timestamp() - 30  # within what a slow transaction may take
    monkeypatch.setattr(frames, "lately", list)  # nothing of what is told here anyway
    page = await connect(sana)
    await say(page, since=before)
    told = await frame(page, "rows")
    assert told["changed"] == [old.pk]
    said = await frame(page, "beat")
    await asyncio.sleep(0)
    await say(page, since=said["beat"], sight=said["sight"])
    assert "sight" in await frame(page, "beat")
    await say(page, since=said["beat"], sight="another")
    assert await frame(page, "reload") == {"reload": 1}
    monkeypatch.setattr(hub, "MOST_ROWS", 0)
    await say(page, since=before)
    assert await frame(page, "reload") == {"reload": 1}
    await say(page, since="never")
    assert await frame(page, "reload") == {"reload": 1}
    await page.disconnect()


def test_the_server_is_not_asked_what_it_cannot_know() -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        State.unpacked("[1, 2]")
    assert presence._read([None, b"[[]]", b"nonsense"]) == []
    assert isinstance(presence._connection(), redis.Redis)


async def test_a_page_tells_which_tickets_stand_side_by_side_until_it_is_silent(
    support: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "SILENT", 1.5)
    monkeypatch.setattr(presence, "EXCHANGE_EVERY", 0.2)
    hers, his = await connect(sana), await connect(omar)
    await frame(his, "whole")

    async def looks_at(ticket: int) -> bool:
        return bool((await call(presence.now)()).looks_at(sana.pk, ticket))

    async def until(wanted: bool) -> None:
        for _ in range(400):
            if await looks_at(7) == wanted:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"7 is before her: not {wanted}")

    await say(hers, shows=None, before=[7, "8", None, 9])
    await until(True)
    assert await looks_at(9) and not await looks_at(8)
    await say(hers, shows=None, before=[9])
    await until(False)
    await say(hers, shows=None, before=[7])
    await until(True)
    await until(False)  # it has not spoken for a while
    for socket in (hers, his):
        await socket.disconnect()
