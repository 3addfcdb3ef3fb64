"""The widget as visitors meet it: on hard pages, by keyboard, on a phone, in Urdu, in two tabs, offline."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, Page, expect

from channels_chat.actions import endings
from channels_chat.models import Chat
from inbox.actions import reply
from inbox.models import Agent, Channel, Message
from reports.models import Survey
from tests.browser.conftest import Open, Server
from tests.browser.test_accessible import check
from tests.browser.test_survey import asked
from tests.browser.visitor import Wire, all_acknowledged, chat, opened, shop, visit, with_open_window

__all__ = ["shop"]

STYLES = """element => Object.fromEntries(["display", "fontSize", "letterSpacing", "textTransform", "backgroundColor",
  "fontFamily", "lineHeight", "position", "visibility", "opacity", "transform"]
  .map(name => [name, getComputedStyle(element)[name]]))"""
# In one go: what is drawn anew between finding it and looking at it has no styles.
LOOKS = f"chat => [...chat.shadowRoot.querySelectorAll('.launcher, .panel, .greet, h2')].map({STYLES})"
AGAIN = """() => {
  const src = document.querySelector("[data-locale]").src
  document.head.append(Object.assign(document.createElement("script"), {src}))
}"""


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
    calm = chat(page).evaluate(LOOKS)

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
    hard = chat(page).evaluate(LOOKS)
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
        all_acknowledged(page)
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


def test_a_chat_that_ended_does_not_end_the_next(browser: Browser, server: Server, shop: Channel, sana: Agent) -> None:
    """The old one is told of once more while the new one is begun: where they write, and what they wrote, stays."""
    shop.settings = {**shop.settings, "rating": False, "topics": [{"key": "order", "label": {"en": "An order"}}]}
    shop.save()
    seen, page, wire = with_open_window(browser, server)
    form, area = chat(page).locator(".cards form"), chat(page).locator(".write textarea")
    for text in ("Where is it?", "It is not here yet"):
        form.locator("select").select_option("order")
        form.locator("button.main").click()
        if ended := [one for one in wire.heard if one["t"] == "chat"][-1:]:
            assert ended[0]["chat"]["state"] == "ended" and wire.socket is not None
            wire.socket.send(json.dumps(ended[0]))
        expect(area).to_be_focused()
        page.wait_for_timeout(100)
        page.keyboard.insert_text(text)
        page.keyboard.press("Enter")
        expect(chat(page).locator(".own .bubble").last).to_have_text(text)
        all_acknowledged(page)
        talk = Chat.objects.order_by("-pk")[0]
        reply.reply(talk.engagement.ticket, by=sana, text="Tomorrow.")
        endings.end(talk, why="visitor")
        expect(chat(page).get_by_text("This chat has ended")).to_be_visible()
    surveyed(page)
    assert [one for one in seen if one != "socket"] == []
    page.context.close()


def surveyed(page: Page) -> None:
    """Below the chat that ended they are asked; a press answers, can be taken back by another, and is no message."""
    rules = {"when": "chat_ended", "delay": 0, "low": 0}
    Survey.objects.create(name="After a chat", kind="csat", active=True, rules=rules)
    before = Message.objects.filter(direction="in").count()
    answer = asked()
    faces = chat(page).locator(".choices button")
    for place in (4, 3):
        faces.nth(place).click()
        expect(faces.nth(place)).to_have_attribute("aria-pressed", "true")
        all_acknowledged(page)
        answer.refresh_from_db()
        assert answer.value == place + 1
    expect(chat(page).locator(".system a[href*='/survey/']")).to_have_count(1)  # thanked once, and where to say more
    assert Message.objects.filter(direction="in").count() == before


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
