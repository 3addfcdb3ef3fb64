"""Webhooks and tokens in the settings: made, tried, turned off and deleted with a mouse; and axe on what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from api.actions import tokens, webhooks
from api.models import ApiToken, Webhook
from api.webhooks import delivery
from inbox.models import Agent
from tests.browser.conftest import Open
from tests.browser.test_accessible import check
from tests.servers import receiver as receivers
from tests.servers.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.running() as running:
        yield running


def test_from_making_to_deleting(open_as: Open, zoya: Agent, receiver: Receiver) -> None:
    page = open_as(zoya, "/settings/webhooks/")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Name").fill("Order system")
    page.get_by_label("Address").fill(receiver.url("/status/500"))
    page.get_by_label("All, and those that later versions add").check()
    expect(page.locator(".event-groups")).to_be_hidden()
    page.get_by_label("Only those ticked here").check()
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.locator(".errorlist")).to_have_text("Tick at least one.")
    page.get_by_label("ticket.solved").check()
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.locator("#secret-value")).to_contain_text("whsec_")

    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#secret-value")).to_have_count(0)
    expect(page.locator("#deliveries tbody tr")).to_contain_text("Waiting")
    delivery.run()
    expect(page.locator("#deliveries tbody tr")).to_contain_text("It answered 500.")  # without a reload
    expect(page.locator("#hook-now .note-box")).to_contain_text("1 failure in a row")
    Webhook.objects.update(url=receiver.url("/ok"))
    page.get_by_role("button", name="Redeliver").click()
    delivery.run()
    expect(page.locator("#deliveries tbody tr")).to_contain_text("Delivered")
    expect(page.locator("#hook-now .note-box")).to_have_count(0)
    page.locator("#deliveries tbody a").click()
    expect(page.locator("pre.code").nth(1)).to_contain_text('"type": "ping"')
    page.go_back()

    page.get_by_role("button", name="Make a new one").click()
    expect(page.locator("#confirm")).to_contain_text("24 hours")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#secret-value")).to_have_count(0)
    page.get_by_role("button", name="Turn off").click()
    expect(page.locator(".note-box.warn")).to_be_visible()
    page.wait_for_load_state()  # the question is asked by a script
    page.get_by_role("button", name="Delete the webhook").click()
    page.locator("#confirm").get_by_role("button", name="Delete the webhook").click()
    expect(page.get_by_text("No webhook yet")).to_be_visible()
    assert not Webhook.objects.exists()


def test_a_token_is_made_and_revoked(open_as: Open, sana: Agent) -> None:
    page = open_as(sana, "/settings/tokens/")
    page.get_by_label("What is it for?").fill("Import")
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("#token-value").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.wait_for_load_state()
    page.get_by_role("button", name="Copy").click()
    page.locator("[data-copy].done").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page.locator("pre.code")).to_contain_text(f"Bearer {secret}")
    page.reload()
    expect(page.locator("#token-value")).to_have_count(0)
    page.wait_for_load_state()
    page.get_by_role("button", name="Revoke Import").click()
    page.locator("#confirm").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token is revoked")).to_be_visible()
    assert ApiToken.objects.get().revoked_at is not None


def furnish(zoya: Agent, sana: Agent, receiver: Receiver) -> Webhook:
    well, _secret = webhooks.create(by=zoya, name="Order system", url=receiver.url("/ok"), events=["ticket.solved"])
    ill, _secret = webhooks.create(by=zoya, name="Warehouse", url=receiver.url("/status/500"), events=["*"])
    webhooks.test(well, by=zoya)
    webhooks.test(ill, by=zoya)
    delivery.run()
    tokens.create(zoya, scope="admin", name="Import", by=zoya)
    tokens.create(sana, scope="read", name="Dashboard", by=sana)
    return ill


def narrow(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("scheme", "language", "width"), [("dark", "ur", 390)])
def test_trouble_and_a_new_token_are_accessible(
    open_as: Open, zoya: Agent, sana: Agent, receiver: Receiver, scheme: str, language: str, width: int
) -> None:
    zoya.language = language
    zoya.save()
    hook = furnish(zoya, sana, receiver)
    page = open_as(zoya, f"/settings/webhooks/{hook.pk}/", color_scheme=scheme, width=width)
    check(page)
    narrow(page)
    page.goto("/settings/tokens/")
    page.locator("main form.form input[name=name]").fill("x")
    page.locator("main form.form .primary").click()
    page.locator("#token-value").wait_for()
    check(page)
    narrow(page)
