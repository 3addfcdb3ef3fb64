"""A mailbox is connected in the browser, at a real Dovecot and Postfix: from nothing to the first mail, and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from channels_email import audit
from channels_email.models import MailboxAudit
from inbox import polling
from inbox.actions import receive
from inbox.adapters import RawReceipt
from inbox.models import Agent, Channel, Message, Receipt, ReceiptState
from tests.browser.conftest import Open
from tests.browser.test_accessible import check
from tests.servers import dovecot as dovecot_server
from tests.servers import oauth as oauth_server
from tests.servers import postfix as postfix_server
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.postfix import Postfix

ADDRESS = "front@rabta.example"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with oauth_server.running() as consent, dovecot_server.running(consent.url) as server:
        yield server


@pytest.fixture(scope="module")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    with postfix_server.running({"rabta.example": f"lmtp:inet:127.0.0.1:{dovecot.lmtp}"}) as server:
        yield server


def letter(subject: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ayesha <ayesha@example.com>", ADDRESS, subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@example.com>"
    message.set_content("It said Tuesday.")
    return message.as_bytes()


def test_from_nothing_to_the_first_mail(open_as: Open, zoya: Agent, dovecot: Dovecot, postfix: Postfix) -> None:
    page = open_as(zoya, "/settings/channels/")
    page.get_by_role("link", name="Connect a mailbox").click()
    page.get_by_label("Which address").fill(ADDRESS)
    page.get_by_role("button", name="Go on").click()
    page.locator("#live[data-on]").wait_for(state="attached")  # before that a form is sent as any other

    page.get_by_label("Name customers see").fill("Front desk")
    page.locator("[name='imap.password']").fill("wrong")
    page.locator("[name='imap.host']").fill("127.0.0.1")
    page.locator("[name='imap.port']").fill(str(dovecot.imap))
    page.locator("[name='imap.security']").select_option("none")
    page.get_by_label("The same log-in for sending").uncheck()
    page.locator("[name='smtp.host']").fill("127.0.0.1")
    page.locator("[name='smtp.port']").fill("99999")
    page.locator("[name='smtp.security']").select_option("none")
    page.get_by_role("button", name="Connect and test").click()

    # What is wrong is in sight, and nothing typed is lost: not even the password, which the answer does not hold.
    expect(page.locator("[id='id_smtp.port-error']")).to_contain_text("65535")
    expect(page.locator("[name='smtp.port']")).to_be_focused()
    expect(page.locator("[name='imap.password']")).to_have_value("wrong")
    expect(page.locator("[name='smtp.username']")).to_be_visible()
    page.locator("[name='smtp.username']").fill("")
    page.locator("[name='smtp.port']").fill(str(postfix.port))
    page.get_by_role("button", name="Connect and test").click()

    # It is tried at once, and the wrong password is told in words.
    page.wait_for_url("**/settings/channels/front-desk/?test=new")
    answer = page.locator("#test-answer")
    expect(answer).to_contain_text("127.0.0.1 refuses the log-in: check user name and password in the settings.")
    expect(page.locator("#notices")).to_contain_text("“Front desk” is saved, but the test failed")
    expect(page.locator("#notices")).not_to_contain_text("is connected")
    assert "wrong" not in page.content()
    channel = Channel.objects.get()
    polling.poll(channel.pk)
    page.reload()
    expect(page.locator(".way").first).to_contain_text("New messages cannot be fetched.")

    page.get_by_role("link", name="Change settings").click()
    page.locator("[name='imap.password']").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/settings/channels/front-desk/?test=1")
    expect(answer).to_contain_text("INBOX")
    expect(answer.locator(".bad")).to_have_count(0)

    page.get_by_role("button", name="Test the way back").click()
    expect(page.locator("#way-back-answer")).to_contain_text("Came back after")
    expect(page.locator("#way-back-answer .bad")).to_have_count(0)

    dovecot.append("front", letter("Where is my parcel"))
    assert polling.poll(channel.pk) >= 1
    receive.take_in_waiting()
    page.goto("/settings/channels/front-desk/")
    expect(page.locator(".way").first).to_contain_text("Works.")
    page.goto("/")
    expect(page.get_by_text("Where is my parcel").first).to_be_visible()

    counting(page, channel)


def counting(page: Page, channel: Channel) -> None:
    """A mail that is missing is found by the button's count, which the page follows by itself."""
    Message.objects.get(subject="Where is my parcel").delete()
    page.goto("/settings/channels/front-desk/")
    page.get_by_role("button", name="Count now").click()
    expect(page.locator("#audit-answer")).to_contain_text("Counting…")
    audit.run(MailboxAudit.objects.get().pk)
    expect(page.locator("#audit-answer")).to_contain_text("1 mail was missing and has been fetched.")


def test_what_failed_is_retried_and_a_channel_is_paused(open_as: Open, zoya: Agent, support: Channel) -> None:
    receive.store(support, [RawReceipt(letter(f"Letter {n}"), f"one-{n}") for n in range(2)])
    Receipt.objects.update(state=ReceiptState.FAILED, reason="ValueError: header is too deeply nested")
    page = open_as(zoya, "/settings/channels/support/")
    failed = page.locator("#failed")
    expect(failed).to_contain_text("2 messages could not be read")
    with page.expect_download() as download:
        failed.get_by_role("link", name="Download the original").first.click()
    assert download.value.path().read_bytes() == letter("Letter 1")
    failed.get_by_role("button", name="Retry", exact=True).first.click()
    expect(failed).to_contain_text("1 message could not be read")
    failed.get_by_role("button", name="Retry all").click()
    expect(failed).to_have_count(0)
    assert receive.take_in_waiting() == 2
    page.reload()
    expect(page.get_by_text("It has tickets")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("This channel is paused.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_disconnecting_asks_first(open_as: Open, zoya: Agent, support: Channel) -> None:
    page = open_as(zoya, "/settings/channels/support/")
    button = page.get_by_role("button", name="Disconnect")
    button.click()
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    assert Channel.objects.exists()
    button.click()
    expect(page.locator("#confirm-yes")).to_have_text("Disconnect")
    page.locator("#confirm-yes").click()
    page.wait_for_url("**/settings/channels/")
    assert not Channel.objects.exists()


@pytest.mark.parametrize(("scheme", "language"), [("dark", "ur")])
def test_mistakes_and_trouble_are_accessible(
    open_as: Open, zoya: Agent, support: Channel, scheme: str, language: str
) -> None:
    zoya.language = language
    zoya.save()
    now = timezone.now()
    imap = {"host": "127.0.0.1", "port": 1, "security": "none", "username": "x"}
    Channel.objects.filter(pk=support.pk).update(
        settings={"address": "support@example.org", "imap": imap, "smtp": imap, "plus_addressing": True},
        in_failing_since=now - timedelta(hours=2),
        in_error="127.0.0.1 refuses the log-in",
        last_in_at=now,
    )
    MailboxAudit.objects.create(
        channel=support,
        finished_at=now,
        on_server=2,
        known=1,
        missing=1,
        folders=[{"name": "INBOX", "on_server": 2, "known": 1, "missing": 1, "caught_up": 0, "error": "away"}],
    )
    receive.store(support, [RawReceipt(b"x", "one")])
    Receipt.objects.update(state=ReceiptState.FAILED, reason="ValueError")
    page = open_as(zoya, "/settings/channels/new/email/?provider=fastmail", color_scheme=scheme)
    page.locator(".channel-form .primary").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    page.locator(".channel-form details").evaluate_all("all => all.forEach(one => (one.open = true))")
    check(page)
    page.goto("/settings/channels/support/")
    page.locator("form[hx-post$='/test/'] button").click()
    expect(page.locator("#test-answer .bad").first).to_be_visible()
    expect(page.locator("#domain-answer .steps")).to_be_visible()
    check(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
