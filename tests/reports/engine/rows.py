"""Facts written down by hand: a few of every kind, about two tickets a day, that figures are counted from in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from inbox.models import Agent, Channel, Customer, Team, Ticket
from reports.models import (
    Answer,
    AnswerFact,
    BotFact,
    ChatFact,
    HandlingFact,
    ResponseFact,
    SpanFact,
    Survey,
    TicketFact,
    TrafficFact,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
PRIORITIES = ("low", "normal", "high", "urgent")


def write_down(channels: list[Channel], teams: list[Team | None], agents: list[Agent | None]) -> list[Ticket]:
    """Facts of sixty tickets of December to February: each turns up in every table, in all ways there are."""
    customers = Customer.objects.bulk_create([Customer(name=f"Customer {n}") for n in range(15)])
    tickets = Ticket.objects.bulk_create([
        Ticket(
            customer=customers[n % 15],
            channel=channels[n % len(channels)],
            reply_channel=channels[n % len(channels)],
            team=teams[n % len(teams)],
            subject=f"Matter {n}",
            tags=[["late"], ["late", "broken"], []][n % 3],
            language=("en", "ur", "")[n % 3],
            type=("problem", "", "question")[n % 3],
            priority=PRIORITIES[n % 4],
        )
        for n in range(60)
    ])  # fmt: skip
    survey = Survey.objects.create(name="How was it?", kind="csat")
    kinds = cycle(("csat", "nps", "ces", "solved", "nps", "csat", "csat"))
    for n, ticket in enumerate(tickets):
        _one(n, ticket, {"channel_id": ticket.channel_id, "team_id": ticket.team_id}, agents[n % len(agents)])
        answers = [Answer(survey=survey, ticket=ticket, customer_id=ticket.customer_id) for _ in range(2)]
        for again, answer in enumerate(Answer.objects.bulk_create(answers)):
            _answer(3 * n + again, next(kinds), answer)
    return tickets


def _one(n: int, ticket: Ticket, place: dict[str, Any], agent: Agent | None) -> None:
    """The facts of one ticket but for its answers."""
    began = START + timedelta(days=n - 10, hours=n % 24, minutes=13 * n % 60)
    solved = began + timedelta(hours=1 + n % 50, seconds=n) if n % 5 else None
    who = {"agent_id": None if agent is None else agent.pk}
    both = {"ticket": ticket, "imported": n % 11 == 7, **place}
    fact = TicketFact(
        customer_id=ticket.customer_id,
        began_at=began,
        opened_at=None if n % 13 == 12 else began,
        ours_at=began if n % 13 == 12 else None,
        waiting_since=began if solved is None and n % 2 else None,
        priority=ticket.priority,
        done=bool(solved),
        **both,
        **who,
    )
    if solved:
        seconds = int((solved - began).total_seconds())
        for which in ("first", "last"):
            setattr(fact, f"{which}_solved_at", solved + timedelta(hours=which == "last" and n % 4))
            setattr(fact, f"{which}_agent_id", who["agent_id"])
            setattr(fact, f"{which}_team_id", ticket.team_id)
            setattr(fact, f"{which}_priority", ticket.priority)
        fact.resolution_first = seconds
        fact.resolution_first_business = seconds // 3
        fact.resolution_full = fact.customer_wait = seconds + 7
        fact.resolution_full_business = fact.customer_wait_business = seconds // 4
        fact.answers_before = n % 4
        fact.one_touch = n % 4 == 1
        fact.one_contact = n % 3 > 0
        fact.reopened_at = solved + timedelta(days=n % 9) if n % 4 == 2 else None
        fact.repeat_at = solved + timedelta(days=n % 12) if n % 6 == 1 else None
        fact.denied_at = solved + timedelta(days=n % 8) if n % 7 == 3 else None
    fact.save()
    ResponseFact.objects.bulk_create(
        ResponseFact(
            first=turn == 0,
            asked_at=began,
            answered_at=began + timedelta(hours=5 * turn + 1),
            seconds=3600 + n * turn,
            business=900,
            total=3700,
            first_seconds=3600 if turn == 0 else None,
            first_business=900 if turn == 0 else None,
            first_total=3700 + n if turn == 0 else None,
            priority=ticket.priority,
            **both,
            **who,
        )
        for turn in range(n % 4)
    )
    middle = began + timedelta(minutes=50)
    states = ((began, middle, "us", True, False), (middle, solved, "customer", False, bool(solved)))
    SpanFact.objects.bulk_create(
        SpanFact(
            state=state,
            started_at=starts,
            ended_at=ends,
            priority=ticket.priority,
            unsolved_since=began,
            enters=enters,
            leaves=leaves,
            **both,
            **who,
        )
        for starts, ends, state, enters, leaves in states
    )
    quarter = began.replace(minute=15, second=0)
    TrafficFact.objects.bulk_create(
        TrafficFact(
            kind=kind, quarter=quarter + timedelta(hours=at), count=1 + n % 3, priority=ticket.priority, **both, **who
        )
        for at, kind in enumerate(("customer", "human", "bot", "automatic")[: 1 + n % 4])
    )
    HandlingFact.objects.bulk_create(
        HandlingFact(
            quarter=quarter + timedelta(days=at),
            focus=61.125 * n % 200,
            chat=0.1 * (n % 7),
            estimated=30 * (n % 2),
            actions=(n + at) % 3,
            **both,
            **who,
        )
        for at in range(3)
    )
    ChatFact.objects.create(
        engagement_id=ticket.pk,
        offered_at=began,
        outcome=("answered", "abandoned", "short", "waiting", "message")[n % 5],
        in_schedule=n % 8 > 0,
        **both,
        **who,
    )
    BotFact.objects.create(
        began_at=began,
        last_heard_at=began + timedelta(minutes=5),
        handed_at=began if n % 3 == 0 else None,
        confirmed_at=began + timedelta(minutes=6) if n % 4 == 1 else None,
        **both,
        **who,
    )


def _answer(n: int, kind: str, answer: Answer) -> None:
    ticket = answer.ticket
    assert ticket is not None
    asked = START + timedelta(days=n % 50, hours=n % 24)
    answered = n % 4 > 0
    best = {"csat": 5, "nps": 10, "ces": 7, "solved": 1}[kind]
    AnswerFact.objects.create(
        answer=answer,
        kind=kind,
        ticket=None if kind == "nps" and n % 2 else ticket,
        customer_id=ticket.customer_id,
        channel_id=ticket.channel_id,
        team_id=ticket.team_id,
        priority=ticket.priority,
        imported=n % 11 == 7,
        asked_at=asked,
        failed=n % 9 == 0,
        answered_at=asked + timedelta(hours=3) if answered else None,
        value=max(best - n % 5, 0 if kind in ("nps", "solved") else 1) if answered else None,
    )
