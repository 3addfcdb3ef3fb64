"""What changes elsewhere appears by itself, moves nothing under the pointer, and loses nothing that is being typed."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone
from playwright.sync_api import APIResponse, Page, Route, expect

from inbox.actions import reply, tickets
from inbox.actions.work import Outcome
from inbox.models import Agent, Channel, Message, Ticket
from tests.browser.conftest import Open, Server

Mail = Callable[..., Outcome]


def test_a_new_ticket_appears_by_itself(open_as: Open, mail: Mail, sana: Agent) -> None:
    page = open_as(sana, "/?view=open")
    expect(page.locator(".rows .empty")).to_be_visible()
    outcome = mail("Where is my parcel?", "It said Tuesday.")
    row = page.locator(f"#row-{outcome.ticket}")
    expect(row).to_contain_text("Where is my parcel?")
    expect(row).to_contain_text("It said Tuesday.")
    expect(page.locator(".views [data-count=open]")).to_have_text("1")


def test_an_outsider_hears_nothing(open_as: Open, mail: Mail, sana: Agent, bilal: Agent) -> None:
    outside, inside = open_as(bilal, "/?view=open"), open_as(sana, "/?view=open")
    frames: list[str] = []
    outside.on("websocket", lambda socket: socket.on("framereceived", lambda payload: frames.append(str(payload))))
    outside.reload()
    outside.locator("#live[data-on]").wait_for(state="attached")
    outcome = mail("A secret", "Not for everybody.")
    expect(inside.locator(f"#row-{outcome.ticket}")).to_be_visible()
    inside.wait_for_timeout(400)
    assert outside.locator(".row").count() == 0
    assert not [frame for frame in frames if "secret" in frame or "Ayesha" in frame]


def test_a_colleagues_change_is_seen(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    number = mail("Where is my parcel?").ticket
    hers, his = open_as(sana, f"/tickets/{number}/"), open_as(omar, f"/tickets/{number}/")
    his.keyboard.press("a")
    his.get_by_role("button", name="Take it myself").click()
    expect(hers.locator("#assign-menu summary")).to_contain_text("Omar")
    his.locator("#solve").click()
    expect(hers.locator("#ticket-head")).to_contain_text("Solved")
    expect(hers.locator("#timeline")).to_contain_text("Omar: took the ticket, now Solved")


def test_a_solved_ticket_leaves_the_open_list(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, "/?view=open")
    expect(page.locator(f"#row-{number}")).to_be_visible()
    tickets.set_status(Ticket.objects.get(pk=number), "solved", by=omar)
    expect(page.locator(f"#row-{number}")).to_have_count(0)
    expect(page.locator(".rows .empty")).to_be_visible()


def test_a_row_that_changes_as_it_is_clicked_opens(open_as: Open, mail: Mail, sana: Agent) -> None:
    numbers = [mail(f"Question {n}", sender=f"c{n}@example.com").ticket for n in range(2)]
    page = open_as(sana, "/?view=open")
    page.locator(f"#row-{numbers[1]} .go").focus()  # the press takes the focus away from here
    page.locator(f"#row-{numbers[0]} .preview").hover()
    page.mouse.down()
    mail(f"Re: Question 0 #{numbers[0]}", "It is still not here.", sender="c0@example.com")
    mail(f"Re: Question 1 #{numbers[1]}", "Nor is mine.", sender="c1@example.com")
    expect(page.locator(f"#row-{numbers[1]}")).to_contain_text("Nor is mine.")  # what came before it is there, too
    page.mouse.up()
    expect(page.locator(f"#composer[data-ticket='{numbers[0]}']")).to_be_visible()
    expect(page.locator(f"#row-{numbers[0]}")).to_contain_text("It is still not here.")


def test_a_press_whose_end_nobody_saw_holds_nothing_back(open_as: Open, mail: Mail, sana: Agent) -> None:
    numbers = [mail(f"Question {n}", sender=f"c{n}@example.com").ticket for n in range(2)]
    page = open_as(sana, "/?view=open")
    rows = [page.locator(f"#row-{number}") for number in numbers]
    rows[0].dispatch_event("pointerdown")
    for n, number in enumerate(numbers):
        mail(f"Re: Question {n} #{number}", f"Still waiting, {n}.", sender=f"c{n}@example.com")
    expect(rows[1]).to_contain_text("Still waiting, 1.")
    expect(rows[0]).not_to_contain_text("Still waiting")
    rows[1].dispatch_event("pointerdown")
    expect(rows[0]).to_contain_text("Still waiting, 0.")


def test_the_row_under_the_pointer_stays_where_it_is(open_as: Open, mail: Mail, sana: Agent) -> None:
    numbers = [mail(f"Question {n}", sender=f"c{n}@example.com").ticket for n in range(15)]
    page = open_as(sana, "/?view=open")
    held = page.locator(f"#row-{numbers[10]}")
    held.hover()
    before = held.bounding_box()
    outcome = mail("Another one", sender="late@example.com")
    expect(page.locator(f"#row-{outcome.ticket}")).to_have_count(1)
    page.wait_for_timeout(500)
    after = held.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2


def test_a_draft_outlives_swaps_and_reloads(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    box = page.locator("#text")
    box.fill("I am still wri")
    box.evaluate("box => box.setSelectionRange(4, 4)")
    reply.note(Ticket.objects.get(pk=number), by=omar, text="Omar was here")
    expect(page.locator("#timeline")).to_contain_text("Omar was here")
    expect(box).to_have_value("I am still wri")
    expect(box).to_be_focused()
    assert box.evaluate("box => box.selectionStart") == 4
    page.wait_for_timeout(400)
    page.reload()
    expect(page.locator("#text")).to_have_value("I am still wri")


def test_delivery_ticks_follow(open_as: Open, mail: Mail, sana: Agent) -> None:
    from inbox.actions import messages
    from inbox.models import DeliveryState

    number = mail("Where is my parcel?").ticket
    sent = reply.reply(Ticket.objects.get(pk=number), by=sana, text="On its way.")
    page = open_as(sana, f"/tickets/{number}/")
    ticks = page.locator(f"#m-{sent.pk} .ticks")
    expect(ticks).to_contain_text("queued")
    from django.db import transaction

    for state, words in (
        (DeliveryState.SENDING, "sending"),
        (DeliveryState.SENT, "sent"),
        (DeliveryState.READ, "read"),
    ):
        with transaction.atomic():
            messages.advance(messages.lock(sent.pk), state)
        expect(ticks).to_contain_text(words)


def test_after_a_lost_connection_the_page_catches_up(
    open_as: Open, mail: Mail, sana: Agent, omar: Agent, server: Server
) -> None:
    """It says so, keeps a reply that is tried meanwhile, and then has all there is, once, in its order."""
    number = mail("The first").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.locator("#text").fill("On Thursday.")
    server.stop()
    expect(page.locator(".offline")).to_be_visible(timeout=30000)
    page.locator("#text").press("Control+Enter")
    expect(page.locator("#composer-problem")).to_contain_text("What you wrote is kept here")
    expect(page.locator("#text")).to_have_value("On Thursday.")
    reply.note(Ticket.objects.get(pk=number), by=omar, text="Written meanwhile")
    late = [mail(f"Late {n}", sender=f"late{n}@example.com").ticket for n in range(3)]
    server.start()
    expect(page.locator(".offline")).to_be_hidden(timeout=30000)
    expect(page.locator(f"#row-{late[0]}")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Written meanwhile")
    expect(page.locator("#text")).to_have_value("On Thursday.")
    rows = "[...document.querySelectorAll('#rows .row')].map(row => Number(row.dataset.number))"
    assert page.evaluate(rows) == [*reversed(late), number]
    page.locator("#text").press("Control+Enter")
    expect(page.locator("#timeline .message.out")).to_contain_text("On Thursday.")
    shown = "[...document.querySelectorAll('#timeline .message')].map(one => Number(one.id.slice(2)))"
    assert page.evaluate(shown) == list(
        Message.objects.filter(ticket=number).order_by("pk").values_list("pk", flat=True)
    )


def test_an_old_answer_does_not_hide_what_came_meanwhile(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    """A list and a conversation that were read before a change, and come after the page has heard of it."""
    first, second = mail("The first").ticket, mail("The second", sender="b@example.com").ticket
    page = open_as(sana, "/?view=open")
    page.evaluate(
        """() => {
            const say = (name, value) => document.body.dataset[name] = value
            const on = (name, what) => document.addEventListener(name, ({ detail }) => what(detail))
            on("htmx:before:ws:message", ({ message }) => say("heard", message.json?.changed))
            on("htmx:after:swap", ({ ctx }) => say("swapped", ctx.target?.id))
        }"""
    )
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/?view=open", lambda route: held.append((route, route.fetch())))
    page.route(f"**/tickets/{second}/", lambda route: held.append((route, route.fetch())))

    def answered(swapped: str) -> None:
        route, answer = held.pop()
        route.fulfill(response=answer)
        expect(page.locator(f"body[data-swapped={swapped}]")).to_be_attached()

    def asked(link: str) -> None:
        page.locator(link).click()
        while not held:
            page.wait_for_timeout(20)

    asked(".views a[href='/?view=open']")
    tickets.set_status(Ticket.objects.get(pk=first), "solved", by=omar)
    expect(page.locator(f"#row-{first}")).to_have_count(0)
    answered("list")
    expect(page.locator(f"#row-{first}")).to_have_count(0)
    asked(f"#row-{second} .go")
    reply.note(Ticket.objects.get(pk=second), by=omar, text="Written meanwhile")
    expect(page.locator(f"body[data-heard='{second}']")).to_be_attached()
    answered("conversation")
    expect(page.locator("#timeline")).to_contain_text("Written meanwhile")


def test_more_than_one_page_of_changes_at_once(open_as: Open, support: Channel, mail: Mail, sana: Agent) -> None:
    page: Page = open_as(sana, "/?view=open")
    last = [mail(f"Question {n}", sender=f"c{n}@example.com").ticket for n in range(30)][-1]
    expect(page.locator(f"#row-{last}")).to_be_visible()
    expect(page.locator("#rows .row")).to_have_count(30)
    first = page.locator("#rows .row").first
    expect(first).to_have_id(f"row-{last}")


def test_a_short_list_waits_for_the_pointer_to_go(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    number = mail("The first").ticket
    page = open_as(sana, "/?view=open")
    held = page.locator(f"#row-{number}")
    held.hover()
    before = held.bounding_box()
    second = mail("The second", sender="late@example.com").ticket
    expect(page.locator("#fresh")).to_be_visible()
    assert held.bounding_box() == before
    tickets.set_priority(Ticket.objects.get(pk=number), "urgent", by=omar)  # what the pointer is on is drawn anew
    expect(held).to_have_attribute("data-priority", "urgent")
    page.mouse.move(900, 500)
    expect(page.locator("#rows .row").first).to_have_id(f"row-{second}")


FAILING = {"in_failing_since": timezone.now(), "in_error": "Connection refused by mail.example.org, port 993. " * 3}


def test_what_fails_takes_one_line_and_leads_to_its_channel(
    open_as: Open, support: Channel, mail: Mail, sana: Agent, zoya: Agent
) -> None:
    number = mail("Where is my parcel?", "It said Tuesday.\n" * 60).ticket
    for n in range(5):
        Channel.objects.create(kind="email", name=f"Shop {n}", slug=f"shop-{n}", **FAILING)
    Channel.objects.filter(pk=support.pk).update(**FAILING)
    page = open_as(zoya, f"/tickets/{number}/", width=390, height=844)
    strip = page.locator("#problems")
    assert strip.bounding_box()["height"] < 60
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    left = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    assert page.locator("#stream").evaluate(left) < 2  # the newest message is in sight, though the strip came later
    expect(strip.get_by_role("link", name="Shop 3")).to_be_hidden()
    strip.locator("summary").click()
    link = strip.get_by_role("link", name="Shop 3")
    expect(link).to_have_attribute("href", "/settings/channels/shop-3/")
    expect(strip.locator("li")).to_have_count(int(strip.locator("strong").inner_text().split()[0]))
    page.evaluate("htmx.ajax('GET', '/problems/', { target: '#problems', swap: 'innerMorph' })")
    page.wait_for_load_state("networkidle")
    expect(link).to_be_visible()  # what was unfolded stays so
    assert page.locator("#stream").evaluate(left) < 2
    link.click()
    expect(page.locator("h1")).to_have_text("Shop 3")
    hers = open_as(sana, f"/tickets/{number}/").locator("#problems")
    hers.locator("summary").click()
    expect(hers.locator("li").filter(has_text="Support")).to_be_visible()
    expect(hers.get_by_role("link")).to_have_count(0)
