"""People in a real browser: from an invitation to log-ins with code and passkey; axe over their pages."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import BrowserContext, Page, expect

from inbox.models import Agent
from tests.browser.conftest import Open
from tests.browser.test_accessible import check

PASSWORD = "seven green parrots"


def code_of(secret: str, step: int = 0) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + step)))


def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.fill("#id_login", email)
    page.fill("#id_password", password)
    page.locator("form:has(#id_password) button").click()


def log_out(page: Page) -> None:
    page.locator(".profile summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")


def authenticator(context: BrowserContext, page: Page, *, verifies: bool = True) -> str:
    """A virtual authenticator in this page (Chrome DevTools Protocol, WebAuthn domain)."""
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal" if verifies else "usb",
        "hasResidentKey": verifies,
        "hasUserVerification": verifies,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    return str(devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])


def test_from_invitation_to_a_code(open_as: Open, zoya: Agent) -> None:
    page = open_as(zoya, "/settings/people/")
    page.get_by_role("link", name="Invite somebody").click()
    page.fill("[name=email]", "noor@example.org")
    page.fill("[name=name]", "Noor")
    page.get_by_role("radio", name="Manager").check()
    page.get_by_role("checkbox", name="Support").check()
    page.get_by_role("button", name="Invite").click()
    link = page.locator("#link").inner_text()

    guest = open_as(None, link.partition("localhost")[2].partition("/")[1] + link.split("/", 3)[3])
    guest.fill("[name=password]", PASSWORD)
    guest.get_by_role("button", name="Come in").click()
    guest.locator("#live[data-on]").wait_for(state="attached")
    page.goto("/settings/people/")
    expect(page.locator("main")).to_contain_text("noor@example.org")

    guest.goto("/settings/security/")
    guest.get_by_role("link", name="Set up app").click()
    guest.fill("#id_password", PASSWORD)  # is it you?
    guest.get_by_role("button", name="Go on").click()
    guest.get_by_text("No camera?").click()
    secret = guest.locator("#secret").inner_text()
    assert guest.locator(".qr img").evaluate("image => image.complete && image.naturalWidth > 0")
    guest.fill("[name=code]", code_of(secret))
    guest.get_by_role("button", name="Set up app").click()
    expect(guest.locator("#codes li")).to_have_count(10)
    recovery = guest.locator("#codes code").first.inner_text()
    guest.get_by_role("link", name="I have kept them").click()
    expect(guest.locator("main")).to_contain_text("10 codes left")
    log_out(guest)

    log_in(guest, "noor@example.org")
    expect(guest.get_by_role("heading", name="One more step")).to_be_visible()
    guest.fill("#id_code", code_of(secret, 1))
    guest.get_by_role("button", name="Log in").click()
    guest.locator("#live[data-on]").wait_for(state="attached")
    log_out(guest)
    log_in(guest, "noor@example.org")
    guest.fill("#id_code", recovery)
    guest.get_by_role("button", name="Log in").click()
    guest.locator("#live[data-on]").wait_for(state="attached")


@pytest.fixture
def person(sana: Agent) -> Agent:
    sana.set_password(PASSWORD)
    sana.save()
    return sana


def add_passkey(page: Page, *, alone: bool) -> None:
    page.goto("/settings/security/passkeys/add/")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.fill("[name=name]", "My phone")
    page.locator("[name=passwordless]").set_checked(alone)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/settings/security/codes/")
    page.goto("/settings/security/")
    expect(page.locator("main")).to_contain_text("My phone")
    expect(page.locator("main")).to_contain_text("logs in alone" if alone else "after the password")


def test_a_passkey_alone(open_as: Open, person: Agent) -> None:
    page = open_as(None, "/accounts/login/")
    log_in(page, person.email)
    page.locator("#live[data-on]").wait_for(state="attached")
    authenticator(page.context, page)
    add_passkey(page, alone=True)
    page.goto("/")
    log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.locator("#live[data-on]").wait_for(state="attached")
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None
    page.goto("/settings/security/")
    page.get_by_role("link", name="Remove").last.click()
    page.locator("a.button[href*='2fa/passkey']").click()  # is it you? by passkey this time
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("main")).not_to_contain_text("My phone")
    assert not Authenticator.objects.exists()


def test_a_passkey_after_the_password(open_as: Open, person: Agent) -> None:
    page = open_as(None, "/accounts/login/")
    log_in(page, person.email)
    page.locator("#live[data-on]").wait_for(state="attached")
    authenticator(page.context, page, verifies=False)
    add_passkey(page, alone=False)
    page.goto("/")
    log_out(page)
    log_in(page, person.email)
    page.get_by_role("button", name="Use a passkey").click()
    page.locator("#live[data-on]").wait_for(state="attached")


def test_no_passkey_is_said(open_as: Open, person: Agent) -> None:
    page = open_as(None, "/accounts/login/")
    authenticator(page.context, page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("[data-trouble]")).to_contain_text("no fitting passkey")


def test_ending_a_log_in_closes_its_page(open_as: Open, person: Agent) -> None:
    here, there = open_as(person, "/settings/security/"), open_as(person, "/")
    here.reload()
    here.get_by_role("button", name="End all others").click()
    here.locator("#confirm-yes").click()
    expect(there).to_have_url(re.compile("/accounts/login/"))
    expect(here.get_by_text("1 session ended.")).to_be_visible()


# axe -----------------------------------------------------------------------------------------------------------------


def test_axe_finds_nothing_on_the_way_in(open_as: Open, person: Agent) -> None:
    page = open_as(None, "/accounts/login/", color_scheme="dark", width=390)
    log_in(page, person.email)
    page.goto("/settings/security/app/")
    check(page)  # is it you?
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Go on").click()
    check(page)
    secret = page.locator("#secret").text_content() or ""
    page.fill("[name=code]", code_of(secret))
    page.get_by_role("button", name="Set up app").click()
    page.locator("#codes").wait_for()
    check(page)
    page.goto("/settings/security/passkeys/add/")
    check(page)
    page.goto("/")
    log_out(page)
    log_in(page, person.email)
    check(page)  # one more step
