"""A manager reads the figures, asks for other days in another zone, opens what is behind a number, takes it along."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from inbox.models import Agent, Channel, Role, Team
from reports.models import TicketFact
from tests.browser.conftest import Open
from tests.cast import member, question


@pytest.fixture
def mina(team: Team) -> Agent:
    return member("Mina", Role.MANAGER, team)


def test_a_manager_reads_narrows_drills_and_exports(
    open_as: Open, mina: Agent, sana: Agent, support: Channel, team: Team, worker: None
) -> None:
    now = timezone.now()
    for number in range(4):
        ticket, opened = question(support, f"Parcel {number}"), now - timedelta(days=2, hours=number)
        solved = opened + timedelta(hours=1)
        TicketFact.objects.create(
            ticket=ticket, customer_id=ticket.customer_id, channel_id=support.pk, team_id=team.pk, agent_id=sana.pk,
            began_at=opened, opened_at=opened, priority="normal", done=True, answers_before=1, one_contact=number < 3,
            first_solved_at=solved, first_agent_id=sana.pk, first_team_id=team.pk, first_priority="normal",
            last_solved_at=solved, last_agent_id=sana.pk, last_team_id=team.pk, last_priority="normal",
            resolution_first=3600, resolution_full=3600,
        )  # fmt: skip
    page = open_as(mina, "/reports/")
    fcr = page.locator("#card-fcr")
    expect(fcr).to_contain_text("75.0")
    expect(page.locator(".is-counting, .part-failed")).to_have_count(0)
    page.locator("#part-flow .as-table summary").click()
    expect(page.locator("#part-flow table")).to_be_visible()
    fcr.locator(".how summary").click()
    expect(fcr.locator(".definition")).to_contain_text("first solve")

    page.locator(".reports-bar summary").first.click()
    page.get_by_role("link", name="Today").click()
    expect(page.locator("#card-fcr")).to_contain_text("nothing to count")
    page.locator(".reports-bar summary").first.click()
    page.locator("[name=from]").fill(f"{now - timedelta(days=5):%Y-%m-%d}")
    page.get_by_role("button", name="Show these days").click()
    page.locator(".reports-bar summary").nth(1).click()
    page.locator("[name=zone]").fill("Asia/Karachi")
    page.keyboard.press("Enter")
    expect(page.locator(".reports-title")).to_contain_text("Asia/Karachi")
    assert "from=" in page.url and "period=" not in page.url

    page.locator("#card-fcr footer a").first.click()
    expect(page.locator("[data-row]")).to_have_count(3)
    expect(page.locator(".reports-title")).to_contain_text("3 of 4")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").first).to_be_focused()
    page.locator(".reports-acts summary").click()
    page.get_by_role("button", name="Export these tickets").click()
    expect(page.locator("#jobs .job")).to_contain_text("3 tickets are in the file.")
