"""Pages and desks hear at once of what comes into a chat's ticket on another channel, without a look for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_chat import hub, room
from channels_chat.actions import continuity
from inbox import live
from inbox.actions import merge, reply
from inbox.models import Agent, Channel, Message, Role, Ticket
from tests.cast import question
from tests.channels_chat import inner, people
from tests.channels_chat.people import ALI

pytestmark = pytest.mark.django_db(transaction=True)
call = sync_to_async


@pytest.fixture(autouse=True)
async def _no_looks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(room, "LOOK_EVERY", 10_000.0)
    monkeypatch.setattr(room, "CHECK_EVERY", 10_000.0)
    monkeypatch.setattr(hub, "_talks", (0.0, False))
    yield
    await inner.quiet()


@pytest.fixture
def box(transactional_db: None) -> Channel:
    return people.mailbox()


@pytest.fixture
def shop(box: Channel) -> Channel:
    return people.shop()


@pytest.fixture
def sana(transactional_db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)


async def test_mail_both_ways_and_notes_are_told_at_once(shop: Channel, sana: Agent) -> None:
    visitor, ticket = await call(people.visitor)(shop, email=ALI)
    await call(people.answers)(ticket, sana)
    await call(people.leaves)(visitor)
    await call(continuity.sweep)()
    [mail] = await call(people.mails)(ticket)
    page = await inner.visitor(shop)
    [[widget]] = room.current().visits.values()
    room.current().meet(widget, visitor.pk)
    watching = await inner.desk(sana, ticket.pk)
    await watching.said("Where is my order?")

    await call(people.mail_back)(mail, "It has come, thank you")
    assert (await page.said("It has come, thank you"))["dir"] == "in"
    assert (await watching.said("It has come, thank you"))["dir"] == "in"

    ticket = await call(Ticket.objects.get)(pk=ticket.pk)
    await call(reply.reply)(ticket, by=sana, text="Glad to hear that", channel=mail.channel)
    assert (await page.said("Glad to hear that"))["by"] == "agent"
    await watching.said("Glad to hear that")

    await call(reply.note)(ticket, by=sana, text="A nice one")
    await watching.said("A nice one")
    await call(reply.reply)(ticket, by=sana, text="Bye", channel=shop)
    told = await page.hear("said")
    assert [one["text"] for one in told["messages"]] == ["Bye"]  # and no note
    await page.close()
    await watching.close()


async def test_what_a_merge_brings_is_told(shop: Channel, box: Channel, sana: Agent) -> None:
    _visitor, ticket = await call(people.visitor)(shop, email=ALI)
    other = await call(question)(box, "The same by mail")
    watching = await inner.desk(sana, ticket.pk)
    await watching.said("Where is my order?")
    await call(merge.merge)(other, ticket, by=sana)
    await watching.said("It should be here by now.")
    await watching.close()


def test_it_costs_one_query_where_there_are_chats_and_none_where_not(
    box: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(live, "chat", lambda **fact: told.append(fact))
    ticket = question(box, "Hello")

    def queries() -> int:
        """How many of a note in a ticket that no visitor chats in are about chats."""
        with CaptureQueriesContext(connection) as asked:
            reply.note(ticket, by=sana, text="Noted")
        return sum("channels_chat" in one["sql"] for one in asked)

    assert [queries(), queries()] == [0, 0]
    shop = people.shop()
    monkeypatch.setattr(hub, "_talks", (0.0, False))
    assert [queries(), queries()] == [1, 1] and not told
    visitor, theirs = people.visitor(shop)
    told.clear()
    reply.note(theirs, by=sana, text="Noted")
    assert told == [{"visitors": [visitor.pk], "tickets": [theirs.pk], "by": ""}]
    assert Message.objects.filter(ticket=theirs, direction="note").count() == 1
