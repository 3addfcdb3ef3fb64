"""What is recorded of oneself, a day at a time. Nobody is shown another's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import F, Sum
from django.utils import timezone

from inbox import access
from inbox.models import Agent
from reports.models import Activity, HandlingFact, Talk

MOST = 3_000  # stretches of a day that are listed


@dataclass(frozen=True, slots=True)
class Stretch:
    started_at: datetime
    ended_at: datetime
    idle: bool


@dataclass(slots=True)
class OfTicket:
    """`subject` is empty where one does not see the ticket any more."""

    number: int
    subject: str = ""
    seen: bool = False
    used: float = 0.0
    unused: float = 0.0
    counted: float = 0.0
    stretches: list[Stretch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Day:
    tickets: list[OfTicket]
    talks: list[Talk]
    used: float
    unused: float
    counted: float
    cut: bool


def day_of(agent: Agent, day: date) -> Day:
    """What was recorded of this agent on a day by their own clock; seconds."""
    zone = timezone.get_current_timezone()
    start, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    found: dict[int, OfTicket] = {}
    rows = Activity.objects.filter(agent=agent, started_at__gte=start, started_at__lt=end).order_by("started_at", "pk")
    listed = list(rows.values_list("ticket_id", "started_at", "ended_at", "idle")[: MOST + 1])
    for number, began, ended, idle in listed[:MOST]:
        of = found.setdefault(number, OfTicket(number))
        of.stretches.append(Stretch(began, ended, idle))
        seconds = (ended - began).total_seconds()
        of.used += 0 if idle else seconds
        of.unused += seconds if idle else 0
    facts = HandlingFact.objects.filter(agent_id=agent.pk, quarter__gte=start, quarter__lt=end)
    spent = Sum(F("focus") + F("call") + F("chat") + F("wrap_up"))
    for number, counted in facts.values_list("ticket_id").annotate(spent=spent).order_by("ticket_id"):
        if counted:
            found.setdefault(number, OfTicket(number)).counted = counted
    for number, subject in access.tickets(agent).filter(pk__in=found).values_list("pk", "subject"):
        found[number].subject, found[number].seen = subject, True
    talks = Talk.objects.filter(agent_id=agent.pk, started_at__gte=start, started_at__lt=end).exclude(kind="after")
    tickets = list(found.values())
    return Day(
        tickets,
        list(talks.select_related("engagement").order_by("started_at", "pk")[:MOST]),
        sum(one.used for one in tickets),
        sum(one.unused for one in tickets),
        sum(one.counted for one in tickets),
        len(listed) > MOST,
    )
