"""A side conversation by keyboard: begun, gone on with, answered by mail, and nothing of it in the answer."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from inbox.actions.work import Outcome
from inbox.models import Agent, SideConversation, Ticket
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]


def test_a_side_conversation_by_keyboard(open_as: Open, mail: Mail, sana: Agent) -> None:
    number = mail("Where is my parcel?", "It said Tuesday.").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.keyboard.press("o")
    expect(page.locator("#sheet [name=to]")).to_be_focused()
    page.keyboard.type("store@warehouse.example")
    page.locator("#sheet [name=text]").focus()
    page.keyboard.type("Is it on your shelf?")
    page.keyboard.press("Control+Enter")
    fold = page.locator("details.aside")
    expect(fold).to_contain_text("Side conversation with store@warehouse.example")
    expect(page.locator("#sheet")).to_be_hidden()
    fold.locator("> summary").focus()
    page.keyboard.press("Enter")
    expect(fold.locator(".message")).to_have_count(1)
    field = fold.locator("textarea")
    field.fill("And the other one?")
    field.press("Control+Enter")
    expect(fold.locator(".message")).to_have_count(2)
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    held = SideConversation.objects.get()
    assert held.messages.count() == 2 and Ticket.objects.get(pk=number).first_replied_at is None
