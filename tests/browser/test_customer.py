"""The customer beside a conversation, changed by keyboard where it stands, while others work on the same ticket."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone
from playwright.sync_api import expect

from inbox.actions import customer_notes, reply
from inbox.actions.work import Outcome
from inbox.models import Agent, Channel, Customer, CustomerNote, Identity, Ticket
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]


def test_facts_change_by_keyboard_and_nothing_typed_is_lost(
    open_as: Open, sana: Agent, omar: Agent, mail: Mail
) -> None:
    number = mail("Where is my parcel?").ticket
    ticket = Ticket.objects.get(pk=number)
    page = open_as(sana, f"/tickets/{number}/")
    who = page.locator("#who")
    change = who.get_by_role("button", name="Change: Name")
    change.focus()
    page.keyboard.press("Enter")
    field = who.get_by_label("Name", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("Somebody else")
    page.keyboard.press("Escape")
    expect(change).to_be_focused()
    assert Customer.objects.get().name == "Ayesha Khan"
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    # A colleague answers meanwhile: the panel is drawn anew around what is being typed.
    page.keyboard.type("Ayesha K")
    reply.note(ticket, by=omar, text="I am on it.")
    customer_notes.add(ticket.customer, "Omar knows her.", by=omar)
    expect(page.locator("#timeline")).to_contain_text("I am on it.")
    expect(who).to_contain_text("Omar knows her.")
    expect(field).to_have_value("Ayesha K")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(change).to_be_focused()
    expect(who.locator("#fact-name")).to_contain_text("Ayesha K")
    assert Customer.objects.get().name == "Ayesha K"
    # What is refused says so beside the field, which keeps what was typed.
    who.get_by_text("Add details").click()
    who.get_by_role("button", name="Change: Time zone").click()
    page.keyboard.type("Karachi")  # at once, while the form is on its way: none of it is a shortcut
    page.keyboard.press("Enter")
    expect(who.get_by_role("alert")).to_contain_text("is not a time zone")
    expect(who.get_by_label("Time zone", exact=True)).to_have_value("Karachi")
    expect(who.get_by_label("Time zone", exact=True)).to_be_focused()
    who.get_by_label("Time zone", exact=True).fill("Asia/Karachi")
    page.keyboard.press("Enter")
    expect(who.locator("#fact-time_zone")).to_contain_text("Asia/Karachi")
    who.get_by_text("Add note").click()
    who.get_by_label("Note on this customer").fill("Calls back after five.")
    who.get_by_role("button", name="Keep note").click()
    expect(who.locator(".customer-note").first).to_contain_text("Calls back after five.")
    assert CustomerNote.objects.count() == 2


def test_somebody_in_copy_is_taken_out_and_gone(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    who = page.locator("#who")
    who.get_by_label("Add somebody in copy").fill("boss@example.com")
    page.keyboard.press("Enter")
    expect(page.locator("#participants")).to_contain_text("boss@example.com")
    who.get_by_role("button", name="Take boss@example.com out").click()
    expect(page.locator("#participants")).to_have_count(0)
    expect(page.locator("#timeline")).to_contain_text("took somebody out of the conversation")


def test_who_is_picked_is_written_to_on_the_channel_they_prefer(
    open_as: Open, sana: Agent, support: Channel, mail: Mail
) -> None:
    mail("m1")
    texts = Channel.objects.create(kind="sms", name="Texts", slug="texts", settings={"account_sid": "AC1"})
    customer = Customer.objects.get()
    Identity.objects.create(customer=customer, kind="phone", value="+12025550177", verified_at=timezone.now())
    Customer.objects.update(preferred_channel=texts)
    page = open_as(sana, "/tickets/new/")
    channel, to = page.get_by_label("Channel"), page.get_by_label("To", exact=True)
    expect(channel).to_have_value("support")
    for chosen in ("texts", "support"):
        to.fill("")
        to.press_sequentially("ayes")
        page.get_by_role("option", name="Ayesha").first.click()
        expect(page.get_by_text("prefers Texts")).to_be_visible()
        expect(channel).to_have_value(chosen)
        channel.select_option("support")  # by hand: from now on it stays
    to.press_sequentially("x")  # that is somebody else
    expect(page.get_by_text("prefers Texts")).to_be_hidden()
