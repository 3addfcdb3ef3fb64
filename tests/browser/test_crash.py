"""The browser dies in the middle of a sentence, and the server goes for a moment: what was typed is there again."""

from __future__ import annotations

import signal
from collections.abc import Callable

import psutil
from playwright.sync_api import Browser, expect

from inbox.actions.work import Outcome
from inbox.models import Agent, Draft, Message
from tests.browser.conftest import CHROMIUM, FLAGS, Open, Server

Mail = Callable[..., Outcome]
MARK = "--user-agent-product=doomed"  # by which its process is found


def kill(mark: str) -> None:
    """As the kernel does when memory is short: the browser's own process, and with it all that it started."""
    [found] = [
        one
        for one in psutil.Process().children(recursive=True)
        if mark in one.cmdline() and not any(word.startswith("--type=") for word in one.cmdline())
    ]
    helpers = found.children(recursive=True)
    for one in (found, *helpers):
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs([found, *helpers], timeout=10)


def test_a_draft_outlives_browser_and_server(
    open_as: Open, browser: Browser, server: Server, sana: Agent, mail: Mail
) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    cookies = page.context.cookies()
    page.close()
    with browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, MARK]) as doomed:
        context = doomed.new_context(base_url=server.url)
        context.add_cookies(cookies)  # type: ignore[arg-type]
        typing = context.new_page()
        typing.goto(f"/tickets/{number}/")
        typing.locator("#live[data-on]").wait_for(state="attached")
        typing.keyboard.press("r")
        expect(typing.locator("#prose")).to_be_focused()
        with typing.expect_response("**/draft/"):
            typing.keyboard.type("It arrives on ")
            typing.keyboard.press("Control+b")
            typing.keyboard.type("Thursday")
        typing.keyboard.type(", per")
        kill(MARK)
    # Another browser, which knows nothing of the first.
    page = open_as(sana, f"/tickets/{number}/", rich=True)
    editor = page.locator("#prose")
    expect(editor).to_contain_text("It arrives on Thursday")
    expect(editor.locator("strong")).to_contain_text("Thursday")
    page.keyboard.press("r")
    expect(editor).to_be_focused()
    # The server goes while more is typed, and comes again: nobody has to type a word more for it to be kept there.
    server.stop()
    page.keyboard.press("Control+End")
    page.keyboard.type("! Yours")
    expect(page.locator(".offline")).to_be_visible()
    expect(editor).to_contain_text("! Yours")
    expect(editor).to_be_focused()
    with page.expect_response("**/draft/", timeout=60_000):
        server.start()
    expect(page.locator(".offline")).to_be_hidden()
    assert Draft.objects.get().text.endswith("! Yours")
    page.reload()
    expect(editor).to_contain_text("! Yours")
    page.keyboard.press("r")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message.out")).to_contain_text("Thursday")
    expect(page.locator(":focus")).to_have_count(1)
    message = Message.objects.get(direction="out")
    assert message.text.startswith("It arrives on Thursday") and message.text.endswith("! Yours")
    assert [one["address"] for one in message.to] == ["ayesha@example.com"]
    assert not Draft.objects.exists()
