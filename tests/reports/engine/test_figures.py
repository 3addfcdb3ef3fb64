"""What figures come to: worked examples over facts, and how they are asked for."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils.translation import override

from inbox import journeys_kept
from inbox.models import Agent, Channel, Customer, Role, Setting, Ticket
from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine import Question, running
from reports.engine.figures import of_score, wilson
from reports.models import Answer, AnswerFact, HandlingFact, ResponseFact, SpanFact, Survey, TicketFact
from tests.api.conftest import Api, problem

NOW = datetime(2026, 2, 20, tzinfo=UTC)
JANUARY = Question(date(2026, 1, 1), date(2026, 2, 1), ZoneInfo("UTC"), NOW)
DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_every_figure_is_explained_in_one_text() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "kpis.md").read_text()
    assert set(DEFINITIONS) >= set(engine.KEYS) and set(engine.KEYS) <= set(engine.MEASURES)
    with override("en"):
        for key, one in DEFINITIONS.items():
            assert f"| `{key}` | {one.title} | {one.unit} | {one.text} |" in guide, key
            assert key not in engine.MEASURES or engine.MEASURES[key].unit == one.unit
    for by in engine.BREAKDOWNS:
        assert by in guide or by in (Path(__file__).parents[3] / "docs" / "api.md").read_text()


def test_an_interval_after_wilson() -> None:
    """Against the worked values of the formula for 1 of 3, all and none of 10, and none at all."""
    assert wilson(1, 3) == pytest.approx((0.061492, 0.792345), abs=1e-5)
    assert wilson(10, 10) == pytest.approx((0.722460, 1.0), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277540), abs=1e-5)


def test_an_interval_of_a_promoter_score() -> None:
    # 6 − 3 of 14, once a promoter, a detractor and two passives are added; the square root of (9/14 − (3/14)²)/14
    assert of_score(5, 2, 10) == pytest.approx((-19.05, 61.90), abs=0.01)
    assert of_score(10, 0, 10) == pytest.approx((40.57, 100.0), abs=0.01)
    assert of_score(0, 1000, 1000)[0] == -100.0
    assert wilson(0, 0) == (None, None)


def test_days_are_those_of_the_zone() -> None:
    karachi = replace(JANUARY, zone=ZoneInfo("Asia/Karachi"))
    assert (karachi.starts, karachi.ends) == (
        datetime(2025, 12, 31, 19, tzinfo=UTC),
        datetime(2026, 1, 31, 19, tzinfo=UTC),
    )
    beirut = replace(JANUARY, start=date(2026, 3, 29), end=date(2026, 3, 30), zone=ZoneInfo("Asia/Beirut"))
    assert beirut.ends - beirut.starts == timedelta(hours=23)  # its clocks skip midnight
    assert JANUARY.before().start == date(2025, 12, 1)


class Facts:
    """Facts of tickets of one desk, by what they are about."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.survey = Survey.objects.create(name="How was it?", kind="csat")

    def ticket(self) -> Ticket:
        customer = Customer.objects.create(name="Somebody")
        return Ticket.objects.create(customer=customer, channel=self.channel, reply_channel=self.channel)

    def answers(self, kind: str, values: list[int], **given: Any) -> None:
        for value in values:
            ticket = self.ticket()
            answer = Answer.objects.create(survey=self.survey, ticket=ticket, customer=ticket.customer)
            AnswerFact.objects.create(**{
                "answer": answer, "kind": kind, "ticket": ticket, "customer_id": ticket.customer_id,
                "channel_id": self.channel.pk, "asked_at": DAY, "answered_at": DAY, "value": value, **given,
            })  # fmt: skip

    def handled(self, ticket: Ticket, agent: Agent, day: int, focus: float, actions: int, team: int = 1) -> None:
        HandlingFact.objects.create(
            ticket=ticket,
            channel_id=self.channel.pk,
            team_id=team,
            agent_id=agent.pk,
            quarter=DAY + timedelta(days=day),
            focus=focus,
            actions=actions,
        )


@pytest.fixture
def facts(support: Channel) -> Facts:
    return Facts(support)


def test_answers(facts: Facts) -> None:
    facts.answers("csat", [3, 4, 2])
    facts.answers("nps", [10, 9, 8, 6], ticket=None)
    found = engine.figures(["csat", "nps", "nps_transactional", "response_rate"], JANUARY)
    csat, nps = found["csat"], found["nps"]
    assert (csat.value, csat.numerator, csat.denominator, csat.mean) == (1 / 3, 1, 3, 3.0)
    assert csat.extra == {"1": 0, "2": 1, "3": 1, "4": 1, "5": 0}
    assert (nps.value, nps.n, nps.extra) == (None, 4, {"promoters": 2, "passives": 1, "detractors": 1})
    assert found["nps_transactional"].n == 0
    assert (found["response_rate"].value, found["response_rate"].n) == (1.0, 3)
    assert engine.figure("csat", replace(JANUARY, now=DAY + timedelta(days=13))).provisional == 3
    facts.answers("nps", [10] * 5 + [8] * 3 + [3] * 2)
    score = engine.figure("nps_transactional", JANUARY)
    assert (score.value, score.numerator, score.denominator) == (30.0, 3, 10)
    # Of each customer the last answer stands, as of each day, so that days do not add up.
    first = AnswerFact.objects.filter(kind="nps", value=10, ticket__isnull=False).first()
    assert first is not None
    facts.answers("nps", [0], customer_id=first.customer_id, answered_at=DAY + timedelta(days=1))
    assert engine.figure("nps_transactional", JANUARY).numerator == 1
    days = {one.key: one.figures["nps_transactional"] for one in engine.grouped(["nps_transactional"], JANUARY, "day")}
    assert (days["2026-01-05"].numerator, days["2026-01-06"].numerator, days["2026-01-06"].value) == (3, -1, None)
    assert len(days) == 31 and days["2026-01-07"].value is None


def test_handle_time_counts_a_ticket_once_in_each_group(facts: Facts, sana: Agent, omar: Agent) -> None:
    both, looked_at, by_api = facts.ticket(), facts.ticket(), facts.ticket()
    facts.handled(both, sana, 0, 100, 1)
    facts.handled(both, sana, 1, 50.5, 2)
    facts.handled(both, omar, 1, 200, 0)  # did nothing on it
    facts.handled(looked_at, omar, 1, 30, 0)
    facts.handled(by_api, omar, 1, 0, 3)
    keys = ["aht", "coverage", "cost_per_ticket"]
    found = engine.figures(keys, JANUARY)
    assert (found["aht"].value, found["aht"].numerator, found["aht"].n) == (350.5, 350.5, 1)
    assert found["aht"].extra["elsewhere"] == 30
    assert (found["coverage"].numerator, found["coverage"].denominator) == (1, 3)
    assert (found["cost_per_ticket"].value, found["cost_per_ticket"].extra["reason"]) == (None, "no_rate")
    of = {one.label: one.figures["aht"] for one in engine.grouped(["aht"], JANUARY, "agent")}
    assert (of["Sana"].value, of["Omar"].value, of["Omar"].extra["elsewhere"]) == (150.5, None, 230)
    days = [one.figures["aht"].value for one in engine.grouped(["aht"], JANUARY, "day")]
    assert (days[4], days[5]) == (100, 250.5)
    Setting.objects.create(pk="reports.hourly_rates", value={"all": 36})
    assert engine.figure("cost_per_ticket", JANUARY).value == 3.505
    Setting.objects.create(pk="handle_time", value={"on": False})
    assert {one.value for one in engine.figures(keys, JANUARY).values()} == {None}


def test_first_contact_resolution_and_its_window(facts: Facts, sana: Agent) -> None:
    def solved(**more: Any) -> None:
        ticket = facts.ticket()
        TicketFact.objects.create(**{
            "ticket": ticket, "customer_id": ticket.customer_id, "channel_id": facts.channel.pk, "began_at": DAY,
            "opened_at": DAY, "priority": "normal", "first_solved_at": DAY, "first_agent_id": sana.pk,
            "resolution_first": 60, "answers_before": 1, "one_contact": True, "one_touch": True, **more,
        })  # fmt: skip

    window = DAY + timedelta(days=7)
    solved()
    solved(answers_before=0)
    solved(one_contact=False)
    solved(reopened_at=window)
    solved(reopened_at=window - timedelta(seconds=1))
    solved(repeat_at=window - timedelta(seconds=1))
    solved(denied_at=window)
    solved(imported=True)
    found = engine.figures(["fcr", "reopen_rate", "one_touch", "solved"], JANUARY)
    assert (found["fcr"].numerator, found["fcr"].denominator, found["fcr"].provisional) == (2, 6, 0)
    assert (found["reopen_rate"].numerator, found["reopen_rate"].denominator) == (1, 7)
    assert (found["one_touch"].numerator, found["one_touch"].denominator, found["solved"].value) == (6, 6, 7)
    assert engine.figure("fcr", replace(JANUARY, window=6)).numerator == 5  # the "no" and the rest came later
    assert engine.figure("fcr", replace(JANUARY, now=window - timedelta(seconds=1))).provisional == 6
    assert engine.figure("solved", replace(JANUARY, imported=True)).value == 8
    outside = engine.figure("solved", replace(JANUARY, start=date(2026, 1, 6)))
    assert (outside.value, engine.figure("fcr", replace(JANUARY, start=date(2026, 1, 6))).value) == (0, None)


def test_durations_and_the_backlog_of_any_day(facts: Facts, sana: Agent) -> None:
    ticket = facts.ticket()
    place: dict[str, Any] = {"ticket": ticket, "channel_id": facts.channel.pk, "priority": "normal"}
    for minutes, first in ((30, True), (120, True), (60, False), (1, True), (20, True)):
        ResponseFact.objects.create(
            first=first, asked_at=DAY, answered_at=DAY, seconds=60 * minutes, business=60, total=60,
            first_seconds=60 * minutes if first else None, **place,
        )  # fmt: skip
    found = engine.figures(["first_response", "response", "next_response"], JANUARY)
    assert (found["first_response"].value, found["first_response"].mean, found["first_response"].n) == (1500, 2565, 4)
    assert (found["response"].median, found["response"].mean, found["response"].n) == (1800, 2772, 5)
    assert (found["next_response"].value, found["next_response"].n) == (3600, 1)
    assert found["first_response"].p90 == pytest.approx(93 * 60)
    assert engine.figure("response", replace(JANUARY, business=True)).value == 60
    for day, days, state in ((0, 2, "us"), (2, 1, "customer"), (9, None, "us")):
        starts = DAY + timedelta(days=day)
        SpanFact.objects.create(
            state=state,
            started_at=starts,
            ended_at=None if days is None else starts + timedelta(days=days),
            unsolved_since=DAY if day < 9 else starts,
            enters=day != 2,
            leaves=day == 2,
            **place,
        )
    series = {one.key: one.figures["backlog"].value for one in engine.grouped(["backlog"], JANUARY, "day")}
    assert [series[f"2026-01-{day:02}"] for day in (4, 5, 7, 8, 13, 14, 31)] == [0, 1, 1, 0, 0, 1, 1]
    for day in range(3, 16):
        at = replace(JANUARY, end=date(2026, 1, day + 1))
        assert engine.figure("backlog", at).value == series[f"2026-01-{day:02}"], day
    by_agent = engine.grouped(["backlog"], replace(JANUARY, agents=(sana.pk,)), "day")
    assert {one.figures["backlog"].value for one in by_agent} == {0}
    extra = engine.figure("backlog", JANUARY).extra
    assert (extra["us"], extra["customer"], extra["month"], extra["day"]) == (1, 0, 1, 0)
    early = replace(JANUARY, now=DAY + timedelta(days=3))
    assert [one.figures["backlog"].value for one in engine.grouped(["backlog"], early, "week")][2:] == [None] * 3


def test_asked_by_command(facts: Facts, sana: Agent, support: Channel) -> None:
    facts.answers("csat", [5, 4, 1])
    asked = ["kpis", "--from", "2026-01-01", "--to", "2026-02-01", "--tz", "Asia/Karachi"]

    def told(*more: str) -> str:
        out = io.StringIO()
        call_command(*asked, *more, stdout=out)
        return out.getvalue()

    whole = json.loads(told())
    assert list(whole) == list(engine.KEYS)
    assert (whole["csat"]["value"], whole["csat"]["denominator"], whole["sla"]["value"]) == (2 / 3, 3, None)
    by_day = csv.DictReader(
        io.StringIO(told("--by", "day", "--key", "csat", "--format", "csv", "--channel", "support"))
    )
    assert {row["day"]: row["numerator"] for row in by_day if row["denominator"] != "0"} == {"2026-01-05": "2"}
    assert json.loads(told("--agent", sana.email, "--key", "csat"))["csat"]["value"] is None
    with pytest.raises(CommandError):
        told("--team", "nobody")


def test_asked_by_api(facts: Facts, as_sana: Api, as_zoya: Api, sana: Agent, omar: Agent) -> None:
    facts.answers("csat", [5, 4, 1])
    facts.answers("csat", [2], agent_id=sana.pk)
    path = "/reports/kpis/?from=2026-01-01&to=2026-02-01"
    body = as_zoya.get(f"{path}&tz=Asia/Karachi&by=agent&key=csat,fcr").json()
    assert (body["from"], body["to"], body["tz"], body["window"], body["by"]) == (
        "2026-01-01", "2026-02-01", "Asia/Karachi", 7, "agent",
    )  # fmt: skip
    assert list(body["figures"]) == ["csat", "fcr"]
    assert (body["figures"]["csat"]["numerator"], body["figures"]["csat"]["denominator"]) == (2, 4)
    assert [(one["key"], one["label"]) for one in body["groups"]] == [(sana.pk, "Sana"), (None, "Outside Rabta")]
    assert set(as_zoya.get("/reports/kpis/").json()["figures"]) == set(engine.KEYS)
    own = as_sana.get(f"{path}&key=csat").json()["figures"]["csat"]
    assert (own["numerator"], own["denominator"]) == (0, 1)
    assert as_sana.get(f"{path}&key=csat&agent=me").json()["figures"]["csat"] == own
    problem(as_sana.get(f"{path}&agent={omar.pk}"), 403)
    for wrong in ("nope=1", "by=moon", "key=csat,moon", "tz=Mars", "from=2026-02-01", "from=1066-10-14", "channel=x"):
        problem(as_zoya.get(f"/reports/kpis/?to=2026-02-01&{wrong}"), 400)
    with pytest.raises(PermissionDenied):
        engine.seen_by(sana, replace(JANUARY, agents=(omar.pk,)))
    sana.role = Role.LIGHT
    sana.save()
    problem(as_sana.get(path), 403)  # as on the page: who answers nobody has no figures


def test_journeys_and_measures_of_others(support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    from channels_chat.models import JourneyRun

    for day in range(4):
        JourneyRun.objects.create(
            channel=support,
            journey="buy",
            visit=str(day),
            started_at=DAY + timedelta(days=day),
            completed_at=NOW if day % 2 else None,
            contacted_at=NOW if day == 1 else None,
        )
    assert len(journeys_kept.kept()) == 1
    found = engine.figure("journey_abandonment", JANUARY)
    assert (found.value, found.denominator, found.extra["contacted"]) == (0.5, 4, {"started": 1, "completed": 1})
    days = engine.grouped(["journey_abandonment"], JANUARY, "day")
    assert [one.figures["journey_abandonment"].value for one in days][3:6] == [None, 1.0, 0.0]
    for by in engine.BREAKDOWNS:
        engine.grouped(["journey_abandonment", "sla"], JANUARY, by)
    tagged = engine.figure("journey_abandonment", replace(JANUARY, tags=("x",)))
    assert (tagged.value, tagged.extra) == (None, {"reason": "not_of_visits"})
    monkeypatch.setattr(running, "ALL", dict(engine.MEASURES))
    with pytest.raises(ValueError, match="already"):
        engine.measure("sla", "ratio")(lambda question, by: {})
