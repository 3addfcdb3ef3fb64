"""What agents write: kept through swaps, failures and second tabs, and never sent other than it stands there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Response, Route, expect

from inbox.actions import reply, tickets
from inbox.actions.work import Outcome
from inbox.models import Agent, Attachment, Draft, Message, Ticket
from tests.browser.conftest import Open, deafen
from tests.channels_social.test_answers import comment_on, on_whatsapp, open_channel

Mail = Callable[..., Outcome]


def outgoing() -> list[Message]:
    return list(Message.objects.filter(direction="out").order_by("pk"))


def second_tab(page: Page) -> Page:
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.locator("#live[data-on]").wait_for(state="attached")
    return tab


def drafted(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    expect(page.locator("#saved")).to_have_text("Draft kept")


def test_what_one_tab_sent_leaves_the_other(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    drafted(page, "On Thursday.")
    tab = second_tab(page)
    expect(tab.locator("#text")).to_have_value("On Thursday.")
    page.locator("#send").click()
    expect(page.locator(".message.out")).to_contain_text("On Thursday.")
    expect(tab.locator("#text")).to_have_value("")
    tab.locator("#text").fill("And it is blue.")
    tab.locator("#send").click()
    expect(tab.locator(".message.out")).to_have_count(2)
    assert [one.text for one in outgoing()] == ["On Thursday.", "And it is blue."]


def test_another_text_in_the_other_tab_stays_and_is_sent_too(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    drafted(page, "On Thursday.")
    tab = second_tab(page)
    tab.route("**/draft/", lambda route: route.abort())
    tab.locator("#text").fill("On Thursday, and it is blue.")
    page.locator("#send").click()
    expect(tab.locator(".message.out")).to_contain_text("On Thursday.")
    expect(tab.locator("#text")).to_have_value("On Thursday, and it is blue.")
    tab.locator("#send").click()
    expect(tab.locator(".message.out")).to_have_count(2)
    assert len(outgoing()) == 2


def test_a_tab_that_heard_of_nothing_is_told(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    client_id = page.locator("#client-id").input_value()
    deafen(page)
    reply.reply(Ticket.objects.get(pk=number), by=sana, text="On Thursday.", client_id=client_id)
    page.locator("#text").fill("On Friday.")
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_contain_text("An earlier version of this was already sent")
    expect(page.locator("#text")).to_have_value("On Friday.")
    assert page.locator("#client-id").input_value() != client_id
    page.locator("#send").click()
    expect(page.locator("#text")).to_have_value("")
    assert [one.text for one in outgoing()] == ["On Thursday.", "On Friday."]


def test_a_lost_answer_is_found_in_the_timeline(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/messages/", lose)
    page.locator("#text").fill("On Thursday.")
    page.locator("#send").click()
    expect(page.locator(".message.out")).to_contain_text("On Thursday.")
    expect(page.locator("#text")).to_have_value("")
    page.unroute("**/messages/")
    page.locator("#text").fill("And it is blue.")
    page.locator("#send").click()
    expect(page.locator(".message.out")).to_have_count(2)
    assert len(outgoing()) == 2


def test_files_and_recipients_wait_while_other_tickets_are_read(
    open_as: Open, sana: Agent, mail: Mail, tmp_path: Path
) -> None:
    first, second = mail("The first").ticket, mail("The second", sender="b@example.com").ticket
    page = open_as(sana, f"/tickets/{first}/")
    path = tmp_path / "label.txt"
    path.write_text("parcel label")
    page.locator("#composer [name=files]").set_input_files(path)
    expect(page.locator("#uploads [data-upload]")).to_contain_text("label.txt")
    page.locator("#recipients summary").click()
    page.locator("[name=to]").fill("Boss <boss@example.com>")
    page.locator("[name=bcc]").fill("quiet@example.com")
    page.locator(f"#row-{second}").click()
    expect(page.locator(f"#composer[data-ticket='{second}']")).to_be_visible()
    expect(page.locator("#uploads")).to_be_empty()
    expect(page.locator("#route-said")).to_contain_text("b@example.com")
    page.locator(f"#row-{first}").click()
    expect(page.locator("#uploads [data-upload]")).to_contain_text("label.txt")
    expect(page.locator("#route-said")).to_contain_text("boss@example.com")
    expect(page.locator("#route-said")).to_contain_text("quiet@example.com")
    page.reload()
    page.locator("#text").fill("See the file.")
    expect(page.locator("#strangers")).to_contain_text("boss@example.com")
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_contain_text("boss@example.com")
    page.locator("#send-anyway").click()
    expect(page.locator(".message.out .file")).to_contain_text("label.txt")
    (message,) = outgoing()
    assert [one["address"] for one in message.to + message.bcc] == ["boss@example.com", "quiet@example.com"]
    assert Attachment.objects.get().message_id == message.pk
    expect(page.locator("#uploads")).to_be_empty()


def test_the_closed_fields_say_whom_it_reaches(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    said = page.locator("#route-said")
    expect(said).to_contain_text("ayesha@example.com")
    page.locator("#recipients summary").click()
    page.locator("[name=to]").fill("Boss <boss@example.com>")
    page.locator("[name=cc]").fill("zain@example.com, Omar <omar@example.com>")
    page.locator("[name=bcc]").fill("quiet@example.com")
    page.keyboard.press("Escape")
    expect(said).not_to_contain_text("ayesha@example.com")
    for address in ("boss@example.com", "zain@example.com", "omar@example.com", "quiet@example.com"):
        expect(said).to_contain_text(address)


def test_what_is_typed_outlives_what_others_change(open_as: Open, sana: Agent, omar: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.locator("#recipients summary").click()
    page.locator("[name=cc]").fill("boss@example.com")
    page.locator("#tags-input").fill("delivery")
    ticket = Ticket.objects.get(pk=number)
    tickets.set_tags(ticket, ["theirs"], by=omar)
    tickets.set_subject(ticket, "Parcel lost", by=omar)
    reply.reply(ticket, by=omar, text="Hello", cc=[{"name": "", "address": "zain@example.com"}])
    expect(page.locator("#ticket-head h1")).to_have_text("Parcel lost")
    expect(page.locator(".message.out")).to_be_visible()
    expect(page.locator("#tags-input")).to_have_value("delivery")
    expect(page.locator("[name=cc]")).to_have_value("boss@example.com")
    expect(page.locator("#route-said")).to_contain_text("boss@example.com")
    page.locator("#tags-input").press("Enter")
    expect(page.locator("#timeline")).to_contain_text("Sana: tagged delivery")
    expect(page.locator("#tags-input")).to_have_value("")
    assert Ticket.objects.get(pk=number).tags == ["theirs", "delivery"]


def is_kept(answer: Response) -> bool:
    return answer.request.method == "POST" and answer.url.endswith("/draft/")


def test_a_template_goes_from_tab_to_tab_and_outlives_what_others_change(
    open_as: Open, sana: Agent, omar: Agent
) -> None:
    ticket = on_whatsapp()
    page = open_as(sana, f"/tickets/{ticket.pk}/")
    tab = second_tab(page)
    chosen, others = page.locator("[name='option.template']"), tab.locator("[name='option.template']")
    page.locator("#whatsapp-templates summary").click()
    chosen.select_option("order|en")
    with page.expect_response(is_kept):
        page.locator("[name='option.2']").fill("Ana")
    name = tab.locator("[name='option.2']")
    expect(name).to_have_value("Ana")
    expect(others).to_have_value("order|en")
    with tab.expect_response(is_kept):
        name.fill("Bina")
    expect(page.locator("[name='option.2']")).to_have_value("Bina")
    tab.route("**/draft/", lambda route: route.abort())
    name.fill("Chand")
    with page.expect_response(is_kept):
        page.locator("#discard").click()
    expect(chosen).to_have_value("")
    assert not Draft.objects.exists()
    reply.note(ticket, by=omar, text="She waits")
    expect(tab.locator("#timeline")).to_contain_text("She waits")
    expect(name).to_have_value("Chand")
    expect(others).to_have_value("order|en")
    with page.expect_response(is_kept):
        page.get_by_role("button", name="Undo").click()
    page.reload()
    expect(page.locator("[name='option.2']")).to_have_value("Bina")
    open_channel("sms")
    page.goto("/tickets/new/")
    page.get_by_label("Channel").select_option("sms")
    page.locator("#text").fill("Your parcel is here.")
    expect(page.locator("#count .figure")).to_have_text("20 / 1600")
    expect(page.locator("#count .sms")).to_have_text("1 SMS")


def test_what_was_chosen_comes_back_though_the_server_is_out_of_reach(open_as: Open, sana: Agent, omar: Agent) -> None:
    comment, talk = comment_on(open_channel("facebook", page_id="1")), on_whatsapp()
    page = open_as(sana, f"/tickets/{comment.pk}/")

    def undone() -> None:
        page.route("**/way/?*", lambda route: route.abort())
        page.get_by_role("button", name="Undo").click()

    page.locator("input[value='private']").check()
    with page.expect_response(is_kept):
        page.locator("#text").fill("In confidence")
    page.locator("#discard").click()
    expect(page.locator("input[value='public']")).to_be_checked()
    undone()
    expect(page.locator("#text")).to_have_value("In confidence")
    expect(page.locator("input[value='private']")).to_be_checked()
    page.unroute("**/way/?*")
    page.goto(f"/tickets/{talk.pk}/")
    page.locator("#live[data-on]").wait_for(state="attached")
    page.locator("#whatsapp-templates summary").click()
    page.locator("[name='option.template']").select_option("order|en")
    with page.expect_response(is_kept):
        page.locator("[name='option.2']").fill("Ana")
    page.locator("#discard").click()
    expect(page.locator("[name='option.2']")).to_have_count(0)
    with page.expect_event("requestfailed", lambda one: "/way/" in one.url):
        undone()
    page.unroute("**/way/?*")
    reply.note(talk, by=omar, text="She waits")
    expect(page.locator("[name='option.2']")).to_have_value("Ana")


def test_values_that_another_tab_overtook_are_offered_back(open_as: Open, sana: Agent) -> None:
    page = open_as(sana, f"/tickets/{on_whatsapp().pk}/")
    page.locator("#whatsapp-templates summary").click()
    page.locator("[name='option.template']").select_option("order|en")
    with page.expect_response(is_kept):
        page.locator("[name='option.2']").fill("Ana")
    tab = second_tab(page)
    tab.route("**/draft/", lambda route: route.abort())
    name = tab.locator("[name='option.2']")
    name.fill("Chand")
    with page.expect_response(is_kept):
        page.locator("[name='option.2']").fill("Bina")
    tab.unroute("**/draft/")
    name.fill("Chanda")
    expect(name).to_have_value("Bina")
    tab.get_by_role("button", name="Bring mine back").click()
    expect(name).to_have_value("Chanda")


def refusing(status: int) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, body="<h1>No</h1>")


def test_a_failure_stays_in_the_composer(open_as: Open, sana: Agent, mail: Mail) -> None:
    said = {403: "reload", 502: "may have been sent or not", 413: "Nothing was changed"}
    pages = [open_as(sana, f"/tickets/{mail(f'Where is parcel {status}?').ticket}/") for status in said]
    for page, (status, words) in zip(pages, said.items(), strict=True):
        page.route("**/messages/", refusing(status))
        page.locator("#text").fill("On Thursday.")
        page.locator("#send").click()
        expect(page.locator("#composer-problem")).to_contain_text(words)
        expect(page.locator(".notice")).to_have_count(0)
        expect(page.locator("#text")).to_have_value("On Thursday.")
    pages[-1].wait_for_timeout(10_000)  # longer than a notice stays
    for page in pages:
        expect(page.locator("#composer-problem")).to_be_visible()
        page.unroute("**/messages/")
        page.locator("#send").click()
        expect(page.locator(".message.out")).to_contain_text("On Thursday.")


def test_a_lost_server_and_a_late_one(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    page.route("**/messages/", lambda route: route.abort())
    page.locator("#text").fill("On Thursday.")
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_contain_text("cannot be reached")
    page.evaluate("htmx.config.defaultTimeout = 1000")
    page.unroute("**/messages/")
    page.route("**/messages/", lambda route: None)
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_contain_text("may have been sent or not")


def test_a_failed_action_claims_nothing_and_covers_no_composer(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    page.route("**/status/", lambda route: route.fulfill(status=504, body="late"))
    page.locator("#solve").click()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("may have been done or not")
    shown, composer = notice.bounding_box(), page.locator("#composer").bounding_box()
    assert shown and composer and shown["y"] + shown["height"] < composer["y"]
    close = notice.locator(".text-button")
    assert close.evaluate("e => getComputedStyle(e).color === getComputedStyle(e.parentElement).color")


def test_styles_that_others_set_are_not_copied(open_as: Open, sana: Agent, mail: Mail) -> None:
    """Spelling add-ons and the like style fields; htmx would copy that as an attribute, which the policy refuses."""
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    for name in ("text", "stream", "timeline", "composer"):
        page.locator(f"#{name}").evaluate("element => { element.style.color = 'red'; element.style.color = '' }")
    page.locator("#text").fill("On Thursday.")
    page.locator("#send").click()
    expect(page.locator(".message.out")).to_contain_text("On Thursday.")
    expect(page.locator("#text")).to_have_value("")
    page.locator("#rows .row").first.click()  # errors in the console fail the test
    expect(page.locator("#text")).to_be_visible()


def test_who_went_elsewhere_while_it_was_sent_stays_there(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    waiting: list[Route] = []
    page.route("**/messages/", lambda route: waiting.append(route))
    page.locator("#text").fill("On Thursday.")
    page.locator("#send").click()
    page.locator("[name=q]").focus()
    page.wait_for_function("document.querySelector('#text').readOnly")
    waiting[0].continue_()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("[name=q]")).to_be_focused()
