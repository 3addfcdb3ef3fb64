"""Every page that the router knows, with something on it: axe in both themes and directions, zoomed to 400 %, targets.

A run in the CI opens each page in one language and one theme, turn about, and has axe read every third; `make axe` has
it read each in all four.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Page, expect

from api.actions import tokens
from channels_chat.sections import SECTIONS
from inbox import log
from inbox.actions import customer_notes, people, reply, tickets
from inbox.models import Agent, Brand, Field, Macro, Role, Tag, Team, Ticket
from inbox.search import follower
from lib import signing
from sandbox.phones import telegram_acts
from sandbox.phones.acts import Given
from sandbox.phones.models import Account, Line, Person, Platform
from sandbox.phones.telegram_base import add_line
from tests.browser.conftest import Open
from tests.cast import ticket
from tests.test_outsider import family, theirs

__all__ = ["theirs", "ticket"]

ALL = os.environ.get("AXE") == "all"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
LANGUAGES, SCHEMES = ["en", "ur"], ["light", "dark"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What answers with something else than a page of ours, or leads out of the session that walks; a page ugly on purpose.
LEFT_OUT = {"account_logout", "api-docs", "message-html", "mfa_download_recovery_codes", "sandbox:shop-hostile"}
PROGRAMS = {"api/v1/", "__debug__/", "telegram/", "twilio/"}
MORE = [
    "/?view=spam", "/?view=trash", "/?view=snoozed", "/?q=parcel", "/?q=zzzz", "/nowhere/",
    "/settings/channels/new/email/?provider=fastmail", "/customers/?q=khan", "/settings/channels/new/chat/",
    *(f"/settings/channels/theirs/chat/{one.key}/" for one in SECTIONS if one.key != "look"),
    "/settings/channels/theirs/chat/new/step/", "/reports/tickets/?figure=volume&part=n",
]  # fmt: skip


def problems(page: Page, *, within: str | None = None, colours: bool = False) -> list[Any]:
    """What axe finds that is serious or critical, and where."""
    only = {"type": "rule", "values": ["color-contrast"]} if colours else {"type": "tag", "values": WCAG}
    found = page.evaluate(
        """async ([within, options]) => {
          for (const _ of [1, 2]) await new Promise(done => requestAnimationFrame(done)) // of another theme, or size
          await Promise.allSettled(document.getAnimations().map(one => one.finished))
          return (await axe.run(within ?? document, options)).violations
        }""",
        [within, {"runOnly": only, "resultTypes": ["violations"], "iframes": False}],
    )
    return [
        (one["id"], one["help"], [(node["target"], node["html"][:160]) for node in one["nodes"]][:4])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def ready(page: Page) -> None:
    if page.locator("#live").count():
        page.locator("#live[data-on]").wait_for(state="attached")
    page.evaluate(AXE)


def read(page: Page, schemes: list[str]) -> list[Any]:
    """All of axe in the first theme, colours in the others, and whether the page fits when zoomed to 400 %."""
    if schemes:
        ready(page)
    found = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found += [(scheme, *one) for one in problems(page, colours=scheme != schemes[0])]
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 512})
    if over := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
        found.append(("wider than a screen of 320", over))
    page.set_viewport_size(size)  # type: ignore[arg-type]
    return found


def other_phones() -> list[str]:
    """The pages of the platforms that `phones` has brought beside the one that the router's names lead to."""
    accounts = Account.objects.exclude(platform="telegram")
    people = Person.objects.filter(account__in=accounts)
    found = [reverse("sandbox:phones-account", args=[pk]) for pk in accounts.values_list("pk", flat=True)]
    return found + [reverse("sandbox:phones-person", args=[pk]) for pk in people.values_list("pk", flat=True)]


def phones() -> dict[str, dict[str, Any]]:
    """A customer who has written to a bot, and been answered; and one on each other platform."""
    account = telegram_acts.telegram.open_bot("Karvaan", "karvaan_bot")
    ayesha = telegram_acts.meet(account, "Ayesha Khan")
    telegram_acts.start(account, ayesha, Given())
    add_line(account, ayesha, ours=True, text="Good morning", state="sent", payload={"buttons": [["Hello", "1"]]})
    for platform in set(Platform.values) - {"telegram"}:
        other = Account.objects.create(platform=platform, external_id=f"1-{platform}", name=f"Karvaan {platform}")
        bilal = Person.objects.create(account=other, external_id="+923001234567", name="Bilal", phone="+923001234567")
        Line.objects.create(account=other, person=bilal, external_id="l1", text="Is it there?")
        Line.objects.create(account=other, person=bilal, ours=True, external_id="l2", text="Yes", state="read")
        if platform in {"facebook", "instagram"}:
            post = {"account": other, "public": True}
            Line.objects.create(**post, ours=True, kind="post", external_id="p1", text="New shoes")
            Line.objects.create(**post, person=bilal, external_id="c1", thread="p1", text="How much?")
    return {"sandbox:phones": {"pk": account.pk}, "sandbox:phones-person": {"pk": ayesha.pk}}


@pytest.fixture
def places(
    theirs: dict[str, dict[str, Any]], ticket: Ticket, team: Team, sana: Agent, omar: Agent, zoya: Agent
) -> dict[str, dict[str, Any]]:
    """Something of everything, and for each family of routes the parameters that lead to it."""
    reply.note(ticket, by=omar, text="Ask the warehouse, @Sana.")
    tickets.set_priority(ticket, "urgent", by=omar)
    tickets.set_tags(ticket, ["delivery"], by=omar)
    Ticket.objects.filter(pk=ticket.pk).update(status="open")
    Ticket.objects.exclude(pk=ticket.pk).update(snoozed_until="2100-01-01T09:00Z")
    people.invite("noor@example.org", Role.LIGHT, by=zoya, name="Noor", teams=[team])
    _invitation, token = people.invite("tariq@example.org", Role.AGENT, by=zoya)
    log.record(None, "something_new", by=zoya, agent=sana.pk)
    tokens.create(zoya, scope="admin", name="Import", by=zoya)
    Authenticator.objects.create(user=zoya, type="totp", data={"secret": signing.seal("JBSWY3DPEHPK3PXP")})
    seed = {"seed": signing.seal("0" * 80), "used_mask": 0}
    Authenticator.objects.create(user=zoya, type="recovery_codes", data=seed)
    customer = theirs["customer"]
    Field.objects.create(noun="customer", key="crm", label="CRM")
    note = customer_notes.add(ticket.customer, "Calls back after five.", by=zoya)
    follower.write(list(Ticket.objects.values_list("number", flat=True)))
    return {
        **theirs,
        "settings-field": {"pk": Field.objects.create(noun="ticket", key="order", label="Order").pk},
        "settings-tag": {"pk": Tag.objects.order_by("pk").first().pk},
        "settings-brand": {"pk": Brand.objects.create(name="Store").pk},
        "settings-macro": {"pk": Macro.objects.create(name="Hello", text="Dear {{customer.first_name}}").pk},
        "settings-token": {"pk": 1},
        "filter": {"group": "status"},
        "reports-": {"key": "fcr"},
        "agent-photo": {"pk": zoya.pk},
        "customer": {**customer, "note": note.pk},
        "invitation": {"token": token},
        "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
        "mfa_": {"pk": 1},
        **phones(),
        "sandbox:": {"address": "ayesha@example.com", "pk": 1, "number": 1, "slug": "lamp", "step": "cart"},
    }


def routes(patterns: list[Any], space: str = "") -> Iterator[tuple[str, set[str]]]:
    """Names and parameters of all addresses, but for those of APIs, ours and emulated ones: programs read them."""
    for one in patterns:
        if isinstance(one, URLResolver):
            if str(one.pattern) not in PROGRAMS:
                yield from routes(one.url_patterns, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{space}{one.name}", set(one.pattern.regex.groupindex)


def pages_of(client: Client, places: dict[str, dict[str, Any]]) -> list[str]:
    """Addresses that answer with a whole page."""
    found = []
    for name, wanted in routes(get_resolver().url_patterns):
        if name in LEFT_OUT:
            continue
        known = places[family(name, places)] if wanted else {}
        path = reverse(name, kwargs={one: known[one] for one in wanted})
        answer = client.get(path)
        if answer.status_code == 200 and b"<html" in b"".join(answer)[:300]:
            found.append(path)
    return list(dict.fromkeys(found))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", LANGUAGES if ALL else ["both"])
def test_every_page(open_as: Open, places: dict[str, dict[str, Any]], zoya: Agent, language: str) -> None:
    client, stranger = Client(raise_request_exception=False), Client(raise_request_exception=False)
    client.force_login(zoya)
    page = open_as(zoya, "/", color_scheme="light", reduced_motion="reduce")
    guest = open_as(None, "/accounts/login/", color_scheme="light", reduced_motion="reduce")
    wrong: dict[str, Any] = {}
    seen = 0
    open_to_all = pages_of(stranger, places)
    own = [path for path in pages_of(client, places) if not path.startswith("/sandbox/")]  # is the same to both
    for reader, paths in ((page, [*own, *MORE]), (guest, [*open_to_all, *other_phones()])):
        for path in paths:
            seen += 1
            chosen = language if ALL else LANGUAGES[seen % 2]
            scheme = SCHEMES[seen // 2 % 2]
            schemes = SCHEMES if ALL else [scheme] if seen % 3 == 0 else []
            Agent.objects.update(language=chosen)
            reader.context.set_extra_http_headers({"Accept-Language": chosen})
            reader.emulate_media(color_scheme="light" if ALL else scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            reader.goto(path, wait_until="domcontentloaded")
            if found := read(reader, schemes):
                wrong[f"{path} {chosen}"] = found
    assert not wrong
    assert "/sandbox/phones/" in open_to_all
    assert len(other_phones()) == 2 * (len(Platform) - 1)
    assert seen > 50


@pytest.mark.parametrize(("scheme", "language"), [*([("light", "en")] if ALL else []), ("dark", "ur")])
def test_what_opens(
    open_as: Open, places: dict[str, dict[str, Any]], ticket: Ticket, zoya: Agent, scheme: str, language: str
) -> None:
    """Menus, folds, dialogs and sheets of the inbox, each as it stands open."""
    zoya.language = language
    zoya.save()
    page = open_as(zoya, f"/tickets/{ticket.pk}/", color_scheme=scheme, reduced_motion="reduce")
    ready(page)
    wrong = {}
    for at, fold in enumerate(page.locator("details").all()):
        if fold.evaluate("one => (one.open = true, one.checkVisibility())"):
            fold.evaluate("(one, at) => one.setAttribute('data-tried', at)", at)
            wrong[f"fold {fold.inner_text()[:40]}"] = problems(page, within=f"[data-tried='{at}']")
        fold.evaluate("one => (one.open = false)")
    for at, dialog in enumerate(page.locator("dialog:not(#sheet)").all()):
        dialog.evaluate("(one, at) => (one.setAttribute('data-asked', at), one.showModal())", at)
        wrong[f"dialog {at}"] = problems(page, within=f"[data-asked='{at}']")
        dialog.evaluate("one => one.close()")
    sheets = page.locator("[hx-target='#sheet']").evaluate_all("all => all.map(one => one.getAttribute('hx-get'))")
    for address in dict.fromkeys(one for one in sheets if one):
        page.evaluate("url => htmx.ajax('GET', url, { target: '#sheet', swap: 'innerHTML' })", address)
        expect(page.locator("#sheet[open]")).to_be_visible()
        expect(page.locator("#sheet :focus")).to_have_count(1)
        wrong[address] = problems(page, within="#sheet")
        page.keyboard.press("Escape")
        expect(page.locator("#sheet")).to_be_hidden()
    for change in page.locator("#who form.fact-edit[hx-get] button:visible").all()[:2]:
        change.click()
        expect(page.locator("#who [data-editing] :focus")).to_have_count(1)
        wrong["a fact"] = problems(page, within="#who")
        page.keyboard.press("Escape")
        expect(page.locator("#who [data-editing]")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette [role=option]").nth(5)).to_be_visible()
    wrong["palette"] = problems(page, within="#palette")
    page.keyboard.press("Escape")
    slow = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(one => {
          const { transitionDuration, animationDuration } = getComputedStyle(one)
          return [transitionDuration, animationDuration].join().split(",").some(time => parseFloat(time) > 0.02)
        }).map(one => one.outerHTML.slice(0, 80))"""
    )
    assert not {name: found for name, found in wrong.items() if found}
    assert not slow  # who asked for less motion gets none
    assert len(wrong) > 20
