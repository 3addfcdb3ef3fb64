"""A customer answers from the mail that asked: one click is enough, and a program that opens the link is none."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from datetime import timedelta

import requests
from django.conf import settings
from django.db.models import F
from playwright.sync_api import expect

from inbox.actions import reply
from inbox.actions.work import Outcome
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Event, Ticket
from reports.actions import asking
from reports.models import Answer, Asking, Survey
from reports.surveys import follower
from tests.browser.conftest import Open, Server
from tests.browser.test_every_page import AXE, problems


def test_one_click_in_a_mail_is_an_answer_and_a_scanners_look_is_none(
    open_as: Open, server: Server, sana: Agent, support: Channel, mail: Callable[..., Outcome]
) -> None:
    support.settings = {**support.settings, "smtp": {"host": "127.0.0.1", "port": 1}}
    support.save()
    Survey.objects.create(name="After", kind="csat", active=True, rules={"delay": 0, "low": 2})
    ticket = Ticket.objects.get(pk=mail("Where is my parcel?").ticket)
    reply.reply(ticket, by=sana, text="Here.", status="solved")
    follower.hear(list(Event.objects.select_related("ticket").order_by("pk")))
    Asking.objects.update(due_at=F("due_at") - timedelta(minutes=1))
    assert asking.sweep() == 1
    answer = Answer.objects.get()
    assert answer.message is not None
    raw, _kind = adapter_for("email").raw(answer.message)
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert letter["Auto-Submitted"] == "auto-replied"
    body = letter.get_body(("html",))
    assert body is not None
    links = [one.replace(settings.BASE_URL, server.url) for one in re.findall(r'href="([^"]+)"', body.get_content())]
    assert len(links) == 5

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
