"""A customer answers from the mail that asked, and on a messenger: one click is enough, and a program that opens the
link is none. In a chat: test_chat_widget.py.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import requests
from django.db.models import F
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from inbox import delivery
from inbox.actions import reply
from inbox.actions.work import Outcome
from inbox.models import Agent, Channel, Event, Ticket
from reports.actions import asking
from reports.models import Answer, Asking, Survey
from reports.surveys import follower
from sandbox.phones import telegram_acts
from sandbox.phones.acts import Given
from sandbox.phones.telegram_base import open_bot
from tests.browser.conftest import Open, Server
from tests.browser.test_every_page import AXE, problems
from tests.channels_social import test_telegram as telegram
from tests.servers import dovecot as dovecot_server
from tests.servers import postfix as postfix_server
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with dovecot_server.running("http://127.0.0.1:9/nobody-logs-in-by-token") as server:
        yield server


@pytest.fixture(scope="module")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    with postfix_server.running({"customer.example": f"lmtp:inet:127.0.0.1:{dovecot.lmtp}"}) as server:
        yield server


def asked() -> Answer:
    """What has happened so far is heard of, and the survey asks, now; workers send it."""
    follower.hear(list(Event.objects.select_related("ticket").order_by("pk")))
    Asking.objects.update(due_at=F("due_at") - timedelta(minutes=1))
    assert asking.sweep() == 1
    answer = Answer.objects.latest("pk")
    assert answer.channel_id is not None
    while delivery.deliver(answer.channel_id):
        pass
    return answer


def test_one_click_in_a_mail_is_an_answer_and_a_scanners_look_is_none(
    open_as: Open, server: Server, sana: Agent, support: Channel, mail: Callable[..., Outcome], settings: Settings,
    dovecot: Dovecot, postfix: Postfix,
) -> None:  # fmt: skip
    settings.BASE_URL = server.url
    smtp = {"host": "127.0.0.1", "port": postfix.port, "security": "none"}
    support.settings = {**support.settings, "smtp": smtp}
    support.save()
    Survey.objects.create(name="After", kind="csat", active=True, rules={"delay": 0, "low": 2})
    wrote = mail("Where is my parcel?", sender="Ayesha Khan <ayesha@customer.example>")
    reply.reply(Ticket.objects.get(pk=wrote.ticket), by=sana, text="Here.", status="solved")
    answer = asked()
    postfix.wait_until_empty()
    letter = email.message_from_bytes(dovecot.mails("ayesha")[-1], policy=email.policy.default)
    assert letter["Auto-Submitted"] == "auto-replied" and letter["To"] == "Ayesha Khan <ayesha@customer.example>"
    body = letter.get_body(("html",))
    assert body is not None
    links = re.findall(r'href="([^"]+)"', body.get_content())
    assert len(links) == 5 and all(link in letter.get_body(("plain",)).get_content() for link in links)

    for link in links:  # a scanner opens them all
        assert requests.head(link, timeout=10).status_code == 200
        assert requests.get(link, timeout=10).status_code == 200
    page = open_as(None, links[3].removeprefix(server.url), width=390, height=844)
    page.wait_for_timeout(1500)  # another one runs scripts, and nobody is there
    expect(page.get_by_role("radio", name="Satisfied", exact=True)).to_be_checked()
    assert not Answer.objects.filter(answered_at__isnull=False).exists()

    page.mouse.move(150, 300)
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    answer.refresh_from_db()
    assert answer.value == 4
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE)
    assert not problems(page) and not problems(page, colours=True)
    page.get_by_label("What should we know?").fill("Quick and kind")
    page.get_by_role("button", name="Send these words").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.get_by_role("radio", name="Very satisfied").check()
    page.get_by_role("button", name="Change my answer").click()
    expect(page.get_by_role("status")).to_contain_text("Very satisfied")
    answer.refresh_from_db()
    assert (answer.value, answer.comment) == (5, "Quick and kind")

    on_a_messenger(page, server, sana)


def on_a_messenger(page: Page, server: Server, sana: Agent) -> None:
    """Another customer has it on their phone, below what we wrote to them: a button is pressed, and nothing written."""
    bot = open_bot("Shop", "shop_bot")
    channel = telegram.connect(f"{server.url}/sandbox/phones", bot)
    ana = telegram_acts.meet(bot, "Ana Silva")
    telegram_acts.text(bot, ana, Given(text="Is order 12 shipped?"))
    ticket = telegram.taken_in(channel)
    reply.reply(ticket, by=sana, text="It is on its way.", status="solved")
    answer = asked()
    page.goto(f"/sandbox/phones/person/{ana.pk}/")
    faces = page.locator(".bubble .buttons button")
    expect(faces).to_have_count(5)
    faces.nth(1).click()
    page.wait_for_load_state()
    ticket = telegram.taken_in(channel)
    answer.refresh_from_db()
    assert (answer.value, ticket.csat, ticket.messages.filter(direction="in").count()) == (2, 2, 1)
    delivery.deliver(channel.pk)
    page.reload()
    expect(page.locator(".bubble").last).to_contain_text(f"{server.url}/survey/")  # where to say more
