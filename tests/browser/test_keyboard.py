"""What an agent does all day, without touching the mouse: the focus is somewhere after every step."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from inbox.actions import sweeping
from inbox.actions.work import Outcome
from inbox.models import Agent, Event, Message, Ticket
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]
SHIFTS = """() => {
    window.shifts = 0
    const add = list => list.getEntries().forEach(one => (window.shifts += one.value))
    new PerformanceObserver(add).observe({ type: "layout-shift" })
}"""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def held(page: Page) -> None:
    """Something has the focus: of the body nothing is `:focus`."""
    expect(page.locator(":focus")).to_have_count(1)


def test_ten_tickets(open_as: Open, sana: Agent, mail: Mail) -> None:
    numbers = [mail(f"Question {n}", "Where is it?", f"Caller {n} <caller{n}@example.com>").ticket for n in range(10)]
    page = open_as(sana, "/?view=open")
    to = page.locator("#route-said")
    text = page.locator("#text")
    press(page, "j", "Enter")
    expect(to).to_contain_text("caller9@example.com")
    press(page, ".")
    expect(page.locator("#send-menu .panel")).to_be_visible()
    held(page)
    page.locator("#send-menu [name=after_send]:checked").focus()
    press(page, "ArrowRight")
    expect(page.locator("#send-menu [name=after_send][value=next]")).to_be_checked()
    press(page, "Escape")
    held(page)
    page.locator(f"#row-{numbers[9]} .go").focus()
    for n in reversed(range(10)):
        row = page.locator(f"#row-{numbers[n]} .go")
        expect(row).to_be_focused()
        expect(page.locator(f"#composer[data-ticket='{numbers[n]}']")).to_be_visible()
        expect(to).to_contain_text(f"caller{n}@example.com")
        press(page, "r")
        expect(text).to_be_focused()
        page.keyboard.type(f"Answer {n}")
        press(page, "Control+Shift+Enter" if n % 2 else "Control+Enter")
        expect(page.locator(f"#composer[data-ticket='{numbers[n]}']")).to_have_count(0)
        held(page)
    expect(page.locator("#rows .row:not(.leaving)")).to_have_count(0)
    held(page)
    sent = Message.objects.filter(direction="out").order_by("pk")
    assert [[one["address"] for one in message.to] for message in sent] == [
        [f"caller{n}@example.com"] for n in reversed(range(10))
    ]
    assert [message.text for message in sent] == [f"Answer {n}" for n in reversed(range(10))]
    assert list(sent.values_list("ticket__number", flat=True)) == numbers[::-1]
    solved = set(Ticket.objects.filter(status="solved").values_list("number", flat=True))
    assert solved == {numbers[n] for n in (9, 7, 5, 3, 1)}


def test_what_is_typed_ahead(open_as: Open, sana: Agent, mail: Mail) -> None:
    """One who knows the keys does not wait for the page: keys go to what comes, and if it does not come, nowhere."""
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, "/?view=open")
    waiting: list[Route] = []
    page.route(f"**/tickets/{number}/", lambda route: waiting.append(route))
    press(page, "j")
    with page.expect_request(f"**/tickets/{number}/"):
        press(page, "Enter")
    page.keyboard.type("resee to it")  # r, and then what is no shortcut: an e would solve
    press(page, "Control+Enter", "Control+Enter")
    waiting[0].continue_()
    expect(page.locator(".message.out")).to_contain_text("esee to it")
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#stream")).to_be_focused()
    page.route("**/sides/", lambda route: waiting.append(route))
    with page.expect_request("**/sides/"):
        press(page, "o")
    press(page, "e", "a")
    waiting[1].abort()
    expect(page.locator(".notice")).to_contain_text("cannot be reached")
    expect(page.locator("#stream")).to_be_focused()
    assert Ticket.objects.get().status == "pending"
    press(page, "e")
    expect(page.locator("#ticket-head .head-facts")).to_contain_text("Solved")
    held(page)
    assert Message.objects.filter(direction="out").count() == 1


def test_what_is_typed_for_a_ticket_that_does_not_come(open_as: Open, sana: Agent, mail: Mail) -> None:
    """A key waits for the one answer that it was meant for: no other ticket is solved by it, whatever comes or fails.

    And the tickets that come do not jump as they open, with mails whose height is not known before.
    """
    html = "<p>Where is it?</p>" * 12
    numbers = [mail(f"Question {n}", sender=f"Caller {n} <caller{n}@example.com>", html=html).ticket for n in range(3)]
    for n, number in enumerate(numbers):
        mail(f"Re: Question {n} #{number}", "It is still not here.", f"Caller {n} <caller{n}@example.com>")
    page = open_as(sana, "/?view=open")
    page.evaluate(SHIFTS)
    waiting: dict[str, Route] = {}
    posts: list[str] = []
    page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)

    def ask(place: Locator, address: str, *, pointer: bool = True) -> None:
        page.route(address, lambda route: waiting.update({address: route}))
        with page.expect_request(re.compile(r"/(tickets/\d+|facts/name)/$")) as asked:
            place.click() if pointer else place.evaluate("link => link.click()")
        assert asked.value.url.endswith(address.removeprefix("**"))

    def row(n: int) -> tuple[Locator, str]:
        return page.locator(f"#row-{numbers[n]} .go"), f"**/tickets/{numbers[n]}/"

    def shown(n: int) -> None:
        expect(page.locator(f"#composer[data-ticket='{numbers[n]}']")).to_be_visible()

    # The pointer asks for another one: what was typed was not for that. The last of three is the one that stays.
    for n in (0, 1, 2):
        ask(*row(n))
        press(page, *("e" if n < 2 else "r"))
    for n in (2, 1, 0):
        waiting.pop(row(n)[1]).continue_()
    shown(2)
    expect(page.locator("#text")).to_be_focused()
    press(page, "Escape")
    expect(page.locator("#timeline iframe.mail")).to_have_attribute("style", re.compile("block-size"))
    # A ticket does not come, and a fact of the one that stands there does: the keys were for the ticket.
    fact, address = page.get_by_role("button", name="Change: Name"), "**/facts/name/"
    ask(fact, address)
    ask(*row(0), pointer=False)
    assert page.evaluate("shifts") < 0.01
    press(page, "e")
    with page.expect_event("requestfailed"):
        waiting.pop(row(0)[1]).abort()
    waiting.pop(address).continue_()
    expect(page.locator("#fact-value")).to_have_value("Caller 2")
    page.locator("#fact-name [data-leave]").click()
    # The other way round they are not lost.
    ask(fact, address)
    ask(*row(1), pointer=False)
    page.keyboard.type("reseen")
    with page.expect_event("requestfailed"):
        waiting.pop(address).abort()
    waiting.pop(row(1)[1]).continue_()
    shown(1)
    expect(page.locator("#text")).to_have_value("eseen")
    assert not [one for one in posts if one.endswith("/status/")]


def test_what_is_done_to_the_open_ticket_is_taken_back(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    facts = page.locator("#ticket-head .head-facts")
    page.locator("#solve").click()
    expect(facts).to_contain_text("Solved")
    expect(page.locator("#jobs")).to_contain_text("Status: Solved")
    page.keyboard.press("Control+z")
    expect(facts).not_to_contain_text("Solved")
    ticket = Ticket.objects.get(pk=number)
    assert (ticket.status, ticket.reopen_count, ticket.solved_at) == ("open", 0, None)


def test_snooze_and_return(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    later = mail("An invoice", sender="b@example.com").ticket
    page = open_as(sana, "/?view=open")
    row, other = page.locator(f"#row-{number}"), page.locator(f"#row-{later}")
    press(page, "j", "j", "Enter")
    expect(page.locator(f"#composer[data-ticket='{number}']")).to_be_visible()
    press(page, "s")
    expect(page.locator("#snooze-when")).to_be_focused()
    page.keyboard.type("in 3 days at 9")
    expect(page.locator("#snooze-understood")).to_contain_text("9:00")
    press(page, "Enter")
    expect(page.locator("#ticket-head .head-facts")).to_contain_text("9:00")
    held(page)
    press(page, "g", "z")
    expect(page.locator("#list h2").first).to_have_text("Snoozed")
    expect(row).to_be_visible()
    held(page)
    press(page, "g", "o")
    expect(page.locator("#list h2").first).to_have_text("Open")
    expect(other).to_be_visible()
    expect(row).to_have_count(0)
    # The customer writes: it is back at once, and says why.
    mail(f"Re: Where is my parcel? #{number}", "It is not here yet.")
    expect(row).to_contain_text("It is not here yet.")
    assert Ticket.objects.get(pk=number).snoozed_until is None
    # By mouse, and until its time is over.
    other.locator(".go").click()
    expect(page.locator(f"#composer[data-ticket='{later}']")).to_be_visible()
    page.locator("#snooze-menu summary").click()
    page.locator("#snooze-presets .option").first.click()
    expect(page.locator("#ticket-head .head-facts .chip svg")).to_be_visible()
    row.locator(".go").click()
    page.mouse.move(900, 500)  # a short list waits for the pointer to go
    expect(other).to_have_count(0)
    Ticket.objects.filter(pk=later).update(snoozed_until=timezone.now() - timedelta(seconds=1))
    assert sweeping.end_snoozes() == 1
    expect(other).to_be_visible()
    assert Event.objects.filter(kind__startswith="snooze").count() >= 2


def test_urdu_from_log_in_to_reply(open_as: Open, sana: Agent, mail: Mail) -> None:
    sana.set_password("correct horse battery")
    sana.language = "ur"
    sana.save()
    number = mail("میرا پارسل کہاں ہے؟", "منگل کو آنا تھا۔", "عائشہ خان <ayesha@example.com>").ticket
    page = open_as(None, "/", locale="ur-PK")
    html = page.locator("html")
    expect(html).to_have_attribute("dir", "rtl")
    expect(page.locator("#id_login")).to_be_focused()
    page.keyboard.type("sana@example.org")
    press(page, "Tab")
    page.keyboard.type("wrong")
    press(page, "Enter")
    expect(page.locator(".errorlist")).to_be_visible()
    held(page)
    press(page, "Tab")
    page.keyboard.type("correct horse battery")
    press(page, "Enter")
    page.locator("#live[data-on]").wait_for(state="attached")
    expect(html).to_have_attribute("dir", "rtl")
    expect(page.locator("#views h1")).to_have_text("ان باکس")
    views, listing = page.locator("#views").bounding_box(), page.locator("#list").bounding_box()
    assert views and listing and views["x"] > listing["x"]
    press(page, "j", "Enter")
    expect(page.locator("#ticket-head h1")).to_have_text("میرا پارسل کہاں ہے؟")
    press(page, "r")
    editor = page.locator("#prose")
    expect(editor).to_be_focused()
    page.keyboard.type("آپ کا پارسل جمعرات کو پہنچے گا۔")
    assert editor.locator("p").evaluate("e => getComputedStyle(e).direction") == "rtl"
    press(page, "Control+Enter")
    expect(page.locator(".message.out")).to_contain_text("جمعرات")
    held(page)
    message = Message.objects.get(direction="out")
    assert message.text == "آپ کا پارسل جمعرات کو پہنچے گا۔"
    assert [one["address"] for one in message.to] == ["ayesha@example.com"]
    assert message.ticket.number == number
    page.locator(".profile summary").focus()
    press(page, "Enter")
    page.locator(".profile form[action*=logout] button").focus()
    press(page, "Enter")
    expect(page.locator("#id_login")).to_be_focused()


def test_keys_are_about_the_row_in_focus(open_as: Open, sana: Agent, mail: Mail, worker: None) -> None:
    """Not about the ticket that is open beside it, which one does not look at."""
    numbers = [mail(f"Question {n}", sender=f"Caller {n} <caller{n}@example.com>").ticket for n in range(3)]
    page = open_as(sana, "/?view=open")
    press(page, "j", "Enter")
    expect(page.locator("#route-said")).to_contain_text("caller2@example.com")
    page.locator(f"#row-{numbers[2]} .go").focus()
    press(page, "j", "e")
    expect(page.locator("#jobs .job").first).to_contain_text(f"#{numbers[1]}")
    assert dict(Ticket.objects.values_list("number", "status")) == {
        numbers[0]: "open",
        numbers[1]: "solved",
        numbers[2]: "open",
    }
    expect(page.locator(f"#row-{numbers[0]} .go")).to_be_focused()
    press(page, "Control+z")
    expect(page.locator("#jobs .job").first).to_contain_text("is as it was")
    assert not Ticket.objects.exclude(status="open").exists()
    page.locator(f"#row-{numbers[0]} .go").focus()
    press(page, "r")
    page.keyboard.type("Answer")
    expect(page.locator("#text")).to_have_value("Answer")
    expect(page.locator("#route-said")).to_contain_text("caller0@example.com")
