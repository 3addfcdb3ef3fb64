"""Pain points: the test of chance against plain sums, the parts of the page, and that each number opens its tickets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import comb
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from inbox.models import Agent, Channel, CustomerEvent, Field, Role, Team, Ticket
from reports import engine
from reports.models import Answer, AnswerFact, Survey, TicketFact, TrafficFact
from reports.pages import asked as asking
from reports.pages.behind import Behind
from reports.pains import rising, table, wanted, ways
from reports.pains.chance import adjusted, p_value, tail
from tests.cast import member, question, sana, support, team
from tests.reports.test_pages import PART, browser

__all__ = ["sana", "support", "team"]

NOW = datetime(2026, 3, 12, 15, 30, tzinfo=UTC)  # a Thursday
COUNTS = st.integers(0, 120)


@given(COUNTS, COUNTS, st.integers(1, 12))
def test_chance_against_the_plain_sum(now: int, before: int, parts: int) -> None:
    share, n = Fraction(1, parts + 1), now + before
    terms = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    assert sum(terms) == 1
    assert tail(now, n, float(share)) == pytest.approx(float(sum(terms[now:])), rel=1e-9, abs=1e-14)
    wanted_p = min(Fraction(1), 2 * min(sum(terms[now:], Fraction(0)), sum(terms[: now + 1], Fraction(0))))
    assert p_value(now, before, float(share)) == pytest.approx(float(wanted_p), rel=1e-9, abs=1e-14)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_correction_against_its_rule(values: list[float]) -> None:
    """Benjamini and Hochberg call out the smallest i for the largest i with p(i) ≤ i ÷ m × q."""
    found, ranked = adjusted(values), sorted(values)
    for q in (0.01, 0.05, 0.3):
        most = max((i for i in range(1, len(values) + 1) if ranked[i - 1] * (len(values) / i) <= q), default=0)
        assert sum(one <= q for one in found) == sum(value <= ranked[most - 1] for value in values) * (most > 0)
    assert all(one >= value for one, value in zip(found, values, strict=True))


def test_many_tickets_take_no_time() -> None:
    assert p_value(100_000, 800_000, 1 / 9) == pytest.approx(1.0, abs=0.01)
    assert 0 < p_value(10_900, 80_000, 1 / 9) < 1e-15


@pytest.fixture
def mina(team: Team, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return member("Mina", Role.MANAGER, team)


def fact(ticket: Ticket, channel: Channel, opened: datetime, customer: int = 0, hours: int | None = 2) -> TicketFact:
    solved = None if hours is None else opened + timedelta(hours=hours)
    told: dict[str, Any] = {}
    if solved:
        told = {
            "first_solved_at": solved,
            "last_solved_at": solved,
            "resolution_first": 7200,
            "resolution_full": 7200,
            "customer_wait": 600,
            "answers_before": 1,
            "first_priority": "normal",
            "last_priority": "normal",
        }
    TrafficFact.objects.create(ticket=ticket, channel_id=channel.pk, kind="customer", count=1, quarter=opened)
    return TicketFact.objects.create(
        ticket=ticket, channel_id=channel.pk, customer_id=customer or ticket.customer_id, began_at=opened,
        opened_at=opened, priority="normal", done=solved is not None, **told,
    )  # fmt: skip


@pytest.fixture
def pains(support: Channel, mina: Agent) -> list[Ticket]:
    """Late parcels come eight times this week after two in each of the weeks before; refunds stay as they are."""
    found = []
    for week in range(9):
        for topic, count in (("late", 12 if week == 0 else 2), ("refund", 2), ("", 1)):
            for at in range(count):
                ticket = question(support, f"{topic} {week} {at}")
                values: dict[str, Any] = {
                    "topic": topic,
                    "tags": ["a", "b"] if topic else [],
                    "severity": 3 if topic == "late" else None,
                }
                values["attributes"] = {"product": ["shawl", "rug"]} if topic == "late" else {}
                Ticket.objects.filter(pk=ticket.pk).update(**values)
                opened = NOW - timedelta(days=7 * week, hours=20 + at)
                fact(ticket, support, opened, hours=None if (topic, week) == ("refund", 0) else 2)
                found.append(ticket)
    late = next(one for one in found if one.subject == "late 0 0")
    for kind, value in (("csat", 2), ("solved", 0)):
        survey = Survey.objects.create(name=kind, kind=kind)
        answer = Answer.objects.create(survey=survey, ticket=late, customer=late.customer, value=value, answered_at=NOW)
        AnswerFact.objects.create(answer=answer, kind=kind, ticket=late, customer_id=late.customer_id,
                                  channel_id=support.pk, asked_at=NOW - timedelta(hours=2), value=value,
                                  answered_at=NOW - timedelta(hours=1))  # fmt: skip
    CustomerEvent.objects.create(customer=late.customer, kind="page_view", at=NOW - timedelta(hours=20, minutes=5),
                                 data={"url": "https://shop.example/parcel?x=1"})  # fmt: skip
    ticket = question(support, "just now, a week ago: later than this week has come")
    Ticket.objects.filter(pk=ticket.pk).update(topic="late")
    fact(ticket, support, NOW - timedelta(days=7) + timedelta(hours=1))
    Field.objects.create(noun="ticket", key="product", label="Product", kind="choices")
    return found


def ask(mina: Agent, query: str) -> wanted.Wanted:
    params = QueryDict(query)
    return wanted.of(asking.of(mina, params, NOW), params)


def opened(url: str, mina: Agent) -> Behind:
    params = QueryDict(url.split("?")[1])
    return Behind.of(asking.of(mina, params, NOW), params)


def test_the_page(pains: list[Ticket], mina: Agent, sana: Agent) -> None:
    client, counted, text = browser(mina), 0, ""
    page = client.get("/reports/pains/?by=topic&period=90&sort=csat").content.decode()
    parts = [url.replace("&amp;", "&") for url in re.findall(r'data-part hx-get="([^"]+)"', page)]
    assert len(parts) == 3 and all("period=90" in url and "sort=csat" in url for url in parts) and "Product" in page
    for url in parts:
        with CaptureQueriesContext(connection) as queries:
            text += client.get(url, headers=PART).content.decode()
        facts = [one["sql"] for one in queries if "reports_" in one["sql"]]
        counted += len(facts)
        assert len(queries) - len(facts) <= 6  # who asks, what they see, fields and names
    assert counted <= 8
    assert "style=" not in text and "<script" not in text
    for words in ("late", "This week so far", 'aria-sort="ascending"', "journeys began", "Benjamini"):
        assert words in text, words
    for url in set(re.findall(r'href="(/reports/tickets/[^"]+)"', text)):
        assert client.get(url.replace("&amp;", "&")).status_code == 200, url
    assert client.get("/reports/pains/moon/").status_code == 404
    empty = "".join(
        client.get(f"/reports/pains/{key}/?from=2001-01-01&through=2001-01-02&by=type", headers=PART).content.decode()
        for key in ("pains", "rising", "ways")
    )
    assert "No ticket of this period" in empty and "No customer began" in empty and "Too little" in empty
    assert client.get("/reports/tickets/?figure=volume&part=n&by=path&group=1").status_code == 404
    assert client.get("/reports/tickets/?figure=volume&part=n&by=field:x'y&group=1").status_code == 404
    assert browser(sana).get("/reports/pains/").status_code == 403


def test_each_number_is_the_sum_of_its_tickets(pains: list[Ticket], mina: Agent) -> None:
    for by, names in {
        "topic": ["late", "refund", "None"], "tag": ["a", "b", "None"], "severity": ["3", "None"],
        "page": ["https://shop.example/parcel", "None"], "field:product": ["rug", "shawl", "None"],
    }.items():  # fmt: skip
        asked = ask(mina, f"by={by}&period=90")
        rows = table.read(asked).rows
        assert [one.label for one in rows] == names, by
        for row in rows:
            for cell, key in zip(row.cells, table.HEADS, strict=True):
                if cell.url:
                    behind = opened(cell.url, mina)
                    figure, part = behind.computed, behind.part
                    count = {"rest": (figure.denominator or 0) - (figure.numerator or 0), "n": figure.n}
                    assert behind.total == count.get(part, figure.denominator), (by, row.label, key)
    late = table.read(ask(mina, "by=topic&period=90")).rows[0]
    assert [cell.words for cell in late.cells[:2]] == ["29", "2 h"]
    assert [late.cells[3].words, late.cells[5].words, late.cells[5].n] == ["0.0%", "100.0%", "1 of 1"]
    assert late.cells[6].n.startswith("n = ")
    assert table.read(ask(mina, "by=topic&sort=volume&period=90")).rows[0].label == "refund"
    assert ask(mina, "by=moon&sort=moon").kept == []


def test_what_rises_is_more_than_chance(pains: list[Ticket], mina: Agent) -> None:
    found = rising.read(ask(mina, "by=topic&period=7"))
    [late] = found.rows
    assert (late.label, late.now, late.before, late.expected, late.times) == ("late", 12, 16, "2.0", "6.0")
    assert late.p == pytest.approx(min(1.0, 2 * p_value(12, 16, 1 / 9))) and late.p_words == "p < 0.001"
    assert found.looked_at == 2 and not found.falling and found.is_running
    assert opened(late.now_url, mina).total == 12 and opened(late.before_url, mina).total == 16
    question_of_week = opened(late.now_url, mina).asked.question
    assert engine.figure("eight_weeks", question_of_week).value == 16 + 16 + 8
    assert not rising.read(ask(mina, "by=type")).rows


def test_ways_over_channels(support: Channel, team: Team, mina: Agent) -> None:
    phone = Channel.objects.create(kind="chatter", name="Phone", slug="phone", default_team=team)
    first, second, third, alone, again = (question(support, f"Way {at}") for at in range(5))
    start = NOW - timedelta(days=20)
    fact(first, support, start, 7001, hours=30)
    fact(second, phone, start + timedelta(days=3), 7001)
    fact(third, support, start + timedelta(days=8), 7001)  # the window of the first is over: in no journey of March
    TrafficFact.objects.create(ticket=first, channel_id=support.pk, kind="customer", count=1,
                               quarter=start + timedelta(hours=4))  # fmt: skip
    TrafficFact.objects.create(ticket=first, channel_id=phone.pk, kind="human", count=1, quarter=start)
    fact(alone, support, start, 7002)
    fact(again, support, NOW - timedelta(days=2), 7002, hours=None)
    found = ways.read(ask(mina, "period=30").asked)
    told = [([one.slug if one else "" for one in way.steps], way.count, way.solved, way.median) for way in found.rows]
    assert told == [(["support"], "2", "50.0%", "2 h"), (["support", "phone"], "1", "100.0%", "3 d 2 h")]
    assert found.journeys == "3" and found.moved == "33.3%"
    for way in found.rows:
        behind = opened(way.url, mina)
        assert behind.total == int(way.count) and "Support" in behind.group_words or "›" in behind.group_words
    asked = ask(mina, "period=30").asked.question
    assert {ticket.pk for ticket in engine.tickets("paths", asked, "provisional")} == {again.pk}
    assert engine.figure("paths", asked).numerator == 2
