"""A transaction that is stuck on one ticket: all others go on, and what belongs there is said again, and taken once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import DataError, connection, transaction

from channels_chat import answers, intake, patience, reading, room
from channels_chat.actions import quick, visitors
from channels_chat.intake_values import Said, Took
from channels_chat.models import Chat, ChatState, Visitor
from inbox.actions import reply
from inbox.models import Agent, Channel, Engagement, Message, Role, Ticket
from tests.channels_chat import inner
from tests.channels_chat.cast import chat_channel, says, visitor_of
from tests.servers.web import database_url

pytestmark = pytest.mark.django_db(transaction=True)
call = sync_to_async
LONG = 20.0  # seconds; whoever waits for what is held waits for ever


@pytest.fixture(autouse=True)
def _calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_until", 0.0)


@pytest.fixture
def shop(transactional_db: None) -> Channel:
    return chat_channel()


@pytest.fixture
def sana(transactional_db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)


def talk(shop: Channel, sana: Agent, name: str) -> tuple[Visitor, Ticket]:
    visitor = visitor_of(shop, name)
    ticket = says(visitor, "Hello?").ticket
    reply.reply(ticket, by=sana, text="Hello")
    Chat.objects.filter(visitor=visitor).update(state=ChatState.ACTIVE)
    Engagement.objects.filter(ticket=ticket).update(agent=sana)
    visitor.refresh_from_db()
    return visitor, Ticket.objects.get(pk=ticket.pk)


@contextmanager
def held(what: str) -> Iterator[None]:
    """Somebody holds these rows, in a transaction that does not come to its end."""
    with psycopg.connect(database_url()) as other:
        other.execute(what)
        yield
        other.rollback()


def row_of(ticket: Ticket) -> str:
    return f"SELECT FROM inbox_ticket WHERE number = {ticket.pk} FOR UPDATE"


def line(visitor: Visitor, text: str) -> Said:
    return Said(visitor.channel, visitor, uuid4().hex, text)


def test_a_held_ticket_stops_no_other_visitor(shop: Channel, sana: Agent) -> None:
    stuck, ticket = talk(shop, sana, "Ali")
    others = [talk(shop, sana, name)[0] for name in ("Bano", "Chand")]
    stranger = visitor_of(shop, "Dua")  # whose first line goes the long way
    lines = [line(stuck, "Mine"), *(line(one, "Ours") for one in others), line(stranger, "Hello")]
    with held(row_of(ticket)):
        for _again in range(2):
            began = time.monotonic()
            took = intake.each(lines)
            assert time.monotonic() - began < LONG
            assert isinstance(took[0], intake.Held)
            assert all(isinstance(one, Took) for one in took[1:])
        with pytest.raises(intake.Held):
            intake.take(lines)
        assert patience.careful()
        assert intake.each(lines[1:2])[0] is not None
    [mine] = intake.take(lines[:1])
    assert mine is not None and mine.ticket == ticket.pk
    assert intake.take(lines[:1])[0] == Took(mine.message, mine.ticket, mine.at, repeated=True)
    assert sorted(
        Message.objects.exclude(text__in=["Hello?"]).filter(direction="in").values_list("text", flat=True)
    ) == [
        "Hello",
        "Mine",
        "Ours",
        "Ours",
    ]


def test_a_held_ticket_stops_no_answer_to_others(shop: Channel, sana: Agent) -> None:
    _stuck, ticket = talk(shop, sana, "Ali")
    _other, free = talk(shop, sana, "Bano")
    asked = [answers.Asked(sana.pk, one.pk, "Yes", uuid4().hex, "en") for one in (ticket, free)]
    with held(row_of(ticket)):
        for _again in range(2):
            began = time.monotonic()
            told = [one.told for one in answers.answer(asked)]
            assert time.monotonic() - began < LONG
            assert (told[0]["t"], told[0]["why"], told[0]["after"]) == ("no", "later", 2)
            assert told[1]["t"] == "took"
    assert [one.told["t"] for one in answers.answer(asked)] == ["took", "took"]
    assert [Message.objects.filter(ticket=one, text="Yes").count() for one in (ticket, free)] == [1, 1]


def test_what_is_held_beside_the_ticket_stops_nobody_either(shop: Channel, sana: Agent) -> None:
    """A customer who is being erased, say: the rows of their messages name them."""
    stuck, ticket = talk(shop, sana, "Ali")
    other, _free = talk(shop, sana, "Bano")
    lines = [line(stuck, "Mine"), line(other, "Ours")]
    with held(f"SELECT FROM inbox_customer WHERE id = {ticket.customer_id} FOR UPDATE"):
        took = intake.each(lines)
        assert isinstance(took[0], intake.Held) and isinstance(took[1], Took)
    assert intake.take(lines)[0] is not None
    assert Message.objects.filter(text="Mine").count() == 1


def test_the_limit_ends_with_the_line(shop: Channel, sana: Agent) -> None:
    visitor, _ticket = talk(shop, sana, "Ali")
    [took] = quick.take([line(visitor, "Hello")])
    assert took is not None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


async def test_pages_are_told_and_say_it_again(shop: Channel, sana: Agent) -> None:
    page, other = await inner.visitor(shop), await inner.visitor(shop)
    for one in (page, other):
        await one.put(t="say", cid=uuid4().hex, text="Hello?")
        await one.hear("took")
    ticket = await call(Ticket.objects.order_by("pk").first)()
    assert ticket is not None
    cid = uuid4().hex
    stuck = held(row_of(ticket))
    stuck.__enter__()
    await page.put(t="say", cid=cid, text="Mine")
    await other.put(t="say", cid=uuid4().hex, text="Ours")
    await other.hear("took", LONG)
    told = await page.hear("no", LONG)
    assert (told["cid"], told["why"], told["after"]) == (cid, "later", 2)
    stuck.__exit__(None, None, None)
    await page.put(t="say", cid=cid, text="Mine")
    assert (await page.hear("took", LONG))["cid"] == cid
    assert await call(Message.objects.filter(text="Mine").count)() == 1
    for one in (page, other):
        await one.close()
    await inner.quiet()


async def test_what_else_a_page_says_does_not_hold_up_the_room(shop: Channel, sana: Agent) -> None:
    """Its few threads read for all pages: an end of a chat that is held gives its thread back."""
    stuck, ticket = await call(talk)(shop, sana, "Ali")
    page, other = await inner.visitor(shop), await inner.visitor(shop)
    [[first], [second]] = room.current().visits.values()
    room.current().meet(first, stuck.pk)
    holding = held(f"{row_of(ticket)}; SELECT FROM channels_chat_chat FOR UPDATE; SELECT FROM channels_chat_visitor "
                   f"WHERE id = {stuck.pk} FOR UPDATE")  # fmt: skip
    holding.__enter__()
    for _ in range(4):  # more than there are threads
        await page.put(t="end")
        await page.put(t="page", url="https://shop.example/")
    await other.put(t="say", cid=uuid4().hex, text="Ours")
    await other.hear("took", LONG)
    await asyncio.wait_for(room.current().in_thread(partial(reading.connected, {stuck.pk, second.visitor})), LONG)
    assert (await call(Visitor.objects.get)(pk=second.visitor)).last_seen_at > stuck.last_seen_at
    holding.__exit__(None, None, None)
    await page.put(t="end")
    for _ in range(400):
        if not (await call(Chat.objects.get)(visitor=stuck)).is_live:
            break
        await asyncio.sleep(0.05)
    assert not (await call(Chat.objects.get)(visitor=stuck)).is_live
    for one in (page, other):
        await one.close()
    await inner.quiet()


def test_no_limit_is_left_on_the_connection_of_a_thread(shop: Channel) -> None:
    @patience.bounded
    def limit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return str(cursor.fetchone()[0])

    unbound = limit.__wrapped__  # type: ignore[attr-defined]
    assert (limit(), unbound()) == (patience.WAIT, "0")
    with transaction.atomic():
        assert limit() == patience.WAIT
    assert unbound() == "0"

    @patience.bounded
    def fails() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with pytest.raises(DataError):
        fails()
    assert unbound() == "0"


async def test_who_cannot_be_greeted_is_greeted_when_they_connect_again(shop: Channel) -> None:
    visitor, key = await call(visitors.meet)(shop, {"name": "Ali", "language": "en"})
    holding = held(f"SELECT FROM channels_chat_visitor WHERE id = {visitor.pk} FOR UPDATE")
    holding.__enter__()
    page = inner.Socket(f"/chat/{shop.token}/ws/", client=["192.0.2.1", 5000])
    await page.open()
    await page.put(t="hi", visit=uuid4().hex, key=key)
    assert await page.hear("welcome", LONG) == {"t": "close", "code": 1013}
    await page.close()
    holding.__exit__(None, None, None)
    again = await inner.visitor(shop, key=key)
    await again.close()
    await inner.quiet()
