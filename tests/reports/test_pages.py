"""Pages of figures: what is asked for, what they show, and that card, list and file tell the same numbers."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import access, jobs
from inbox.actions import exporting
from inbox.models import Agent, Channel, CustomerEvent, Event, Job, Role, Team, Ticket
from reports import engine, weekly
from reports.models import (
    Answer,
    AnswerFact,
    BotFact,
    HandlingFact,
    ResponseFact,
    SpanFact,
    Survey,
    Target,
    TicketFact,
    TrafficFact,
    WeeklyMail,
)
from reports.pages import asked as asking
from reports.pages import once, sections
from reports.pages.answers import Answers
from reports.pages.behind import Behind
from reports.pages.cards import KEYS, card
from tests.cast import member, question, sana, support, team

__all__ = ["sana", "support", "team"]

NOW = timezone.now().replace(microsecond=0)
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def mina(team: Team) -> Agent:
    return member("Mina", Role.MANAGER, team)


@pytest.fixture
def facts(support: Channel, team: Team, sana: Agent) -> list[Ticket]:
    """Ten tickets of the last days, eight of them solved by Sana, as facts tell of them."""
    found = [question(support, f"Question {number}") for number in range(10)]
    Ticket.objects.filter(pk__in=[one.pk for one in found[:4]]).update(tags=["delivery"], language="ur")
    survey = Survey.objects.create(name="After", kind="csat")
    for number, ticket in enumerate(found):
        opened = NOW - timedelta(days=number + 1)
        solved = opened + timedelta(hours=2) if number < 8 else None
        agent = sana.pk if solved else None
        of_it: dict[str, Any] = {"ticket": ticket, "channel_id": support.pk, "team_id": team.pk, "agent_id": agent}
        both: dict[str, Any] = {}
        if solved:
            for which in ("first", "last"):
                both |= {
                    f"{which}_solved_at": solved, f"{which}_agent_id": agent, f"{which}_team_id": team.pk,
                    f"{which}_priority": "normal",
                }  # fmt: skip
            both |= {"resolution_first": 7200, "resolution_full": 7200, "customer_wait": 600, "answers_before": 1}
            both |= {"resolution_first_business": 600, "resolution_full_business": 600}
        TicketFact.objects.create(
            **of_it, customer_id=ticket.customer_id, began_at=opened, opened_at=opened, priority="normal",
            done=bool(solved), one_contact=number % 4 != 3, waiting_since=None if solved else opened, **both,
        )  # fmt: skip
        SpanFact.objects.create(
            **of_it, state="us", started_at=opened, ended_at=solved, priority="normal", unsolved_since=opened,
            enters=True, leaves=bool(solved),
        )  # fmt: skip
        quarter = opened.replace(minute=0, second=0)
        TrafficFact.objects.create(**of_it, kind="customer", quarter=quarter, count=number + 1)
        if solved:
            ResponseFact.objects.create(
                **of_it, first=True, asked_at=opened, answered_at=opened + timedelta(minutes=10), seconds=600,
                business=300, total=600, first_seconds=600, first_business=300, first_total=600, priority="normal",
            )  # fmt: skip
            HandlingFact.objects.create(**of_it, quarter=quarter, focus=120.0, actions=1)
            answer = Answer.objects.create(
                survey=survey, ticket=ticket, customer=ticket.customer, value=5 if number else 2, answered_at=solved
            )
            AnswerFact.objects.create(
                answer=answer, kind="csat", survey_id=survey.pk, customer_id=ticket.customer_id, asked_at=opened,
                answered_at=solved, value=answer.value, priority="normal", **of_it,
            )  # fmt: skip
    BotFact.objects.create(
        ticket=found[0], channel_id=support.pk, began_at=NOW - timedelta(days=1), last_heard_at=NOW,
        steps=["hello", "order"], fallbacks=2,
    )  # fmt: skip
    CustomerEvent.objects.create(customer=found[0].customer, kind="order", at=NOW - timedelta(hours=20))
    return found


def browser(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def ask(agent: Agent, query: str = "") -> asking.Asked:
    return asking.of(agent, QueryDict(query))


def test_the_page_and_its_parts(facts: list[Ticket], mina: Agent) -> None:
    client = browser(mina)
    page = client.get("/reports/?period=90").content.decode()
    parts = [url.replace("&amp;", "&") for url in re.findall(r'data-part hx-get="([^"]+)"', page)]
    assert len(parts) == len(KEYS) + 8 and all("period=90" in url for url in parts)
    counted, shown = 0, {}
    for url in parts:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(url, headers=PART)
        assert answer.status_code == 200
        shown[url.split("?")[0].removeprefix("/reports/")] = text = answer.content.decode()
        assert "style=" not in text and "<script" not in text  # the content policy would refuse it
        if "/cards/" in url:
            counted += len(queries)  # who asks, and all that the card shows
    assert counted <= 25
    fcr, flow, agents = shown["cards/fcr/"], shown["parts/flow/"], shown["parts/agents/"]
    assert "75.0" in fcr and "provisional" in fcr and 'role="img"' in fcr
    assert "2:00" in shown["cards/aht/"] and "87.5" in shown["cards/csat/"] and "10" in shown["cards/first_response/"]
    assert "Comes with service levels" in shown["cards/sla/"] and "wait on us" in shown["cards/backlog/"]
    assert "<details" in flow and '<th scope="row"' in flow and "8 solved" in flow
    assert "Sana" in agents and "n = 8" in agents and "delivery" in shown["parts/issues/"]
    assert "Ordered after a contact" in shown["parts/more/"]
    bots = client.get("/reports/bots/").content.decode()
    assert "hello" in bots and "100.0%" in bots
    for missing in ("cards/none/", "parts/none/", "tickets/", "export/?by=moon", "tickets/?figure=fcr&part=moon",
                    "tickets/?figure=fcr&by=day&group=x", "tickets/?figure=fcr&by=day&group=9999-12-31"):  # fmt: skip
        assert client.get(f"/reports/{missing}").status_code == 404, missing
    empty = client.get("/reports/parts/flow/?from=2001-01-01&through=2001-01-02", headers=PART).content.decode()
    assert "Nothing was opened" in empty and '<svg class="chart' not in empty


QUERIES = ("channel=support&period=7&zone=Asia/Karachi", "tag=delivery&language=ur&agent={sana}", "priority=high",
           "team=support&hours=business")  # fmt: skip


def test_card_list_and_file_tell_the_same(facts: list[Ticket], mina: Agent, sana: Agent) -> None:
    for query in QUERIES:
        _tells_the_same(query.format(sana=sana.pk), mina)
    Ticket.objects.filter(pk=facts[0].pk).update(tags=["=1+1"])
    filed = browser(mina).get("/reports/export/?by=tag").content.decode("utf-8-sig")
    assert "\n'=1+1,'=1+1,volume," in filed.replace("\r", "")  # no cell begins a formula


def _tells_the_same(query: str, mina: Agent) -> None:
    asked = ask(mina, query)
    assert not asked.problems
    rows = csv.DictReader(io.StringIO(browser(mina).get(f"/reports/export/?{query}").content.decode("utf-8-sig")))
    filed = {row["Figure"]: row for row in rows}
    for key in KEYS:
        shown = card(key, asked)
        value = shown.figure.value
        assert filed[key]["Value"] == ("" if value is None else str(value))
        for part in engine.parts(key):
            behind = Behind.of(asked, QueryDict(f"figure={key}&part={part}"))
            wanted = getattr(shown.figure, part, None)
            if wanted is not None and key != "nps":
                assert behind.total == pytest.approx(wanted), (key, part)
    by_agent = sections.agents(asked)
    assert sum(int(row.cells[0].words) for row in by_agent.rows) == (engine.figure("solved", asked.question).value or 0)


def test_the_tickets_behind_a_number(facts: list[Ticket], mina: Agent) -> None:
    client = browser(mina)
    page = client.get("/reports/tickets/?figure=fcr&part=numerator&by=agent&group=").content.decode()
    assert "There is no ticket behind this number" in page
    page = client.get("/reports/tickets/?figure=fcr&part=numerator").content.decode()
    assert (
        page.count("data-row>") == 6
        and "Question 0" in page
        and "6 of 8" in page
        and f"/tickets/{facts[0].pk}/" in page
    )
    sent = {"behind": "figure=messages_in&part=n&period=30", "columns": ["number", "subject"], "client_id": "once"}
    for _twice in range(2):
        assert client.post("/reports/tickets/export/", sent, headers=PART).status_code == 200
    job = Job.objects.get()
    jobs.work(job.pk)
    job.refresh_from_db()
    lines = list(csv.reader(io.StringIO(b"".join(exporting.content(job)).decode("utf-8-sig"))))
    assert lines[0] == ["Number", "Subject", "Adds to the figure"] and len(lines) == 11
    assert sum(float(line[2]) for line in lines[1:]) == engine.figure("messages_in", ask(mina).question).value == 55
    assert exporting.is_seen(job, mina)
    assert client.post("/reports/tickets/export/", {**sent, "behind": "figure=moon"}).status_code == 404


def test_who_sees_what(facts: list[Ticket], mina: Agent, sana: Agent) -> None:
    outside = member("Elsewhere", Role.MANAGER, None)
    assert access.tickets(outside).count() == 0
    client = browser(outside)
    answer = client.get("/reports/tickets/?figure=volume&part=n").content.decode()
    assert "Question" not in answer and engine.figure("volume", ask(outside).question).value == 0
    assert ask(outside, "team=support&channel=support").problems  # as if they were not there
    own = ask(sana, f"agent={mina.pk}")
    assert own.own and [one.pk for one in own.agents] == [sana.pk] and "agent" not in own.query
    client = browser(sana)
    page = client.get("/reports/").content.decode()
    assert "My figures" in page and "/parts/agents/" not in page and "reports/export" not in page
    assert client.get("/reports/parts/agents/").status_code == 404
    for url in ("bots/", "export/", "answers/export/"):
        assert client.get(f"/reports/{url}").status_code == 403
    assert client.post("/reports/targets/fcr/", {"target": "70"}).status_code == 403
    assert client.post("/reports/tickets/export/", {"behind": "figure=fcr"}).status_code == 403
    light = browser(member("Lena", Role.LIGHT, None))
    refused = light.get("/reports/")
    assert refused.status_code == 403 and "not for your role" in refused.content.decode()
    assert light.get("/reports/cards/fcr/", headers=PART).status_code == 403
    assert Client().get("/reports/").status_code == 302


def test_answers_and_their_words(facts: list[Ticket], mina: Agent, sana: Agent) -> None:
    after = Survey.objects.get(name="After")
    after.further = [
        {"key": "q0", "kind": "choice", "when": "all", "text": {"en": "Else?"}, "choices": [{"en": "A"}, {"en": "B"}]},
        {"key": "q1", "kind": "open", "when": "all", "text": {"en": "Why?"}},
    ]
    after.save()
    bad = Answer.objects.get(value=2)
    Answer.objects.filter(pk=bad.pk).update(comment="=Slow <b>", further={"q0": 1, "q1": "Because"})
    asked = ask(mina)
    found = Answers.of(asked, QueryDict(""))
    csat = engine.figure("csat", asked.question)
    spread = {bar.name: bar.count for bar in found.spread.bars}
    assert [spread[name] for name in ("2 · Dissatisfied", "5 · Very satisfied")] == [1, 7] and csat.n == 8
    assert {str(bar.name[0]): bar.count for bar in found.spread.bars} == csat.extra
    choice, words = found.further
    assert [bar.count for bar in choice.bars] == [0, 1] and (words.name, words.count) == ("Why?", 1)
    client = browser(mina)
    with CaptureQueriesContext(connection) as counted:
        page = client.get("/reports/answers/").content.decode()
    assert len(counted) <= 20
    assert page.count('class="answer-row"') == 8 and "=Slow &lt;b&gt;" in page and "Because" in page
    for only, count in (("bad", 1), ("good", 7), ("words", 1), ("moon", 8)):
        assert client.get(f"/reports/answers/?only={only}").content.decode().count('class="answer-row"') == count
    lines = list(csv.reader(io.StringIO(client.get("/reports/answers/export/?only=bad").content.decode("utf-8-sig"))))
    assert [line[6:] for line in lines[1:]] == [["2", "2 of 5", "'=Slow <b>", "Else?: B\nWhy?: Because"]]
    assert lines[1][5] == sana.name
    narrowed = client.get("/reports/answers/?tag=delivery").content.decode()
    assert narrowed.count('class="answer-row"') == 4
    assert client.get(f"/reports/answers/?agent={mina.pk}").content.decode().count('class="answer-row"') == 0
    own = browser(sana).get("/reports/answers/").content.decode()  # agents read what was said of their own work
    assert own.count('class="answer-row"') == 8 and "answers/export" not in own
    AnswerFact.objects.filter(answer=bad).update(agent_id=None)
    assert "Because" not in browser(sana).get("/reports/answers/").content.decode()
    outside = browser(member("Elsewhere", Role.MANAGER, None)).get("/reports/answers/").content.decode()
    assert "answer-row" not in outside
    Survey.objects.create(name="Further", kind="open", active=True)
    assert "Further" in client.get("/reports/answers/").content.decode()


def test_targets(facts: list[Ticket], mina: Agent) -> None:
    client = browser(mina)
    for typed in ("70", "70", "seventy", "1e99", "-5", "120"):
        client.post("/reports/targets/fcr/", {"target": typed, "next": "/reports/?period=7"})
    assert Target.objects.get().value == pytest.approx(0.7) and Event.objects.filter(kind="target_set").count() == 1
    page = client.get("/reports/").content.decode()
    assert "no number for a target" in page
    url = next(one for one in re.findall(r'hx-get="([^"]+)"', page) if "cards/fcr" in one).replace("&amp;", "&")
    shown = client.get(url).content.decode()
    assert "target 70.0%" in shown and 'class="target"' in shown and 'value="70"' in shown
    assert "figure-target met" in shown
    client.post("/reports/targets/fcr/", {"target": ""})
    assert not Target.objects.exists() and client.post("/reports/targets/moon/").status_code == 404


def test_the_weekly_mail_leaves_once(facts: list[Ticket], mina: Agent, sana: Agent) -> None:
    for agent, weekday in ((mina, "0"), (sana, "2")):
        assert browser(agent).post("/reports/weekly/", {"weekday": weekday}).status_code == 302
    Agent.objects.filter(pk=mina.pk).update(language="ur", time_zone="Asia/Karachi")
    monday = NOW.astimezone(UTC) + timedelta(days=7 - NOW.astimezone(UTC).weekday())
    early, due = (monday.replace(hour=hour, minute=0) for hour in (2, 4))  # 7:00 and 9:00 in Karachi
    assert [weekly.send_due(early), weekly.send_due(due), weekly.send_due(due)] == [0, 1, 0]
    [letter] = mail.outbox
    assert letter.to == [mina.email] and letter.extra_headers["Auto-Submitted"] == "auto-generated"
    assert isinstance(letter, EmailMultiAlternatives)
    [(page, kind)] = letter.alternatives
    page = str(page)
    assert kind == "text/html" and 'dir="rtl"' in page and "/reports/?from=" in letter.body and "Asia%2FKarachi" in page
    late = due + timedelta(days=3)  # Sana's was to leave yesterday morning, and still does
    assert [weekly.send_due(late), weekly.send_due(late), weekly.send_due(due + timedelta(days=7))] == [1, 0, 1]
    browser(mina).post("/reports/weekly/", {"weekday": ""})
    assert not WeeklyMail.objects.filter(agent=mina).exists()
    assert "weekly-mail" in browser(mina).get("/settings/profile/").content.decode()


def test_what_an_address_asks_for(mina: Agent) -> None:
    now = datetime(2026, 3, 15, 20, tzinfo=UTC)  # already the 16th in Karachi

    def days(query: str) -> tuple[date, date]:
        found = asking.of(mina, QueryDict(query), now)
        assert asking.of(mina, QueryDict(found.query), now) == found, query  # an address asks for the same again
        return found.start, found.end

    assert days("") == (date(2026, 2, 14), date(2026, 3, 16))
    assert days("zone=Asia/Karachi&period=7") == (date(2026, 3, 10), date(2026, 3, 17))
    assert days("period=last-week") == (date(2026, 3, 2), date(2026, 3, 9))
    assert days("period=last-month") == (date(2026, 2, 1), date(2026, 3, 1))
    assert days("from=2026-01-01&through=2026-01-31") == (date(2026, 1, 1), date(2026, 2, 1))
    assert days("through=2026-01-31") == (date(2026, 1, 31), date(2026, 2, 1))
    far = asking.of(mina, QueryDict("from=1900-01-01&through=2026-03-15"), now)
    assert (far.start, far.end) == days("") and "1900-01-01" in far.problems[0]
    for wrong in ("period=moon", "zone=Moon/Base", "from=2026-02-30", "channel=moon", "agent=x", "priority=x",
                  "from=2026-02-02&through=2026-01-01", "from=2010-01-01&through=2026-01-01"):  # fmt: skip
        found = asking.of(mina, QueryDict(wrong), now)
        assert found.problems and found.start < found.end, wrong
    chosen = asking.of(mina, QueryDict("tag=a&tag=b&priority=high&hours=business"), now)
    assert [words for _label, words, _query in chosen.chips()] == ["a", "b", "High"]
    assert "tag=a" not in chosen.chips()[0][2] and "hours=business" in chosen.chips()[0][2]


def test_a_page_is_its_viewers_alone(facts: list[Ticket], mina: Agent, sana: Agent) -> None:
    """The name that a page gives its cards leads nobody else to it, and whose rights have changed not either."""
    asked = ask(mina, "channel=support&period=7")
    name = once.keep(asked)
    again = once.found(Agent.objects.get(pk=mina.pk), name)
    assert again is not None and again.question == asked.question and again.viewer == mina
    lists = [f"/reports/tickets/?figure=volume&part=n{more}" for more in ("", f"&once={once.keep(ask(mina, 'tag=x'))}")]
    plain, named = (browser(mina).get(url).content.decode() for url in lists)
    assert plain.count("Question") == named.count("Question") > 0  # a list asks anew who sees what
    assert once.found(sana, name) is None and once.found(mina, "moon\x00") is None and once.found(mina, "") is None
    Agent.objects.filter(pk=mina.pk).update(role=Role.AGENT)
    assert once.found(Agent.objects.get(pk=mina.pk), name) is None
    with CaptureQueriesContext(connection) as queries:
        browser(sana).get(f"/reports/cards/fcr/?channel=support&once={name}")
    assert any("inbox_channel" in one["sql"] for one in queries)  # whoever has no such page has the address read
