"""The widget as visitors meet it: on hard pages, by keyboard, on a phone, in Urdu, in two tabs, offline."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from inbox.models import Agent, Channel, Message, Team
from tests.browser.conftest import PATIENCE, Open, Server
from tests.browser.test_accessible import check

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
