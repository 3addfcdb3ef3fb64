"""Two agents on one ticket: each sees what the other does there; neither speaks past the other; a merge is followed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from inbox.actions.work import Outcome
from inbox.models import Agent, Message, Ticket
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]


def test_two_agents_on_one_ticket_by_keyboard(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    first = mail("Where is my parcel?", "One.").ticket
    number = mail("My parcel again", "Two.").ticket
    his = open_as(omar, "/?view=open")
    row = his.locator(f"#row-{number}")
    expect(row).to_have_class("row waiting unread")
    hers = open_as(sana, f"/tickets/{number}/")

    # Each sees the other: in the list, on the ticket, and in the act of writing.
    expect(row.locator(".others .does-view")).to_be_visible()
    expect(his.locator("#colleagues")).to_contain_text("Sana")
    his.keyboard.press("j")
    expect(row.locator(".go")).to_be_focused()
    his.keyboard.press("Enter")
    expect(his.locator("#others-here")).to_have_text("SASana is viewing")
    expect(hers.locator("#others-here")).to_contain_text("Omar is viewing")
    expect(row).not_to_have_class("row waiting unread")  # opened, hence read
    hers.keyboard.press("r")
    hers.keyboard.type("It comes tom")
    expect(his.locator("#others-here")).to_contain_text("Sana is writing a reply…")

    # He is quicker: it appears around what she types, and hers is asked about before it leaves.
    his.keyboard.press("r")
    his.keyboard.type("It comes today.")
    his.keyboard.press("Control+Enter")
    expect(hers.locator(".message.out")).to_contain_text("It comes today.")
    expect(hers.locator("#text")).to_have_value("It comes tom")
    expect(hers.locator("#text")).to_be_focused()
    hers.keyboard.type("orrow.")
    hers.keyboard.press("Control+Enter")
    question = hers.locator("#composer-problem")
    expect(question).to_contain_text("Omar")
    expect(question).to_contain_text("It comes today.")
    expect(question).to_be_focused()
    assert Message.objects.filter(direction="out").count() == 1
    hers.keyboard.press("Tab")
    expect(hers.locator("#send-anyway")).to_be_focused()
    hers.keyboard.press("Tab")
    hers.keyboard.press("Enter")  # write on
    expect(hers.locator("#text")).to_be_focused()
    hers.keyboard.press("Control+a")
    hers.keyboard.type("Or tomorrow.")
    hers.keyboard.press("Control+Enter")
    expect(hers.locator(".message.out")).to_have_count(2)
    sent = Message.objects.filter(direction="out").order_by("pk")
    assert [(one.agent, one.text) for one in sent] == [(omar, "It comes today."), (sana, "Or tomorrow.")]

    # What one merges, the other sees become part of another ticket.
    his.locator("#more-menu > summary").focus()
    his.keyboard.press("Enter")
    his.locator("#more-menu").get_by_role("link", name="Merge with another ticket").focus()
    his.keyboard.press("Enter")
    expect(his.locator("#merge-into")).to_be_focused()
    his.keyboard.type(str(first))
    expect(his.locator("#suggestions [role=option]").first).to_contain_text(f"#{first} Where is my parcel?")
    his.keyboard.press("ArrowDown")
    his.keyboard.press("Enter")
    expect(his.locator("#merge-into")).to_have_value(str(first))
    his.keyboard.press("Enter")
    expect(his.locator("#notices")).to_contain_text(f"#{number} was merged into #{first}.")
    expect(his.locator("#sheet")).to_be_hidden()
    expect(his.locator(":focus")).to_have_count(1)
    expect(hers.locator("#answer")).to_contain_text(f"This ticket was merged into #{first}.")
    expect(hers.locator(":focus")).to_have_count(1)
    hers.get_by_role("link", name=f"Open #{first}").focus()
    hers.keyboard.press("Enter")
    expect(hers.locator("#timeline .message")).to_have_count(4)
    expect(hers.locator(":focus")).to_have_count(1)
    assert Ticket.objects.get(pk=number).merged_into_id == first

    # By mouse: taken apart again; and who leaves is seen to leave.
    hers.locator("#timeline").get_by_role("button", name="Take apart").click()
    expect(hers.locator("#timeline .message")).to_have_count(1)
    expect(his.locator("#composer")).to_be_visible()
    hers.close()
    expect(his.locator("#colleagues")).not_to_contain_text("Sana")
