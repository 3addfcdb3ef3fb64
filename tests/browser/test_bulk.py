"""Many tickets at once, in the browser: five hundred by mouse, a few by keyboard, and back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inbox.models import Agent, Channel, Job, Status, Ticket
from tests.browser.conftest import Open
from tests.cast import question


@pytest.fixture
def many(support: Channel) -> list[int]:
    first = question(support, "Question 0")
    common = {
        "customer": first.customer, "channel": support, "reply_channel": support, "team": first.team,
        "waiting_since": first.created_at, "last_direction": "in", "preview": "Hello",
    }  # fmt: skip
    others = Ticket.objects.bulk_create([Ticket(subject=f"Question {n}", **common) for n in range(1, 500)])
    return [first.pk, *(one.pk for one in others)]


LONG = 120_000  # ms, on a busy machine


# The first rows are those that the server would list now: what changed in hundreds comes a while after it is told of.
AS_LISTED = """async () => {
  const first = page => [...page.querySelectorAll("#rows .row:not(.leaving)")].slice(0, 40).map(row => row.id).join()
  const answer = await (await fetch(location.href)).text()
  return first(new DOMParser().parseFromString(answer, "text/html")) === first(document)
}"""


def tray(page: Page) -> str:
    return "#jobs .job >> nth=0"


def test_five_hundred_by_mouse_and_a_few_by_keyboard(open_as: Open, sana: Agent, many: list[int], worker: None) -> None:
    page = open_as(sana, "/?view=open")
    rows = page.locator("#rows .row")
    expect(rows).to_have_count(40)
    rows.first.hover()
    page.get_by_label(f"Select ticket #{many[-1]}", exact=True).check()
    page.get_by_label("Select all that are loaded").check()
    expect(page.locator("#selected-count")).to_have_text("Selected: 40")
    page.get_by_role("button", name="Select all 500 that match").click()
    expect(page.locator("#selected-said")).to_have_text("All 500 that match are selected.")
    page.get_by_role("button", name="Solve", exact=True).click()
    expect(page.locator("#bulk")).to_be_hidden()
    page.mouse.move(900, 500)  # the row under the pointer stays, whatever happens to it
    expect(page.locator(tray(page))).to_contain_text("500 changed.", timeout=LONG)
    expect(page.locator("#rows > .empty")).to_be_visible()
    assert Ticket.objects.filter(status=Status.SOLVED, waiting_since=None).count() == 500

    page.get_by_role("button", name="Undo").click()
    expect(page.locator(tray(page))).to_contain_text("500 put back.", timeout=LONG)
    page.mouse.move(900, 500)
    expect(rows.nth(39)).to_be_visible()  # or more: the end of a list that was short was in sight, and went on
    assert Ticket.objects.filter(status=Status.OPEN, waiting_since__isnull=False, reopen_count=0).count() == 500

    page.wait_for_function(AS_LISTED, polling=500)

    # By keyboard alone: three of them, while a colleague's change leaves the boxes as they are.
    page.locator("#rows .row .go").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("Shift+J")
    page.keyboard.press("Shift+J")
    expect(page.locator("#selected-count")).to_have_text("Selected: 3")
    picked = [int(box.get_attribute("value") or 0) for box in page.locator("#rows .pick > :checked").all()]
    page.keyboard.press("t")
    page.keyboard.type("sale")
    page.keyboard.press("Enter")
    expect(page.locator(tray(page))).to_contain_text("3 changed.")
    assert set(Ticket.objects.filter(tags=["sale"]).values_list("pk", flat=True)) == set(picked)
    page.keyboard.press("Control+z")
    expect(page.locator(tray(page))).to_contain_text("3 put back.")
    assert not Ticket.objects.exclude(tags=[]).exists()

    # What is left out says why, and its row comes back.
    page.locator("#rows .row .go").first.focus()
    page.keyboard.press("x")
    number = int(page.locator("#rows .pick > :checked").get_attribute("value") or 0)
    Ticket.objects.filter(pk=number).update(status=Status.CLOSED)
    page.keyboard.press("e")
    expect(page.locator(tray(page))).to_contain_text("1 left out.")
    expect(page.locator(tray(page))).to_contain_text(f"#{number}")
    assert Job.objects.count() == 5
