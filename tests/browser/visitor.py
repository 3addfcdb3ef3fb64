"""A visitor of a site that has the widget: their browser, its connections, and the window."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from inbox.models import Agent, Channel, Team
from tests.browser.conftest import PATIENCE, Open, Server


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


def soon(holds: Callable[[], bool], page: Page) -> None:
    """Wait until it holds; what comes to the page meanwhile is heard."""
    until = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < until
        page.wait_for_timeout(50)


def all_acknowledged(page: Page) -> None:
    """Wait until the browser keeps nothing that is not acknowledged."""
    kept = "Object.keys(localStorage).some(name => name.includes(':o:'))"
    soon(lambda: not page.evaluate(kept), page)


class Wire:
    """A page's connections: the frames that it sends and hears, and a line that a test takes down and up again, or on
    which what the server says is `held`.
    """

    def __init__(self, page: Page, *, held: bool = False) -> None:
        self.page, self.frames, self.is_down = page, list[dict[str, Any]](), False
        self.heard: list[dict[str, Any]] = []
        self.held: list[str | bytes] | None = [] if held else None
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

        def answered(text: str | bytes) -> None:
            if self.held is None:
                socket.send(text)
                self.heard.append(json.loads(text))
            else:
                self.held.append(text)

        socket.on_message(said)
        server.on_message(answered)

    def welcomed(self) -> bool:
        """Whether the server knows this page, and who it says it is."""
        return any(frame["t"] == "welcome" for frame in self.heard)

    def let_go(self) -> None:
        """What the server said until now is heard, and from now on everything at once."""
        held, self.held = self.held, None
        assert self.socket is not None
        for text in held or ():
            self.socket.send(text)

    def down(self) -> None:
        self.is_down = True
        assert self.socket is not None
        self.socket.close()
        expect(chat(self.page).locator(".banner.warn")).to_be_visible()

    def up(self) -> None:
        self.is_down = False
        self.page.evaluate("dispatchEvent(new Event('online'))")
        expect(chat(self.page).locator(".banner.warn")).to_be_hidden()


def with_open_window(browser: Browser, server: Server) -> tuple[list[str], Page, Wire]:
    """A visitor on the shop's page with the window open: what the page complains of, the page, and its connections."""
    context, seen = visit(browser, server)
    page = context.new_page()
    wire = Wire(page)
    page.goto("/sandbox/shop/")
    page.evaluate("Rabta.open()")
    return seen, page, wire
