"""Real Chromium against a real web process, on the test run's own PostgreSQL and Redis.

The database is the one of the running test, so that what a test does there is what the pages show.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, ViewportSize, expect, sync_playwright

from inbox import jobs as workers
from inbox.actions import receive
from inbox.actions.work import Outcome
from inbox.adapters import RawReceipt
from inbox.models import Agent, Channel
from tests.cast import bilal, lena, omar, sana, support, team, zoya
from tests.servers.web import ROOT, Server

__all__ = ["ROOT", "Server", "bilal", "lena", "omar", "sana", "support", "team", "zoya"]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 20_000  # ms; a busy machine is not a failure
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed: apt install chromium"))


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[Server]:
    running = Server()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all of this folder: Playwright keeps an event loop in this thread, which others must not find there."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the test's own queries are sync, and meant
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


Open = Callable[..., Page]
STORED = "cookies,local_storage,indexeddb,service_workers,cache_storage,file_systems"
WRONG = re.compile("Content Security Policy|is not a function|Cannot read properties")  # in the console


class Windows:
    """Browser contexts: each is its user's alone, as a browser of their own. One that a test did nothing else with than
    to open pages is emptied and used again, for it has the hundred static files that a page is made of.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser, self.url = browser, ""
        self.free: dict[str, list[BrowserContext]] = defaultdict(list)  # by the server that they are of
        self.taken: list[BrowserContext] = []
        self.used_up: list[BrowserContext] = []
        self.storage: dict[BrowserContext, CDPSession] = {}  # of an empty page that stays there

    def open(self, url: str, width: int, height: int, **options: object) -> tuple[Page, BrowserContext]:
        """A page in a context that is nobody else's in this test, and that context."""
        size: ViewportSize = {"width": width, "height": height}
        self.url = url
        if options:
            context = self.browser.new_context(viewport=size, base_url=url, **options)  # type: ignore[arg-type]
            self.used_up.append(context)
        else:
            free = self.free[url]
            context = free.pop() if free else self.browser.new_context(base_url=url)
            self.taken.append(context)
            if context not in self.storage:
                self.storage[context] = context.new_cdp_session(context.new_page())
        page = context.new_page()
        page.set_viewport_size(size)
        return page, context

    def close(self) -> None:
        """The test is over."""
        for context in {*self.taken, *self.used_up}:
            if context in self.used_up:
                context.close()
                continue
            for page in context.pages[1:]:
                page.close()
            context.clear_cookies()
            self.storage[context].send("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": STORED})
            self.free[self.url].append(context)
        self.taken, self.used_up = [], []


@pytest.fixture(scope="package")
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest.fixture
def open_as(
    windows: Windows, server: Server, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Open a page as an agent who is logged in: `open_as(sana, "/")`. Errors of its scripts fail the test.

    The agent is one of those who prefer to write plain text, unless `rich` asks for the editor.
    """
    errors: list[str] = []
    own = Page.__dict__["context"]

    def noted(asked: property, page: Page) -> object:
        windows.used_up.append(own.__get__(page))
        return asked.__get__(page)

    for name in ("context", "clock"):  # whoever asks for these may change more than can be put back
        monkeypatch.setattr(Page, name, property(partial(noted, Page.__dict__[name])))

    def opened(
        agent: Agent | None,
        path: str = "/",
        *,
        width: int = 1440,
        height: int = 900,
        rich: bool = False,
        **options: object,
    ) -> Page:
        page, context = windows.open(server.url, width, height, **options)
        if agent is not None:
            client = Client()
            client.force_login(agent)
            context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])
        if agent is not None and not rich:
            page.add_init_script(f"localStorage.setItem('plain:{agent.pk}', 'yes')")
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if WRONG.search(line.text) else None)
        page.goto(path)
        if agent is not None:
            page.locator("#live[data-on]").wait_for(state="attached")
            if page.locator("#problems").count():  # no workers run here, and what says so takes its place on the page
                page.locator("#problems .problems").wait_for()
        return page

    yield opened
    seen = list(errors)  # closing a page in mid-request may raise in it, too
    windows.close()
    time.sleep(0.3)  # what the web process still reads would get in the way of emptying the tables
    assert not seen


def deafen(page: Page) -> None:
    """From here on the open ticket hears of nothing, nor does what was asked before answer later."""
    page.route("**/changes/*", lambda route: route.abort())
    expect(page.locator("#live.htmx-request")).to_have_count(0)


_count = 0


@pytest.fixture
def mail(support: Channel) -> Callable[..., Outcome]:
    """Take a mail in, as a worker does: `mail(subject, text, sender=…, html=…)`."""

    def taken(
        subject: str, text: str = "Hello", sender: str = "Ayesha Khan <ayesha@example.com>", html: str = ""
    ) -> Outcome:
        global _count
        _count += 1
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, "support@example.org", subject
        message["Message-ID"] = f"<{_count}.{time.time_ns()}@example.com>"
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        raw = message.as_bytes()
        stored = receive.store(support, [RawReceipt(raw, sha256(raw).hexdigest())], claim=True)
        return receive.take_in([one.receipt_id for one in stored])[0]

    return taken


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """Does what workers do with jobs, as long as the test runs."""
    over = Event()

    def work() -> None:
        try:
            while not over.wait(0.1):
                for pk in workers.due().values_list("pk", flat=True):
                    workers.work(pk)
        finally:
            connection.close()  # whatever happened: else the database cannot be dropped at the end

    thread = Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()
