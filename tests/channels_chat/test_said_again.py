"""Buttons, forms, the end of a chat and its rating: acknowledged once they are kept, and harmless when said again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from channels_chat.actions import endings, queueing, sending
from channels_chat.models import Chat, ChatState, FlowEntry
from inbox.actions import reply
from inbox.models import Agent, Channel, Event, Message
from tests.channels_chat.cast import chosen, fresh
from tests.channels_chat.test_flows import documented
from tests.channels_chat.visitor import VisitorPage
from tests.servers.web import Server

pytestmark = pytest.mark.django_db(transaction=True)

FORM = {
    "key": "return",
    "title": {"en": "Return"},
    "fields": [{"key": "order", "label": {"en": "Order"}, "required": True}, {"key": "why", "label": {"en": "Why"}}],
}


@pytest.fixture(autouse=True)
def _closed(transactional_db: None) -> Iterator[None]:
    yield
    connection.close()


def do(page: VisitorPage, cid: str = "", **frame: Any) -> dict[str, Any]:
    """Do it, and wait for the answer."""
    cid = cid or uuid.uuid4().hex
    page.put(cid=cid, **frame)
    while True:
        told = page.hear()
        if told["t"] in {"ok", "no"} and told["cid"] == cid:
            return told
        page.frames.append(told)


def twice(page: VisitorPage, **frame: Any) -> None:
    """As a page whose connection dies before it hears the answer, and once more for good measure."""
    cid = uuid.uuid4().hex
    page.put(cid=cid, **frame)
    page.close()
    page.open()
    assert do(page, cid, **frame) == do(page, cid, **frame) == {"t": "ok", "cid": cid}


def the_chat() -> Chat:
    return fresh(Chat.objects.order_by("-pk")[0])


def test_a_button_is_pressed_once(server: Server, shop: Channel) -> None:
    chosen(shop, flow=documented())
    with VisitorPage(server.url, shop) as page:
        page.say("Good morning")
        hello = page.wait_for("Hello! What is it about?")
        twice(page, t="press", id=hello["id"], button="order")
        page.wait_for("What is your order number?")
        assert FlowEntry.objects.filter(what="chosen").count() == 1
        assert the_chat().bot_until is None  # it owes nothing, so nobody takes the chat from it
        told = do(page, t="press", id=hello["id"] + 1000, button="order")
        assert (told["t"], told["why"]) == ("no", "late") and "after" not in told
        asked = page.wait_for("What is your order number?")
        twice(page, t="press", id=asked["id"], button="@human")
        assert the_chat().state == ChatState.WAITING
        assert Event.objects.filter(kind="bot_handoff").count() == 1
        endings.end(the_chat(), why="visitor")
        assert do(page, t="press", id=asked["id"], button="@human")["t"] == "ok"  # its effect was there


def test_a_form_is_filled_in_once(server: Server, shop: Channel, sana: Agent) -> None:
    chosen(shop, forms=[FORM])
    with VisitorPage(server.url, shop) as page:
        page.say("I want to return it")
        form = sending.send_form(the_chat(), "return", by=sana)
        late = sending.send_form(the_chat(), "return", by=sana)
        assert do(page, t="form", id=form.pk, values={"why": "Too big"})["why"] == "wrong"
        twice(page, t="form", id=form.pk, values={"order": "4711"})
        assert do(page, t="form", id=form.pk, values={"order": "other"})["t"] == "ok"
        assert list(Message.objects.filter(text__startswith="Order").values_list("text", flat=True)) == ["Order: 4711"]
        endings.end(the_chat(), why="visitor")
        told = do(page, t="form", id=late.pk, values={"order": "4711"})
        assert (told["why"], told["text"]) == ("ended", "This chat is over.") and "after" not in told
        assert do(page, t="form", id=form.pk, values={"order": "4711"})["t"] == "ok"


def test_a_human_and_the_end_are_of_the_chat_that_was_meant(server: Server, shop: Channel) -> None:
    chosen(shop, flow=documented())
    with VisitorPage(server.url, shop) as page:
        page.say("Good morning")
        first = page.wait("chat")["chat"]["id"]
        assert first == the_chat().pk
        twice(page, t="human", chat=first)
        assert the_chat().state == ChatState.WAITING
        assert Event.objects.filter(kind="chat_requested").count() == 1
        twice(page, t="end", chat=first)
        assert Event.objects.filter(kind="chat_ended").count() == 1
        page.say("One more thing")
        second = the_chat()
        assert second.pk != first and second.state == ChatState.BOT
        assert do(page, t="end", chat=first)["t"] == do(page, t="human", chat=first)["t"] == "ok"
        assert the_chat().state == ChatState.BOT  # neither was about this one
        assert do(page, t="end")["t"] == "ok"
        assert the_chat().state == ChatState.ENDED


def test_of_two_ratings_the_later_counts_for_its_own_chat(server: Server, shop: Channel, sana: Agent) -> None:
    with VisitorPage(server.url, shop) as page:
        page.say("Where is it?")
        first = the_chat()
        reply.reply(first.engagement.ticket, by=sana, text="On its way")
        endings.end(first, why="visitor")
        twice(page, t="rate", chat=first.pk, score=2, comment="")
        twice(page, t="rate", chat=first.pk, score=4, comment="Found it")
        assert Event.objects.filter(kind="chat_rated").count() == 2
        page.say("Something else")
        second = the_chat()
        assert second.pk != first.pk
        twice(page, t="rate", chat=first.pk, score=4, comment="Found it")
        assert (fresh(first).score, fresh(first).comment, fresh(second).score) == (4, "Found it", None)
        assert do(page, t="rate", chat=first.pk, score=9)["why"] == "score"
        with VisitorPage(server.url, shop) as stranger:
            assert do(stranger, t="rate", chat=first.pk, score=1)["why"] == "wrong"
            stranger.say("Hello")
            assert do(stranger, t="rate", chat=first.pk, score=1)["why"] == "wrong"
            assert do(stranger, t="end", chat=second.pk)["t"] == "ok"
        assert fresh(first).score == 4 and fresh(second).is_live


def test_an_end_does_not_overtake_what_was_put_off(server: Server, shop: Channel) -> None:
    with VisitorPage(server.url, shop) as page:
        page.say("Hello")
        for number in range(40):  # too many at once: some are to be said again
            page.put(t="say", cid=uuid.uuid4().hex, text=f"line {number}")
        told = do(page, t="end", chat=the_chat().pk)
        assert (told["t"], told["why"]) == ("no", "flood") and told["after"] >= 1
        assert the_chat().is_live


def test_pressing_again_leaves_the_bots_clock_alone(shop: Channel) -> None:
    """A second press of the same button is no new question to the bot: else a human got the chat after its silence."""
    from channels_chat.actions import flow
    from tests.channels_chat.test_flow import greeted, shown

    chosen(shop, flow=documented())
    _visitor, chat = greeted(shop)
    hello = shown(chat).pk
    assert flow.press(fresh(chat), hello, "order")
    assert not flow.press(fresh(chat), hello, "order")
    assert fresh(chat).bot_until is None
    queueing.ask_for_human(fresh(chat), reason="asked")
    assert not flow.press(fresh(chat), hello, "order")
