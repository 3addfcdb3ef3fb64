"""Two agents on one ticket: each sees what the other does there, on the ticket and in the list, and when they leave."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from inbox.actions.work import Outcome
from inbox.models import Agent
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]


def test_two_agents_on_one_ticket_see_each_other(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    number = mail("Where is my parcel?").ticket
    lists = open_as(omar, "/?view=open")
    row = lists.locator(f"#row-{number}")
    expect(row).to_have_class("row waiting unread")
    hers = open_as(sana, f"/tickets/{number}/")
    expect(row.locator(".others .does-view")).to_be_visible()
    expect(lists.locator("#colleagues")).to_contain_text("Sana")
    row.click()
    expect(lists.locator("#others-here")).to_have_text("SASana is viewing")
    expect(hers.locator("#others-here")).to_contain_text("Omar is viewing")
    expect(row).not_to_have_class("row waiting unread")  # opened, hence read
    hers.locator("#text").fill("It comes tom")
    expect(lists.locator("#others-here")).to_contain_text("Sana is writing a reply…")
    lists.keyboard.press("u")
    expect(row.locator(".if-unread")).to_be_attached()
    expect(row).to_have_class("row waiting unread")
    hers.close()
    expect(lists.locator("#others-here")).to_be_empty()
    expect(row.locator(".others")).to_have_count(0)
