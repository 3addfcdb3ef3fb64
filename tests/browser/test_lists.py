"""The list by keyboard: narrowed, kept as a view, ordered, scrolled, and found again where one was."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from inbox.models import Agent, Channel, SavedView, Ticket
from tests.browser.conftest import Open
from tests.cast import question

URGENT = 60


def asked(page: Page) -> dict[str, list[str]]:
    """What the address of the list says."""
    return parse_qs(urlsplit(page.url).query)


def test_a_list_is_narrowed_kept_ordered_and_found_again(open_as: Open, sana: Agent, support: Channel) -> None:
    first = question(support, "Question 0")
    common = {"customer": first.customer, "channel": support, "reply_channel": support, "team": first.team}
    Ticket.objects.bulk_create(
        Ticket(subject=f"Question {n}", priority="urgent" if n <= URGENT else "low", **common) for n in range(1, 70)
    )
    page = open_as(sana, "/?view=open")
    rows, focused, keys = page.locator("#rows .row"), page.locator(":focus"), page.keyboard
    expect(rows).to_have_count(40)

    # The filter is the address; the focus stays where it was used.
    keys.press("Shift+F")
    expect(page.locator("#filter-menu .option:focus")).to_be_visible()
    keys.type("prio")
    keys.press("Enter")
    expect(focused).to_have_attribute("name", "priority")
    while focused.get_attribute("value") != "urgent":
        keys.press("Tab")
    keys.press("Space")
    keys.press("Enter")
    expect(page.locator(".filter-chip")).to_contain_text("Urgent")
    assert asked(page) == {"view": ["open"], "priority": ["urgent"]}
    expect(page.locator("#filter-menu > summary")).to_be_focused()

    # In another order, and close together.
    page.locator("#display-menu > summary").focus()
    for chosen, shown in (("oldest", "[data-sort=oldest]"), ("compact", "[data-sort=oldest].compact")):
        keys.press("Enter")
        expect(page.locator("#display-menu .option").first).to_be_visible()
        keys.type(chosen)
        keys.press("Enter")
        expect(page.locator(f"#rows{shown}")).to_be_visible()
        expect(page.locator("#display-menu > summary")).to_be_focused()
    assert asked(page)["sort"] == ["oldest"]

    # Kept under a name, it is a place of the sidebar.
    page.locator("#save-menu > summary").focus()
    keys.press("Enter")
    page.get_by_label("Name of the view").focus()
    keys.type("Burning")
    keys.press("Enter")
    place = page.get_by_role("link", name="Burning")
    expect(place).to_have_attribute("aria-current", "page")
    kept = SavedView.objects.get()
    assert kept.query == {"view": "open", "priority": "urgent", "sort": "oldest"}

    # Down to the end, whatever was not loaded yet.
    last = page.locator(f"#rows .row:has-text('Question {URGENT}')")
    page.locator("#live[data-on]").wait_for(state="attached")  # the page is a new one: now it hears keys
    for _step in range(5 * URGENT):
        if last.locator(".go:focus").count():
            break
        keys.press("j")
    expect(rows).to_have_count(URGENT)
    keys.press("Enter")
    expect(page.locator("#conversation h2, #conversation h1").first).to_contain_text(f"Question {URGENT}")
    expect(last).to_be_in_viewport()

    # Away and back: the same list, where one was in it.
    page.goto("/settings/views/")
    page.go_back()
    expect(rows).to_have_count(URGENT)
    expect(last).to_be_in_viewport()
    assert page.locator("#rows").get_attribute("data-sort") == "oldest"
