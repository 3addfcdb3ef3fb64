"""After the click: undo, a stale reply that is asked about, a draft on two devices, and going on to the next ticket."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from inbox.actions import reply
from inbox.actions.work import Outcome
from inbox.models import Agent, Draft, Message, Role, Ticket
from tests.browser.conftest import Open, deafen
from tests.channels_social.test_answers import comment_on, open_channel

Mail = Callable[..., Outcome]


def write(page: Page, text: str) -> None:
    page.locator("#text").fill(text)


def outgoing() -> list[str]:
    return list(Message.objects.filter(direction="out", deleted_at=None).order_by("pk").values_list("text", flat=True))


def test_undo_and_a_reply_that_is_asked_about(open_as: Open, sana: Agent, omar: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    write(page, "On Thursday.")
    page.locator("#text").press("Control+Enter")
    expect(page.locator(".waits")).to_contain_text("leaves in")
    page.locator(".waits [data-undo]").click()
    expect(page.locator("#text")).to_have_value("On Thursday.")
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator(".message.out")).to_have_count(0)
    deafen(page)
    reply.reply(Ticket.objects.get(pk=number), by=omar, text="I have it.")
    page.locator("#text").press("Control+Enter")
    question = page.locator("#composer-problem")
    expect(question).to_contain_text("Omar")
    expect(question).to_contain_text("I have it.")
    expect(page.locator("#text")).to_have_value("On Thursday.")
    assert outgoing() == ["I have it."]
    page.unroute("**/changes/*")
    page.keyboard.press("Control+Enter")  # twice in haste sends nothing
    expect(page.locator("#send-anyway")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".message.out")).to_have_count(2)
    assert outgoing() == ["I have it.", "On Thursday."]


def test_what_everybody_reads_is_asked_about_by_the_keys_that_send(open_as: Open, sana: Agent) -> None:
    page = open_as(sana, f"/tickets/{comment_on(open_channel('facebook', page_id='1')).pk}/")
    page.locator("#text").fill("It costs 30.")
    figure, sent = page.locator("#count .figure"), Message.objects.filter(direction="out")
    expect(figure).to_have_text("12 / 8000")
    page.locator("[name=files]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"x"})
    expect(page.locator(".uploads .bad")).to_contain_text("Files cannot be sent under a comment")
    page.locator("[data-remove-upload]").click()
    page.get_by_label("Privately by message").check()
    expect(figure).to_have_text("12 / 1999")
    page.locator("#text").fill("x" * 2001)
    expect(page.locator("#count .whole")).to_have_text("Too long by 2: this answer is one message")
    page.locator("#text").fill("It costs 30.")
    page.get_by_label("In public under the comment").check()
    page.locator("#text").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#send-anyway")).to_be_focused()
    assert not sent.exists()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message.out")).to_contain_text("It costs 30.")
    assert sent.get().payload["public"] is True
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.method == "POST" and "/comment/" in one.url else None)
    Agent.objects.update(role=Role.MANAGER)
    page.reload()
    delete, question = page.get_by_role("button", name="Delete", exact=True), page.locator("#confirm")
    delete.click()
    expect(question).to_contain_text("Delete this comment for everybody?")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(delete).to_be_focused()
    delete.press("Enter")
    expect(question).to_be_visible()
    assert not asked
    with page.expect_response("**/comment/delete/"):
        question.get_by_role("button", name="Delete").click()
    assert len(asked) == 1


def test_what_was_done_last_is_undone_first(open_as: Open, sana: Agent, mail: Mail) -> None:
    first, second = mail("The first").ticket, mail("The second", sender="b@example.com").ticket
    page = open_as(sana, f"/tickets/{first}/")
    page.locator("#solve").click()
    expect(page.locator("#jobs [data-undo]")).to_be_visible()
    page.locator(f"#row-{second} .go").click()
    expect(page.locator(f"#composer[data-ticket='{second}']")).to_be_visible()
    page.locator("#send-menu summary").click()
    page.locator("#send-menu label:has([name=after_send][value=list])").click()
    page.keyboard.press("Escape")
    write(page, "On Thursday.")
    page.locator("#text").press("Control+Enter")
    expect(page.locator("#notices [data-undo]")).to_be_visible()
    expect(page.locator("main.vacant")).to_be_visible()  # it has gone on
    page.keyboard.press("Control+z")
    expect(page.locator(f"#composer[data-ticket='{second}'] #text")).to_have_value("On Thursday.")
    assert Ticket.objects.get(pk=first).status == "solved"
    assert outgoing() == []


def test_a_draft_goes_from_device_to_device(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    with page.expect_response("**/draft/"):
        write(page, "On Thurs")
    phone = open_as(sana, f"/tickets/{number}/", width=390)
    expect(phone.locator("#text")).to_have_value("On Thurs")
    with phone.expect_response("**/draft/"):
        write(phone, "On Thursday")
    expect(page.locator("#text")).to_have_value("On Thursday")
    phone.context.set_offline(True)
    write(phone, "On Thursday, perhaps")
    with page.expect_response("**/draft/"):
        write(page, "On Friday")
    phone.context.set_offline(False)
    expect(phone.locator(".notice")).to_contain_text("changed in another tab or on another device")
    expect(phone.locator("#text")).to_have_value("On Friday")
    with phone.expect_response("**/draft/"):
        phone.get_by_role("button", name="Bring mine back").click()
    expect(phone.locator("#text")).to_have_value("On Thursday, perhaps")
    expect(page.locator("#text")).to_have_value("On Thursday, perhaps")
    page.locator("#send").click()
    expect(page.locator(".message.out")).to_be_visible()
    expect(phone.locator("#text")).to_have_value("")
    assert outgoing() == ["On Thursday, perhaps"] and not Draft.objects.exists()


def test_on_to_the_next_ticket_and_back_by_undo(open_as: Open, sana: Agent, mail: Mail) -> None:
    second, first = mail("The second").ticket, mail("The first", sender="b@example.com").ticket
    page = open_as(sana, "/?view=open")
    page.locator(f"#row-{first} .go").click()
    page.locator("#send-menu summary").click()
    page.locator(".segment", has_text="Next ticket").click()
    page.keyboard.press("Escape")
    write(page, "On Thursday.")
    page.locator("#text").press("Control+Enter")
    expect(page.locator(f"#composer[data-ticket='{second}']")).to_be_visible()
    expect(page.locator(f"#row-{second} .go")).to_be_focused()
    page.locator(".notice [data-undo]").click()
    expect(page.locator(f"#composer[data-ticket='{first}'] #text")).to_have_value("On Thursday.")
    sana.refresh_from_db()
    assert outgoing() == [] and sana.after_send == "next"
