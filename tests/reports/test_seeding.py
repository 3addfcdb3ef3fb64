"""A seeded history has what figures are counted from: chats, bots, surveys, revenue, and tickets that came again."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from inbox.models import Agent, Channel, Engagement, Event, Message
from reports import engine
from reports.engine import Question
from reports.facts import rebuilding
from reports.models import Activity, Answer, BotFact, ChatFact, CustomerValue, Revenue, TicketFact

pytestmark = pytest.mark.django_db


def told() -> list[tuple[Any, ...]]:
    first = Answer.objects.filter(ticket__isnull=False).order_by("pk")[0].ticket_id or 0
    rows = Answer.objects.order_by("pk").values_list("ticket_id", "survey__kind", "value")
    return [(number and number - first, kind, value) for number, kind, value in rows]


def test_what_figures_are_counted_from(sana: Agent) -> None:
    call_command("seed", tickets=500, days=90, verbosity=0)
    chats = Channel.objects.get(kind="chat")
    assert chats.paused
    assert 40 < Engagement.objects.filter(channel=chats).count() < 110
    assert not Message.objects.filter(ticket__engagements__isnull=False).exclude(channel=chats).exists()
    assert set(Answer.objects.values_list("survey__kind", flat=True)) == {"csat", "nps", "ces", "solved"}
    for kind, values in (("csat", range(1, 6)), ("nps", range(11)), ("ces", range(1, 8)), ("solved", range(2))):
        assert set(Answer.objects.filter(survey__kind=kind).values_list("value", flat=True)) <= {None, *values}
    assert not Answer.objects.filter(answered_at__gt=timezone.now()).exists()
    assert Event.objects.filter(kind="reopened", actor_kind="customer").exists()
    rebuilding.everything(0, lambda *_step: None)
    today = timezone.now().date()
    asked = Question(date(2020, 1, 1), date(today.year + 1, 1, 1), ZoneInfo("UTC"), timezone.now())
    found = engine.figures([*engine.KEYS, "retention"], asked)
    for key in ("first_response", "fcr", "one_touch", "csat", "nps", "nps_transactional", "ces", "fcr_confirmed",
                "reopen_rate", "abandonment", "containment_assumed", "backlog"):  # fmt: skip
        assert found[key].n or found[key].denominator, key
    assert found["fcr"].numerator and found["fcr"].numerator < (found["fcr"].denominator or 0)
    assert found["reopen_rate"].numerator
    assert TicketFact.objects.filter(live=True, one_touch=True).exists()
    assert (
        ChatFact.objects.filter(outcome="answered").exists() and ChatFact.objects.filter(outcome="abandoned").exists()
    )
    assert BotFact.objects.filter(handed_at__isnull=False).exists()
    assert BotFact.objects.filter(confirmed_at__isnull=False).exists()
    sums = dict(CustomerValue.objects.values_list("customer", "total"))
    assert sums and sum(sums.values()) == sum(Revenue.objects.values_list("amount", flat=True))
    assert Activity.objects.exclude(ended_at__gt=F("started_at")).count() == 0 < Activity.objects.count()
    first = told()
    Answer.objects.all().delete()
    call_command("seed", tickets=500, days=90, verbosity=0)
    assert told() == first, "one seed is one history"
    assert Channel.objects.filter(kind="chat").count() == 1
