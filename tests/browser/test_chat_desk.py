"""Chats by keyboard: an offer taken from the inbox, two side by side, handing over, solving."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from channels_chat import queue
from channels_chat.models import Chat, ChatState
from inbox import presence
from inbox.models import Agent, Channel, Draft, Message, Ticket
from tests.browser.conftest import Open, Server
from tests.channels_chat.cast import chat_channel
from tests.channels_chat.visitor import VisitorPage


@pytest.fixture
def shop(transactional_db: None) -> Channel:
    return chat_channel("Shop", preview=True)


@pytest.fixture
def visitors(shop: Channel, server: Server) -> Iterator[list[VisitorPage]]:
    found = [VisitorPage(server.url, shop, url=f"https://shop.example/{n}", title=f"Page {n}") for n in (1, 2)]
    yield found
    for one in found:
        one.close()


def offered(page: Page, count: int = 1) -> None:
    """Let the queue offer what waits, as a worker does, until the page shows it."""
    for _ in range(60):
        queue.tend()
        if page.locator(".offer").count() >= count:
            return
        time.sleep(0.2)
    raise AssertionError("nothing was offered")


def heard(visitor: VisitorPage, text: str) -> None:
    """Wait until this visitor has been told so."""
    while not any(text in one["text"] for one in visitor.messages.values()):
        visitor.hear()


def test_two_chats_by_keyboard(
    open_as: Open, sana: Agent, omar: Agent, visitors: list[VisitorPage], shop: Channel
) -> None:
    first, second = visitors
    page = open_as(sana, "/")
    first.say("Where is my parcel?")
    offered(page)
    expect(page.locator(".offer")).to_contain_text("Where is my parcel?")
    page.keyboard.press("Control+Shift+A")
    page.wait_for_url("**/chats/**")
    one = Chat.objects.get()
    number = one.engagement.ticket_id
    column = page.locator(f"#chat-{number}")
    expect(column.locator("[name=text]")).to_be_focused()
    page.keyboard.type("Hello! I am looking.")
    page.keyboard.press("Enter")
    heard(first, "I am looking.")
    expect(column.locator(".line.out:not(.pending)")).to_contain_text("I am looking.")
    expect(column.locator("[name=text]")).to_have_value("")
    first.put(t="seen", delivered=max(first.messages), read=max(first.messages))
    expect(column.locator(".line.out .line-ticks[data-state=read]")).to_be_visible()

    # A second one, offered while the first is answered: what is being written stays.
    page.keyboard.type("It left")
    second.say("Do you ship to Multan?")
    offered(page)
    page.keyboard.press("Control+Shift+A")
    other = Chat.objects.exclude(pk=one.pk).get().engagement.ticket_id
    beside = page.locator(f"#chat-{other}")
    expect(beside.locator("[name=text]")).to_be_focused()
    page.keyboard.type("Yes, we do.")
    page.keyboard.press("Enter")
    heard(second, "Yes, we do.")
    expect(column.locator("[name=text]")).to_have_value("It left")
    first.put(t="typing", text="Thank you, but wh")
    expect(column.locator(".visitor-types")).to_contain_text("Thank you, but wh")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(column.locator("[name=text]")).to_be_focused()
    page.keyboard.type(" yesterday.")
    first.say("Thank you, but where is it now?")
    expect(column.locator(".line.in").last).to_contain_text("where is it now?")
    expect(column.locator("[name=text]")).to_have_value("It left yesterday.")
    expect(column.locator(".visitor-types")).to_be_hidden()
    page.reload()
    expect(page.locator(f"#chat-{number} [name=text]")).to_have_value("It left yesterday.")
    expect(page.locator("#main > .chat")).to_have_count(2)
    page.locator(f"#chat-{number} [name=text]").focus()
    page.keyboard.press("Enter")
    heard(first, "It left yesterday.")

    # Handed over, unbroken for the visitor; the other one solved.
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    menu = column.locator("details[open] .panel")
    menu.locator("textarea").fill("Ask the warehouse.")
    menu.get_by_role("button", name="Omar").press("Enter")
    heard(first, "Omar")
    expect(column).to_contain_text("They wait for somebody.")
    note = Message.objects.get(ticket=number, direction="note")
    assert note.text == "Ask the warehouse." and Chat.objects.get(pk=one.pk).wanted == omar
    expect(column.locator(".line.note")).to_contain_text("Ask the warehouse.")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(beside.locator("[name=text]")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(beside.locator(".chat-where")).to_contain_text("Ended")
    expect(beside.locator("[name=text]")).to_be_hidden()
    assert Ticket.objects.get(pk=other).status == "solved"
    assert Chat.objects.get(engagement__ticket=other).state == ChatState.ENDED
    said = Message.objects.filter(direction="out", author_kind="agent").values_list("text", flat=True).order_by("pk")
    assert list(said) == ["Hello! I am looking.", "Yes, we do.", "It left yesterday."]


def test_what_was_sent_does_not_come_back(
    open_as: Open, sana: Agent, visitors: list[VisitorPage], shop: Channel
) -> None:
    """A draft is saved while one pauses in the middle of a sentence; another is sent in its place."""
    visitors[0].say("Where is my parcel?")
    page = open_as(sana, "/")
    offered(page)
    page.keyboard.press("Control+Shift+A")
    page.wait_for_url("**/chats/**")
    number = Chat.objects.get().engagement.ticket_id
    area = page.locator(f"#chat-{number} [name=text]")
    lines = page.locator(f"#lines-{number} .line.out:not(.pending)")
    area.fill("Good morning")
    area.press("Enter")  # the first answer goes the long way, those behind it do not
    expect(lines).to_have_count(1)
    for turn, text in enumerate(("It left yesterday.", "Tomorrow, then."), start=2):
        area.fill("Let me")
        expect(page.locator(f"#chat-{number} [name=version]")).not_to_have_value("0")  # it is saved, and known here
        area.fill(text)
        area.press("Enter")
        expect(lines).to_have_count(turn)
        heard(visitors[0], text)
        assert not Draft.objects.exists()
        page.reload()
        expect(area).to_have_value("")


def test_the_desk_says_which_chats_are_in_sight(
    open_as: Open, sana: Agent, visitors: list[VisitorPage], shop: Channel
) -> None:
    """So that of what is said there its agent need not be told once more."""
    page = open_as(sana, "/")
    visitors[0].say("Where is my parcel?")
    offered(page)
    page.keyboard.press("Control+Shift+A")
    page.wait_for_url("**/chats/**")
    number = Chat.objects.get().engagement.ticket_id
    expect(page.locator(f"#chat-{number}")).to_be_visible()

    def until(wanted: bool) -> None:
        for _ in range(150):
            if presence.now().looks_at(sana.pk, number) == wanted:
                return
            page.wait_for_timeout(100)
        page_says = page.evaluate("[document.hidden, document.querySelectorAll('[data-before]').length]")
        raise AssertionError(f"in sight is not {wanted}: {presence.now()}, the page: {page_says}")

    until(True)
    page.goto("/settings/")
    until(False)
