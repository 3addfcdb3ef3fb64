"""Searching as people do: type, look, go on, go back; while other things happen in the inbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from inbox.actions import tickets
from inbox.actions.work import Outcome
from inbox.models import Agent, Ticket
from inbox.search import follower
from tests.browser.conftest import Open
from tests.browser.test_accessible import check

Mail = Callable[..., Outcome]


@pytest.fixture
def letters(mail: Mail) -> list[int]:
    """What lies in the inbox, found by search."""
    mail("Where is my parcel KV-2024/117?", "The copper kettle has not come yet.", "Ayesha Khan <ayesha@example.com>")
    mail("آرڈر کہاں ہے؟", "میرا پارسل ابھی تک نہیں ملا۔", "بلقیس خان <bilqis@example.com>")
    mail("Invoice", "Where is the parcel with the invoice?", "Jörg Müller <jorg@example.net>")
    numbers = list(Ticket.objects.order_by("number").values_list("number", flat=True))
    follower.write(numbers)
    return numbers


def test_typing_finds_and_escape_gives_the_list_back(
    open_as: Open, sana: Agent, letters: list[int], mail: Mail
) -> None:
    page = open_as(sana, "/?view=unassigned")
    expect(page.locator("#rows .row")).to_have_count(3)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("parce")
    expect(page.locator("#rows .row")).to_have_count(2)
    expect(page.locator("#rows .row mark").first).to_be_visible()
    expect(page).to_have_url("/?view=unassigned&q=parce")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.locator("#listing .num:not(#selected-count)")).to_have_text("2")
    # What comes in meanwhile changes neither the results nor what is being typed.
    mail("Another parcel", "Hello")
    tickets.set_subject(Ticket.objects.get(pk=letters[0]), "Parcel, urgent", by=sana)
    expect(page.locator(f"#row-{letters[0]} .subject")).to_have_text("Parcel, urgent")
    tickets.set_priority(Ticket.objects.get(pk=letters[2]), "urgent", by=sana)
    expect(page.locator(f"#row-{letters[2]} .bad-mark")).to_be_visible()
    expect(page.locator(f"#row-{letters[2]} mark")).to_have_text("parcel")
    expect(page.locator("#rows .row")).to_have_count(2)
    page.keyboard.type("l kv-2024/1")
    expect(page.locator("#rows .row")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#row-{letters[0]} .go")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.locator("#rows .row")).to_have_count(4)
    expect(page).to_have_url("/?view=unassigned")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_result_opens_and_back_returns_to_it(open_as: Open, sana: Agent, letters: list[int]) -> None:
    page = open_as(sana, "/")
    page.get_by_role("searchbox").fill("where")
    expect(page.locator("#rows .row")).to_have_count(2)
    page.get_by_role("searchbox").press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".talk[data-ticket]")).to_be_visible()
    expect(page.locator("#rows .row")).to_have_count(2)
    page.go_back()
    expect(page).to_have_url("/?view=open&q=where")
    expect(page.locator("#rows .row")).to_have_count(2)
    expect(page.get_by_role("searchbox")).to_have_value("where")
    page.go_back()
    expect(page.locator("#rows .row")).to_have_count(3)
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.go_forward()
    expect(page.locator("#rows .row")).to_have_count(2)
    page.locator("#search-end").click()
    expect(page.locator("#rows .row")).to_have_count(3)


def test_a_view_ends_the_search(open_as: Open, sana: Agent, letters: list[int]) -> None:
    page = open_as(sana, "/?q=zzzz")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.locator("#view-list").get_by_text("Unassigned").click()
    expect(page.locator("#rows .row")).to_have_count(3)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_it_works_without_scripts(
    open_as: Open, browser: object, server: object, sana: Agent, letters: list[int]
) -> None:
    context = open_as(sana, "/").context
    plain = context.browser.new_context(java_script_enabled=False, base_url=server.url)  # type: ignore[attr-defined]
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto("/")
    page.get_by_role("searchbox").fill("آرڈر")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#rows .row")).to_have_count(1)
    page.locator("#search-end").click()
    expect(page.locator("#rows .row")).to_have_count(3)
    plain.close()


@pytest.mark.parametrize(("scheme", "language"), [("dark", "ur")])
def test_results_are_accessible_and_fit(
    open_as: Open, sana: Agent, letters: list[int], scheme: str, language: str
) -> None:
    sana.language = language
    sana.save()
    page = open_as(sana, "/?q=khan", width=390, color_scheme=scheme)
    page.locator("#listing").wait_for(state="attached")
    check(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
