"""One number, wherever it is read: card, file, API, command, and the sum of its tickets; whatever is asked."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode

from channels_chat.models import JourneyRun
from inbox.models import Agent, Channel, CustomerEvent, Event, Setting, Tag, Team, Ticket
from reports import engine
from reports.models import Revenue
from reports.pages import asked as asking
from reports.pages import tables, words
from reports.pages.behind import PAGE, Behind
from reports.pages.cards import KEYS
from tests.api.conftest import Api
from tests.reports.engine.rows import START, write_down
from tests.reports.engine.test_sums import number

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
PERIOD = {"from": "2025-12-25", "through": "2026-02-25", "zone": "UTC"}


@pytest.fixture
def counted(support: Channel, team: Team, sana: Agent, omar: Agent) -> list[Ticket]:
    """Sixty tickets of two channels, teams and agents, some imported; visits, revenue, and what an hour costs."""
    Setting.objects.create(pk="reports.hourly_rates", value={"all": 36})
    chat = Channel.objects.create(kind="chat", name="Chat", slug="chat")
    tickets = write_down([support, chat], [team, None], [sana, omar, None])
    for n, ticket in enumerate(tickets[:15]):
        at = START + timedelta(days=n)
        if n % 4 == 1:
            CustomerEvent.objects.create(customer_id=ticket.customer_id, kind="order", at=at - timedelta(days=8))
        JourneyRun.objects.create(
            channel=chat, journey="buy", visit=str(n), started_at=at, completed_at=at if n % 3 else None
        )
        for year in (1, 0)[n % 3 == 1 :]:
            when = at - timedelta(days=300 * year + 20)
            Revenue.objects.create(
                source="shop", reference=f"{year}-{n}", customer_id=ticket.customer_id, at=when, amount=100,
                currency="EUR",
            )  # fmt: skip
    return tickets


def test_one_number_everywhere(
    counted: list[Ticket], zoya: Agent, as_zoya: Api, sana: Agent, support: Channel, team: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 2, 20, tzinfo=UTC))
    client = Client()
    client.force_login(zoya)
    asked: list[dict[str, str]] = [
        {},
        {"channel": support.slug},
        {"team": team.slug},
        {"agent": str(sana.pk)},
        {"tag": "broken"},
        {"language": "ur"},
        {"priority": "high"},
        {"from": "2026-01-05", "through": "2026-01-11"},
        {"zone": "Asia/Karachi", "through": "2026-01-20"},
        {"hours": "business", "from": "2026-01-01"},
        {"imported": "true"},
    ]
    seen: dict[str, set[object]] = {key: set() for key in engine.KEYS}
    for place, filters in enumerate(asked):
        chosen = PERIOD | filters
        figures = _by_api(as_zoya, chosen)
        assert list(figures) == list(engine.KEYS)
        assert _by_command(chosen, sana) == figures, filters
        assert _by_file(client, chosen) == {
            key: {name: "" if one[name] is None else str(one[name]) for name in tables.COLUMNS}
            for key, one in figures.items()
        }, filters
        params = QueryDict(urlencode(chosen))
        question = asking.of(zoya, params)
        assert not question.problems
        computed = engine.figures(engine.KEYS, question.question)
        for turn, key in enumerate(engine.KEYS):
            figure = computed[key]
            told = figure.to_json()
            assert json.loads(json.dumps(told)) == figures[key], (key, filters)
            seen[key].add(figure.value)
            for part in engine.parts(key):
                behind = Behind.of(question, QueryDict(f"figure={key}&part={part}"))
                assert behind.total == pytest.approx(number(figure, part)), (key, part, filters)
                if turn % len(asked) == place and part == engine.parts(key)[0]:
                    page = client.get(f"/reports/tickets/?{urlencode({'figure': key, 'part': part} | chosen)}")
                    assert behind.total_words in page.content.decode(), (key, filters)
                    listed = [row for at in range(0, behind.count, PAGE) for row in behind.rows(at)]
                    assert len({number for number, _amount in listed}) == behind.count
                    without = behind.totals.without_ticket
                    assert sum(amount for _, amount in listed) + without == pytest.approx(behind.total), (key, filters)
            if key in KEYS:
                shown = client.get(f"/reports/cards/{key}/?{params.urlencode()}", headers=PART).content.decode()
                nobodys = key == "nps" and "agent" in filters
                for amount, _unit in [] if nobodys else words.parts(figure.unit, figure.value):
                    assert amount in shown, (key, filters)
    assert {key for key, values in seen.items() if len(values) < 2} <= {"sla", "clv", "nps", "nps_transactional"}


def _by_api(api: Api, chosen: dict[str, str]) -> dict[str, Any]:
    names = {"zone": "tz"}
    params = {names.get(name, name): value for name, value in chosen.items() if name not in ("through", "hours")}
    params |= {"to": _day_after(chosen["through"])} | ({"business": "true"} if "hours" in chosen else {})
    found: dict[str, Any] = api.get(f"/reports/kpis/?{urlencode(params)}").json()["figures"]
    return found


def _by_command(chosen: dict[str, str], sana: Agent) -> dict[str, Any]:
    told = ["kpis", "--from", chosen["from"], "--to", _day_after(chosen["through"]), "--tz", chosen["zone"]]
    for name in ("channel", "team", "tag", "language", "priority"):
        told += [f"--{name}", chosen[name]] if name in chosen else []
    told += ["--agent", sana.email] if "agent" in chosen else []
    told += ["--business"] if "hours" in chosen else []
    told += ["--imported"] if "imported" in chosen else []
    out = io.StringIO()
    call_command(*told, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def _by_file(client: Client, chosen: dict[str, str]) -> dict[str, dict[str, str]]:
    text = client.get(f"/reports/export/?{urlencode(chosen)}").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return {row[2]: dict(zip(tables.COLUMNS, row[5:], strict=True)) for row in rows}


def _day_after(day: str) -> str:
    return f"{datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1):%Y-%m-%d}"


def test_what_figures_are_counted_by(counted: list[Ticket], omar: Agent, sana: Agent, team: Team) -> None:
    client = Client()
    client.force_login(sana)
    assert client.get("/settings/figures/").status_code == 403
    Agent.objects.filter(pk=omar.pk).update(role="manager")
    client.force_login(omar)
    page = client.get("/settings/figures/").content.decode()
    assert 'value="36' in page and "60 minutes" in page and "/settings/revenue/" in page and team.name in page
    sent = {"days": "3", "left_out": " broken,", "rate_all": "", f"rate_{team.pk}": "12.50"}
    period = START.date(), START.date() + timedelta(days=31)
    all_of_them, broken = (engine.figure("volume", engine.ask(*period, tags=tags)) for tags in ((), ("broken",)))
    Tag.objects.get_or_create(name="broken")
    for _twice in range(2):
        assert client.post("/settings/figures/", sent).status_code == 302
    # Whatever is tagged as a test is counted nowhere, but for who asks for it; a tag that is renamed stays one.
    asked = engine.ask(*period)
    left = engine.figure("volume", asked)
    assert 0 < broken.n < all_of_them.n and left.n == all_of_them.n - broken.n == engine.totals("volume", asked).tickets
    assert engine.figure("volume", engine.ask(*period, tags=("broken",))) == broken
    assert asking.of(omar, QueryDict("")).question.left_out == ("broken",)
    assert asking.of(omar, QueryDict("tag=broken")).question.left_out == ()
    engine.figures(engine.KEYS, asked)  # each knows how
    Tag.objects.filter(name="broken").update(name="in pieces")
    assert engine.ask(*period).left_out == ("in pieces",)
    assert (asked.window, Setting.objects.get(pk="reports.hourly_rates").value) == (3, {str(team.pk): 12.5})
    assert engine.figure("cost_per_ticket", asked).extra["reason"] == "no_rate"
    kinds = ["figure_tags_left_out_set", "figure_window_set", "hourly_rate_of_all_removed", "hourly_rate_set"]
    assert sorted(Event.objects.filter(kind__in=kinds).values_list("kind", flat=True)) == kinds
    unknown = {"days": "3", "left_out": "nonsense"}
    for wrong in (unknown, {"days": "31"}, {"days": "0"}, {"days": "7", "rate_all": "-1"}):
        assert client.post("/settings/figures/", wrong).status_code == 422
    assert engine.ask(START.date(), START.date() + timedelta(days=1)).window == 3
