"""The widget where connections die, and what is typed meanwhile."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from channels_chat.actions import endings, sending
from channels_chat.models import Chat, FlowEntry
from inbox.actions import reply
from inbox.models import Agent, Channel, Message
from tests.browser.conftest import Server
from tests.browser.visitor import Wire, all_acknowledged, chat, opened, shop, visit, with_open_window
from tests.channels_chat.test_flows import documented
from tests.channels_chat.test_said_again import FORM

__all__ = ["shop"]


def cut(page: Page, kind: str) -> list[str]:
    """Let connections die with the first two frames of this kind: one that nobody got, one whose answer nobody hears.
    Returns the kinds of such frames as they went.
    """
    went: list[str] = []

    def connected(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def said(text: str | bytes) -> None:
            if json.loads(text)["t"] == kind:
                went.append(kind)
                if len(went) <= 2:
                    if len(went) == 2:
                        server.send(text)
                    socket.close()
                    return
            server.send(text)

        socket.on_message(said)

    page.route_web_socket(re.compile(r"/chat/.*/ws/$"), connected)
    return went


def test_a_button_is_pressed_once_though_the_connection_dies(browser: Browser, server: Server, shop: Channel) -> None:
    shop.settings = {**shop.settings, "flow": documented()}
    shop.save()
    context, seen = visit(browser, server)
    page = context.new_page()
    went = cut(page, "press")
    page.goto("/sandbox/shop/")
    area = opened(page)
    area.fill("Good morning")
    area.press("Enter")
    button = chat(page).get_by_role("button", name="My order")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")  # at once
    expect(chat(page).get_by_text("What is your order number?")).to_have_count(1)
    expect(button).to_have_attribute("aria-pressed", "true")
    all_acknowledged(page)
    assert went == ["press"] * 3
    assert FlowEntry.objects.filter(what="chosen").count() == 1
    assert [one for one in seen if one != "socket"] == []
    context.close()


def at_night(browser: Browser, server: Server, shop: Channel) -> tuple[list[str], Page, Wire, Locator]:
    """What a page complains of, the page, its connections, and the message form, where nobody is there at any time."""
    shop.settings = {**shop.settings, "hours": {"zone": "UTC", "days": [[], [], [], [], [], [], []]}}
    shop.save()
    seen, page, wire = with_open_window(browser, server)
    return seen, page, wire, chat(page).locator("form.ask")


CARET = "area => [area.value, area.selectionStart, area.selectionEnd, area.getRootNode().activeElement === area]"


def test_what_is_typed_into_the_message_form_stays(browser: Browser, server: Server, shop: Channel) -> None:
    """Through a connection that blinks, and through the site's word for who they are."""
    seen, page, wire, form = at_night(browser, server, shop)
    form.locator("input[name=email]").fill("ayesha@example.com")
    area = form.locator("textarea")
    area.fill("My parcel came")
    for _letter in "came":
        area.press("ArrowLeft")
    wire.down()
    assert area.evaluate(CARET) == ["My parcel came", 10, 10, True]
    page.keyboard.type("never ")
    wire.up()
    assert area.evaluate(CARET) == ["My parcel never came", 16, 16, True]
    page.evaluate("Rabta.identify({id: '', name: 'Ayesha'})")
    expect(form.locator("input[name=name]")).to_have_count(0)  # they are known by it now: another form
    assert area.evaluate(CARET) == ["My parcel never came", 16, 16, True]
    expect(form.locator("input[name=email]")).to_have_value("ayesha@example.com")
    form.locator("button.main").click()
    expect(chat(page).locator(".own .bubble")).to_have_text("My parcel never came")
    expect(chat(page).get_by_text("Thank you. We have your message")).to_be_visible()
    chat(page).locator(".cards button.link").click()
    expect(area).to_have_value("")  # that one was sent
    assert [one for one in seen if one != "socket"] == []
    page.context.close()


def test_a_message_left_without_a_connection_is_one(browser: Browser, server: Server, shop: Channel) -> None:
    seen, page, wire, form = at_night(browser, server, shop)
    form.locator("input[name=name]").fill("Ayesha")
    form.locator("input[name=email]").fill("ayesha@example.com")
    form.locator("textarea").fill("My parcel never came")
    wire.down()
    form.locator("button.main").click()
    expect(chat(page).locator(".own .under")).to_contain_text("will be sent")
    assert form.count() == 0  # nothing stands there to be sent twice
    wire.up()
    expect(chat(page).get_by_text("Thank you. We have your message")).to_be_visible()
    all_acknowledged(page)
    assert Message.objects.get().text == "My parcel never came"
    assert [one for one in seen if one != "socket"] == []
    page.context.close()


def test_what_is_typed_into_an_agents_form_stays(browser: Browser, server: Server, shop: Channel, sana: Agent) -> None:
    """What is said after it makes it anew."""
    shop.settings = {**shop.settings, "forms": [FORM]}
    shop.save()
    context, seen = visit(browser, server)
    page = context.new_page()
    page.goto("/sandbox/shop/")
    opened(page)
    page.keyboard.type("I want to return it")
    page.keyboard.press("Enter")
    expect(chat(page).locator(".own .under")).to_contain_text("Sent")
    talk = Chat.objects.order_by("-pk")[0]
    sending.send_form(talk, "return", by=sana)
    order = chat(page).locator("input[name=order]")
    order.fill("4711")
    order.press("Home")
    reply.reply(talk.engagement.ticket, by=sana, text="Take your time")
    expect(chat(page).get_by_text("Take your time")).to_be_visible()
    assert order.evaluate(CARET) == ["4711", 0, 0, True]
    endings.end(talk, why="visitor")  # too late: it says so, and what was filled in is there still
    expect(chat(page).get_by_text("This chat has ended.")).to_be_visible()
    order.press("Enter")
    expect(chat(page).locator(".banner")).to_have_text("This chat is over.")
    expect(order).to_have_value("4711")
    assert [one for one in seen if one != "socket"] == []
    context.close()
