"""The widget as visitors meet it: on hard pages, by keyboard, on a phone, in Urdu, in two tabs, offline."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from channels_chat.actions import endings, sending
from channels_chat.models import Chat, FlowEntry
from inbox.actions import reply
from inbox.models import Agent, Channel, Message, Team
from tests.browser.conftest import PATIENCE, Open, Server
from tests.browser.test_accessible import check
from tests.channels_chat.test_flows import documented
from tests.channels_chat.test_said_again import FORM

STYLES = """element => Object.fromEntries(["display", "fontSize", "letterSpacing", "textTransform", "backgroundColor",
  "fontFamily", "lineHeight", "position", "visibility", "opacity", "transform"]
  .map(name => [name, getComputedStyle(element)[name]]))"""
AGAIN = """() => {
  const src = document.querySelector("[data-locale]").src
  document.head.append(Object.assign(document.createElement("script"), {src}))
}"""


@pytest.fixture
def shop(transactional_db: None, team: Team, open_as: Open, sana: Agent) -> Channel:
    """The sandbox's shop, with Sana at her desk."""
    channel = Channel.objects.create(
        kind="chat", name="Karvaan", slug="shop-chat", default_team=team, settings={"name": "Karvaan"}
    )
    open_as(sana, "/")
    return channel


def visit(browser: Browser, server: Server, **options: Any) -> tuple[BrowserContext, list[str]]:
    """A visitor's browser; what it complains of, and each websocket that it opens, comes into the list."""
    context = browser.new_context(base_url=server.url, reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE)
    seen: list[str] = []

    def watch(page: Page) -> None:
        page.on("websocket", lambda _socket: seen.append("socket"))

    context.on("page", watch)
    context.on("console", lambda line: seen.append(line.text) if line.type == "error" else None)
    context.on("weberror", lambda error: seen.append(str(error.error)))
    return context, seen


def chat(page: Page) -> Locator:
    return page.locator("rabta-chat")


def opened(page: Page) -> Locator:
    """Open the window by keyboard, and wait until somebody is there."""
    launcher = chat(page).locator("button.launcher")
    launcher.focus()
    page.keyboard.press("Enter")
    area = chat(page).locator(".write textarea")
    expect(area).to_be_focused()
    return area


def test_pages_that_make_it_hard(browser: Browser, server: Server, shop: Channel) -> None:
    context, seen = visit(browser, server)
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("load", lambda _page: requests.append("load"))
    page.goto("/sandbox/shop/strict/")
    before = page.locator("h1").evaluate(STYLES)
    area = opened(page)
    assert [one for one in requests[: requests.index("load")] if "/chat/" in one] == [
        f"{server.url}/chat/{shop.token}/widget.js"
    ]
    assert context.cookies() == [] or all(one["name"] == "csrftoken" for one in context.cookies())
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.locator("h1").evaluate(STYLES) == before
    calm = chat(page).locator(".launcher, .panel, .greet, h2").evaluate_all(f"all => all.map({STYLES})")

    # By keyboard alone: write, two lines, send; read; shut, and the focus is back where it was.
    page.keyboard.type("Where is my order?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("<img src=x onerror=alert(1)> https://example.com/a.")
    page.keyboard.press("Enter")
    said = chat(page).locator(".own .bubble")
    expect(said).to_have_text("Where is my order?\n<img src=x onerror=alert(1)> https://example.com/a.")
    expect(said.locator("a")).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(chat(page).locator(".own .under")).to_contain_text("Sent")
    assert Message.objects.get().text.startswith("Where is my order?")
    check(page)
    page.keyboard.press("Escape")
    expect(chat(page).locator("button.launcher")).to_be_focused()
    expect(chat(page).locator(".panel")).to_be_hidden()
    assert area.count() == 1 and [one for one in seen if one != "socket"] == []
    context.close()

    # A style sheet that is against everything changes nothing of it.
    context, seen = visit(browser, server)
    page = context.new_page()
    page.goto("/sandbox/shop/hostile/")
    opened(page)
    hard = chat(page).locator(".launcher, .panel, .greet, h2").evaluate_all(f"all => all.map({STYLES})")
    assert hard == calm
    box = chat(page).locator(".panel").bounding_box()
    assert box is not None and 300 < box["width"] < 420 and box["height"] > 300
    assert chat(page).evaluate("element => getComputedStyle(element, '::before').content") == "none"
    page.evaluate(AGAIN)
    page.wait_for_timeout(300)
    assert page.locator("rabta-chat").count() == 1  # loaded twice
    context.close()


def test_a_phone_in_urdu_two_tabs_and_no_connection(browser: Browser, server: Server, shop: Channel) -> None:
    context, seen = visit(browser, server, viewport={"width": 390, "height": 780}, color_scheme="dark")
    page = context.new_page()
    page.goto("/sandbox/shop/?lang=ur&spa=1")
    opened(page)
    panel = chat(page).locator(".panel")
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 780}
    assert panel.evaluate("element => getComputedStyle(element).direction") == "rtl"
    expect(panel).to_have_attribute("aria-modal", "true")
    for _press in range(12):  # Tab goes round within it
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.localName") == "rabta-chat"
    check(page)
    page.keyboard.press("Escape")

    # A second tab uses the first one's connection, and sees the same.
    second = context.new_page()
    second.goto("/sandbox/shop/")
    area = opened(second)
    area.fill("from the second tab")
    area.press("Enter")
    expect(chat(second).locator(".own .under")).to_contain_text("Sent")
    assert seen.count("socket") == 1
    page.evaluate("Rabta.open()")
    expect(chat(page).locator(".own .bubble")).to_have_text("from the second tab")

    # The first goes: the second takes over. Without a connection, what is written waits, also over a new page.
    with second.expect_event("websocket"):
        page.close()
    expect(chat(second).locator(".banner.warn")).to_have_count(0)
    context.set_offline(True)
    second.evaluate("dispatchEvent(new Event('offline'))")
    expect(chat(second).locator(".banner.warn")).to_be_visible()
    area.fill("written while offline")
    area.press("Enter")
    expect(chat(second).locator(".own .under").last).to_contain_text("will be sent")
    context.set_offline(False)
    second.goto("/sandbox/shop/cart/")
    bubbles = chat(second).locator(".own .bubble")
    if not chat(second).locator(".panel").count():
        second.evaluate("Rabta.open()")
    expect(bubbles).to_have_text(["from the second tab", "written while offline"])
    expect(chat(second).locator(".own .under").last).to_contain_text("Sent")
    texts = list(Message.objects.order_by("pk").values_list("text", flat=True))
    assert texts == ["from the second tab", "written while offline"]
    second.evaluate("Rabta.identify(null)")
    expect(bubbles).to_have_count(0)
    context.close()


def cut(page: Page, kind: str) -> list[str]:
    """Let connections die with the first two frames of this kind: one that nobody got, one whose answer nobody hears.
    Returns the kinds of such frames as they went, with the number of their connection.
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


def all_acknowledged(page: Page) -> None:
    """Wait until the browser keeps nothing that is not acknowledged."""
    until = time.monotonic() + PATIENCE / 1000
    while page.evaluate("Object.keys(localStorage).some(name => name.includes(':o:'))"):
        assert time.monotonic() < until
        page.wait_for_timeout(50)


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


class Wire:
    """A page's connections: the frames that it sends, and a line that a test takes down and up again."""

    def __init__(self, page: Page) -> None:
        self.page, self.frames, self.is_down = page, list[dict[str, Any]](), False
        self.socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile(r"/chat/.*/ws/$"), self.connected)

    def connected(self, socket: WebSocketRoute) -> None:
        if self.is_down:
            socket.close()
            return
        self.socket, server = socket, socket.connect_to_server()

        def said(text: str | bytes) -> None:
            self.frames.append(json.loads(text))
            server.send(text)

        socket.on_message(said)

    def down(self) -> None:
        self.is_down = True
        assert self.socket is not None
        self.socket.close()
        expect(chat(self.page).locator(".banner.warn")).to_be_visible()

    def up(self) -> None:
        self.is_down = False
        self.page.evaluate("dispatchEvent(new Event('online'))")
        expect(chat(self.page).locator(".banner.warn")).to_be_hidden()


def at_night(browser: Browser, server: Server, shop: Channel) -> tuple[list[str], Page, Wire, Locator]:
    """What a page complains of, the page, its connections, and the message form, where nobody is there at any time."""
    shop.settings = {**shop.settings, "hours": {"zone": "UTC", "days": [[], [], [], [], [], [], []]}}
    shop.save()
    context, seen = visit(browser, server)
    page = context.new_page()
    wire = Wire(page)
    page.goto("/sandbox/shop/")
    page.evaluate("Rabta.open()")
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


def test_keys_pass_over_ratings_and_a_click_is_one(
    browser: Browser, server: Server, shop: Channel, sana: Agent
) -> None:
    context, seen = visit(browser, server)
    page = context.new_page()
    wire = Wire(page)
    page.goto("/sandbox/shop/")
    area = opened(page)
    for number in (1, 2):
        area.fill(f"Question {number}")
        area.press("Enter")
        expect(chat(page).locator(".own .under").last).to_contain_text("Sent")
        talk = Chat.objects.order_by("-pk")[0]
        reply.reply(talk.engagement.ticket, by=sana, text=f"Answer {number}")
        endings.end(talk, why="visitor")
        faces = chat(page).locator(".rate input")
        expect(faces).to_have_count(5)
        if number == 1:
            faces.first.focus()
            for _key in range(3):
                page.keyboard.press("ArrowRight")
            expect(faces.nth(3)).to_be_checked()
            chat(page).locator(".cards textarea").fill("Quick")
            chat(page).locator(".cards button.main").click()
            expect(chat(page).get_by_text("Thank you for telling us.")).to_be_visible()
        else:
            chat(page).locator(".rate label").nth(1).click()
            chat(page).locator(".rate label").nth(4).click()  # and no more than that
        all_acknowledged(page)
    rated = [(one["score"], one["comment"]) for one in wire.frames if one["t"] == "rate"]
    assert rated == [(4, "Quick"), (2, ""), (5, "")]
    assert list(Chat.objects.order_by("pk").values_list("score", "comment")) == [(4, "Quick"), (5, "")]
    assert [one for one in seen if one != "socket"] == []
    context.close()


def test_an_open_window_learns_who_came(
    browser: Browser, server: Server, transactional_db: None, open_as: Open, sana: Agent
) -> None:
    Channel.objects.create(kind="chat", name="Karvaan", slug="shop-chat", settings={"name": "Karvaan"})
    context, seen = visit(browser, server)
    writing, waiting = context.new_page(), context.new_page()
    for page in (writing, waiting):
        page.goto("/sandbox/shop/")
        page.evaluate("Rabta.open()")
        expect(chat(page).locator("form.ask textarea")).to_be_visible()
    writing.locator("rabta-chat form.ask textarea").fill("My parcel")
    open_as(sana, "/")
    expect(chat(waiting).locator(".write textarea")).to_be_visible()
    expect(chat(waiting).locator("form.ask")).to_have_count(0)
    expect(chat(writing).locator("header small")).to_have_text("We usually answer at once")
    expect(chat(writing).locator("form.ask textarea")).to_have_value("My parcel")  # begun is not taken away
    assert [one for one in seen if one != "socket"] == []
    context.close()


HEARD = """() => {
  window.heard = []
  for (const name of ["open", "message"]) Rabta.on(name, told => heard.push(told?.text || name))
}"""


def test_on_a_second_device_they_are_in_the_same_chat(
    browser: Browser, server: Server, shop: Channel, sana: Agent
) -> None:
    """Both browsers were on the site, logged in, before anything was said."""
    shop.secrets = {"identity_secret": "a secret of the shop"}
    shop.settings = {**shop.settings, "prechat": [{"key": "order", "kind": "text", "label": {"en": "Order"}}]}
    shop.save()
    proof = hmac.new(b"a secret of the shop", b"7", hashlib.sha256).hexdigest()
    pages, complaints = [], []
    for _device in range(2):
        context, seen = visit(browser, server)
        page = context.new_page()
        page.goto("/sandbox/shop/")
        page.evaluate(HEARD)
        page.evaluate("proof => { Rabta.identify({id: '7', name: 'Ayesha'}, proof); Rabta.open() }", proof)
        expect(chat(page).locator(".cards input[name=order]")).to_be_visible()
        pages.append(page)
        complaints.append(seen)
    laptop, phone = pages
    for page, text in ((laptop, "Said at home"), (phone, "Said on the way")):
        chat(page).locator(".cards input[name=order]").fill("4711")
        chat(page).locator(".cards button.main").click()
        chat(page).locator(".write textarea").fill(text)
        chat(page).locator(".write textarea").press("Enter")
        expect(chat(page).locator(".own .under").last).to_contain_text("Sent")
        if page is laptop:
            reply.reply(Chat.objects.get().engagement.ticket, by=sana, text="I am looking")
            expect(chat(page).get_by_text("I am looking")).to_be_visible()
    for page in pages:
        expect(chat(page).locator(".bubble")).to_have_text(["Said at home", "I am looking", "Said on the way"])
        expect(chat(page).locator(".write textarea")).to_be_visible()
    reply.reply(Chat.objects.get().engagement.ticket, by=sana, text="It is there")
    for page, told in ((laptop, ["open", "I am looking", "It is there"]), (phone, ["open", "It is there"])):
        expect(chat(page).get_by_text("It is there")).to_be_visible()
        assert page.evaluate("heard") == told  # what was said before it was there is no news

    # A third one, which comes now, is in it at once; who logs out there stays on the others.
    context, seen = visit(browser, server)
    third = context.new_page()
    third.goto("/sandbox/shop/")
    third.evaluate("proof => { Rabta.identify({id: '7'}, proof); Rabta.open() }", proof)
    expect(chat(third).locator(".bubble")).to_have_count(4)
    expect(chat(third).locator(".write textarea")).to_be_visible()
    third.evaluate("Rabta.identify(null)")
    expect(chat(third).locator(".bubble")).to_have_count(0)
    chat(laptop).locator(".write textarea").fill("Thank you")
    chat(laptop).locator(".write textarea").press("Enter")
    expect(chat(phone).get_by_text("Thank you")).to_be_visible()
    assert Chat.objects.count() == 1
    assert [one for seen in (*complaints, seen) for one in seen if one != "socket"] == []
    for page in (*pages, third):
        page.context.close()


def test_on_a_site_where_it_is_not_open_it_shows_nothing(browser: Browser, server: Server, shop: Channel) -> None:
    shop.settings = {**shop.settings, "origins": ["https://shop.example"], "prechat": [{"key": "a", "kind": "text"}]}
    shop.save()
    context, _seen = visit(browser, server)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda line: told.append(line.text) if line.type == "warning" else None)
    context.grant_permissions(["local-network-access"])  # our server is on this machine, the site is not
    script = (
        f"<!doctype html><script src='{server.url}/chat/{shop.token}/widget.js'></script><script>Rabta.open()</script>"
    )
    page.route("http://127.0.0.5/", lambda route: route.fulfill(body=script, content_type="text/html"))
    page.goto("http://127.0.0.5/")
    expect(chat(page).locator(".banner")).to_have_text("This chat is not open on this site.")
    expect(chat(page).locator(".cards *")).to_have_count(0)
    expect(chat(page).locator(".write textarea")).to_be_hidden()
    assert told == ["Rabta: This chat is not open on this site. (4403)"]
    page.evaluate("Rabta.close()")
    page.evaluate(HEARD)
    page.evaluate("Rabta.open()")
    expect(chat(page).locator(".panel")).to_be_hidden()
    expect(chat(page).locator("button.launcher")).to_be_hidden()
    assert page.evaluate("heard") == []
    context.close()


def test_what_a_site_says_wrongly_is_told_to_its_builder(browser: Browser, server: Server, shop: Channel) -> None:
    context, seen = visit(browser, server)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda line: told.append(line.text) if line.type == "warning" else None)
    page.goto("/sandbox/shop/")
    for call in (
        'track("bad name!")',
        'track("bought", {basket: [1]})',
        "attributes({address: {city: 'Lahore'}, plan: 'gold', since: null})",
        'locale("fr")',
        'on("nonsense", () => {})',
        'track("bought", {price: 4})',
        'locale("en-GB")',
        'on("chat", () => {})',
    ):
        page.evaluate(f"() => {{ Rabta.{call} }}")
    assert told == [f"Rabta: {name} is dropped" for name in ("bad name!", "basket", "address", "fr", "nonsense")]
    assert [one for one in seen if one != "socket"] == []
    context.close()
