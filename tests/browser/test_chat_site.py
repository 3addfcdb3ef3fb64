"""The widget and the site that it stands on: who the site says it is, on how many devices; what a site says wrongly."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from playwright.sync_api import Browser, expect

from channels_chat.models import Chat, Visitor
from inbox.actions import reply
from inbox.models import Agent, Channel
from tests.browser.conftest import Server
from tests.browser.visitor import Wire, all_acknowledged, chat, opened, shop, soon, visit

__all__ = ["shop"]

HEARD = """() => {
  window.heard = []
  for (const name of ["open", "message"]) Rabta.on(name, told => heard.push(told?.text || name))
}"""


def test_on_a_second_device_they_are_in_the_same_chat(
    browser: Browser, server: Server, shop: Channel, sana: Agent
) -> None:
    """Both browsers were on the site, logged in, before anything was said."""
    shop.secrets = {"identity_secret": "a secret of the shop"}
    shop.settings = {**shop.settings, "prechat": [{"key": "order", "kind": "text", "label": {"en": "Order"}}]}
    shop.save()
    proof = hmac.new(b"a secret of the shop", b"7", hashlib.sha256).hexdigest()
    pages, complaints = [], []
    for _device in range(2):
        context, seen = visit(browser, server)
        page = context.new_page()
        wire = Wire(page)
        page.add_init_script(f"window.RabtaQueue = [['identify', {{id: '7', name: 'Ayesha'}}, '{proof}']]")
        page.goto("/sandbox/shop/")
        page.evaluate(HEARD)
        page.evaluate("Rabta.open()")
        soon(wire.welcomed, page)  # the form is there before it, and goes where the other one has begun by then
        expect(chat(page).locator(".cards input[name=order]")).to_be_visible()
        pages.append(page)
        complaints.append(seen)
    laptop, phone = pages
    for page, text in ((laptop, "Said at home"), (phone, "Said on the way")):
        chat(page).locator(".cards input[name=order]").fill("4711")
        chat(page).locator(".cards button.main").click()
        chat(page).locator(".write textarea").fill(text)
        chat(page).locator(".write textarea").press("Enter")
        expect(chat(page).locator(".own .under").last).to_contain_text("Sent")
        if page is laptop:
            reply.reply(Chat.objects.get().engagement.ticket, by=sana, text="I am looking")
            expect(chat(page).get_by_text("I am looking")).to_be_visible()
    for page in pages:
        expect(chat(page).locator(".bubble")).to_have_text(["Said at home", "I am looking", "Said on the way"])
        expect(chat(page).locator(".write textarea")).to_be_visible()
    reply.reply(Chat.objects.get().engagement.ticket, by=sana, text="It is there")
    for page, told in ((laptop, ["open", "I am looking", "It is there"]), (phone, ["open", "It is there"])):
        expect(chat(page).get_by_text("It is there")).to_be_visible()
        assert page.evaluate("heard") == told  # what was said before it was there is no news

    # A third one, which comes now, is in it at once, though its page says who they are after it has greeted; who logs
    # out there stays on the others.
    context, seen = visit(browser, server)
    third = context.new_page()
    wire = Wire(third, held=True)
    third.goto("/sandbox/shop/")
    third.evaluate("Rabta.open()")
    soon(lambda: bool(wire.held), third)
    third.evaluate("proof => Rabta.identify({id: '7'}, proof)", proof)
    wire.let_go()
    expect(chat(third).locator(".bubble")).to_have_count(4)
    expect(chat(third).locator(".write textarea")).to_be_visible()
    third.evaluate("Rabta.identify(null)")
    expect(chat(third).locator(".bubble")).to_have_count(0)
    chat(laptop).locator(".write textarea").fill("Thank you")
    chat(laptop).locator(".write textarea").press("Enter")
    expect(chat(phone).get_by_text("Thank you")).to_be_visible()
    assert Chat.objects.count() == 1
    assert [one for seen in (*complaints, seen) for one in seen if one != "socket"] == []
    for page in (*pages, third):
        page.context.close()


def test_each_tab_says_who_they_are(browser: Browser, server: Server, shop: Channel) -> None:
    """One of them has the connection; what the pages of the others say is said over it, also by the next greeting."""
    shop.secrets = {"identity_secret": "a secret of the shop"}
    shop.save()
    proofs = {one: hmac.new(b"a secret of the shop", one.encode(), hashlib.sha256).hexdigest() for one in "78"}
    context, seen = visit(browser, server)
    leads, follows = context.new_page(), context.new_page()
    wire = Wire(leads)

    def greetings() -> list[str]:
        return [one.get("user", {}).get("id", "") for one in wire.frames if one["t"] == "hi"]

    def told(kind: str) -> list[Any]:
        return [one[kind] for one in wire.frames if one["t"] == kind]

    def identify(one: str) -> None:
        follows.evaluate("([id, proof]) => Rabta.identify({id}, proof)", [one, proofs[one]])

    leads.goto("/sandbox/shop/")
    opened(leads)
    follows.add_init_script("window.RabtaQueue = [['attributes', {plan: 'gold'}]]")
    follows.goto("/sandbox/shop/")
    follows.evaluate("Rabta.open()")  # said before it had a way to say it
    soon(lambda: {"plan": "gold"} in told("attrs"), leads)
    identify("7")
    soon(lambda: bool(told("user")), leads)
    area = chat(follows).locator(".write textarea")
    area.fill("Mine")
    area.press("Enter")
    expect(chat(leads).get_by_text("Mine")).to_be_visible()
    all_acknowledged(follows)
    assert Visitor.objects.get().user == "7"

    # Somebody else logs in there: nothing of before is on either page, and the greeting says who it is.
    identify("8")
    soon(lambda: greetings() == ["", "8"], leads)
    for page in (leads, follows):
        expect(chat(page).locator(".bubble")).to_have_count(0)
    area.fill("Not mine")
    area.press("Enter")
    expect(chat(leads).locator(".bubble")).to_have_text(["Not mine"])
    all_acknowledged(follows)
    assert set(Visitor.objects.values_list("user", flat=True)) == {"7", "8"}
    follows.evaluate("Rabta.identify(null)")
    soon(lambda: greetings() == ["", "8", ""], leads)
    for page in (leads, follows):
        expect(chat(page).locator(".bubble")).to_have_count(0)
    assert [one for one in seen if one != "socket"] == []
    context.close()


def test_who_logs_out_while_it_greets_leaves_nothing(
    browser: Browser, server: Server, shop: Channel, sana: Agent
) -> None:
    """What the server says to the one who was there before is not shown to the next."""
    context, seen = visit(browser, server)
    page = context.new_page()
    wire = Wire(page)
    page.goto("/sandbox/shop/")
    area = opened(page)
    area.fill("Good morning")
    area.press("Enter")
    expect(chat(page).locator(".own .under")).to_contain_text("Sent")
    wire.held = []
    reply.reply(Chat.objects.get().engagement.ticket, by=sana, text="Your address is")
    page.evaluate("dispatchEvent(new Event('online'))")
    soon(lambda: any("welcome" in str(text) and "Your address is" in str(text) for text in wire.held or ()), page)
    page.evaluate("Rabta.identify(null)")
    wire.let_go()
    soon(lambda: [one["t"] for one in wire.frames].count("hi") == 3, page)
    expect(chat(page).locator(".bubble")).to_have_count(0)
    area.fill("Somebody else")
    expect(chat(page).locator(".bubble")).to_have_count(0)
    assert [bool(one["key"]) for one in wire.frames if one["t"] == "hi"] == [False, True, False]
    assert [one for one in seen if one != "socket"] == []
    context.close()


def test_on_a_site_where_it_is_not_open_it_shows_nothing(browser: Browser, server: Server, shop: Channel) -> None:
    shop.settings = {**shop.settings, "origins": ["https://shop.example"], "prechat": [{"key": "a", "kind": "text"}]}
    shop.save()
    context, _seen = visit(browser, server)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda line: told.append(line.text) if line.type == "warning" else None)
    context.grant_permissions(["local-network-access"])  # our server is on this machine, the site is not
    script = (
        f"<!doctype html><script src='{server.url}/chat/{shop.token}/widget.js'></script><script>Rabta.open()</script>"
    )
    page.route("http://127.0.0.5/", lambda route: route.fulfill(body=script, content_type="text/html"))
    page.goto("http://127.0.0.5/")
    expect(chat(page).locator(".banner")).to_have_text("This chat is not open on this site.")
    expect(chat(page).locator(".cards *")).to_have_count(0)
    expect(chat(page).locator(".write textarea")).to_be_hidden()
    assert told == ["Rabta: This chat is not open on this site. (4403)"]
    page.evaluate("Rabta.close()")
    page.evaluate(HEARD)
    page.evaluate("Rabta.open()")
    expect(chat(page).locator(".panel")).to_be_hidden()
    expect(chat(page).locator("button.launcher")).to_be_hidden()
    assert page.evaluate("heard") == []
    context.close()


def test_what_a_site_says_wrongly_is_told_to_its_builder(browser: Browser, server: Server, shop: Channel) -> None:
    context, seen = visit(browser, server)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda line: told.append(line.text) if line.type == "warning" else None)
    page.goto("/sandbox/shop/")
    for call in (
        'track("bad name!")',
        'track("bought", {basket: [1]})',
        "attributes({address: {city: 'Lahore'}, plan: 'gold', since: null})",
        'locale("fr")',
        'on("nonsense", () => {})',
        'track("bought", {price: 4})',
        'locale("en-GB")',
        'on("chat", () => {})',
    ):
        page.evaluate(f"() => {{ Rabta.{call} }}")
    assert told == [f"Rabta: {name} is dropped" for name in ("bad name!", "basket", "address", "fr", "nonsense")]
    assert [one for one in seen if one != "socket"] == []
    context.close()
