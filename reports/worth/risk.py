"""Customers who may be leaving: something went badly, and then they were not heard of again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy

from inbox import access
from inbox.models import Agent, Customer, Ticket
from reports.engine.choices import left_out
from reports.models import AnswerFact, Revenue, SurveyKind, TicketFact
from reports.worth.counting import seen_tickets

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LOOKS_BACK = timedelta(days=180)  # what is older is no reason any more
LONG_WAIT = timedelta(days=1)
SILENCES = (14, 30, 60, 90)  # days
SILENCE = 30
PAGE = 50
MOST_REASONS = 4  # of one customer

REASONS: dict[str, StrOrPromise] = {
    "score": gettext_lazy("gave a bad score"),
    "denied": gettext_lazy("said that it was not solved"),
    "reopened": gettext_lazy("it came up again after it was solved"),
    "wait": gettext_lazy("waited for more than a day"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    at: datetime
    ticket: int | None

    @property
    def words(self) -> StrOrPromise:
        return REASONS[self.code]


@dataclass
class AtRisk:
    customer: Customer
    total: int | None  # what they paid in all
    reasons: list[Reason] = field(default_factory=list)

    @property
    def shown(self) -> list[Reason]:
        return self.reasons[:MOST_REASONS]


Rows = QuerySet[Any, Any]


def reasons(viewer: Agent, since: datetime) -> dict[str, tuple[Rows, str]]:
    """Of each reason the rows that give it, and the name of their time; of tickets that this agent sees
    and that count."""
    answers, tickets = AnswerFact.objects.filter(imported=False), TicketFact.objects.filter(imported=False)
    seen = seen_tickets(viewer)
    if seen is not None:
        answers, tickets = answers.filter(ticket__in=seen), tickets.filter(ticket__in=seen)
    names = left_out()
    if names:  # tests and demonstrations, as in the figures
        left = Ticket.objects.filter(tags__overlap=list(names)).order_by().values("pk")
        answers, tickets = answers.exclude(ticket__in=left), tickets.exclude(ticket__in=left)
    bad = Q(kind=SurveyKind.CSAT, value__lte=2) | Q(kind=SurveyKind.NPS, value__lte=6)
    bad |= Q(kind=SurveyKind.CES, value__lte=3)
    waited = Q(customer_wait__gte=LONG_WAIT.total_seconds(), last_solved_at__gte=since)
    return {
        "score": (answers.filter(bad, answered_at__gte=since), "answered_at"),
        "denied": (tickets.filter(denied_at__gte=since), "denied_at"),
        "reopened": (tickets.filter(reopened_at__gte=since), "reopened_at"),
        "wait": (tickets.filter(waited), "last_solved_at"),
    }


def customers(viewer: Agent, now: datetime, silence: int = SILENCE) -> QuerySet[Customer]:
    """Those with a reason in the last half year of whom nothing was heard, and who bought nothing, for `silence` days;
    who paid most stands first.
    """
    quiet = now - timedelta(days=silence)
    any_reason = Q(pk__in=[])
    for rows, at in reasons(viewer, now - LOOKS_BACK).values():
        any_reason |= Q(pk__in=rows.filter(**{f"{at}__lt": quiet}).order_by().values("customer_id"))
    bought = Revenue.objects.filter(customer=OuterRef("pk"), at__gte=quiet, amount__gt=0)
    found = access.customers(viewer).filter(any_reason, last_seen_at__lt=quiet).exclude(Exists(bought))
    return found.annotate(paid=F("worth__total")).order_by(F("paid").desc(nulls_last=True), "-last_seen_at", "-pk")


def told(viewer: Agent, found: Iterable[Customer], now: datetime) -> list[AtRisk]:
    """These customers with their reasons, the newest first: one query each reason, however many customers."""
    rows = [AtRisk(one, getattr(one, "paid", None)) for one in found]
    by_customer: dict[int, list[Reason]] = defaultdict(list)
    wanted = [row.customer.pk for row in rows]
    for code, (facts, at) in reasons(viewer, now - LOOKS_BACK).items():
        for pk, when, ticket in facts.filter(customer_id__in=wanted).values_list("customer_id", at, "ticket_id"):
            by_customer[pk].append(Reason(code, when, ticket))
    for row in rows:
        row.reasons = sorted(by_customer[row.customer.pk], key=lambda reason: reason.at, reverse=True)
    return rows
