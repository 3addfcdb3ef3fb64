"""The newest of a customer's journey, without what the open conversation shows anyway."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Left

from inbox import access
from inbox.models import Agent, Customer, CustomerEvent, CustomerMerge, Message, Ticket

MOST = 5
LETTERS = 160
MOST_EVENTS = 30  # page views of one visit are one line


def merges(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[CustomerMerge, Any]:
    found = CustomerMerge.objects.filter(into=customer, undone_at__isnull=True, source__erased_at__isnull=True)
    return found.order_by("-pk").values("id", "source", "source__name", "at", "by__name")[:MOST]


def events(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[CustomerEvent, Any]:
    found = CustomerEvent.objects.filter(customer=customer).order_by("-at", "-pk")
    return found.values("id", "kind", "at", "data", "external_id")[:MOST_EVENTS]


def wrote(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Message, Any]:
    found = Message.objects.filter(customer=customer, deleted_at__isnull=True, ticket__in=access.tickets(agent))
    if ticket is not None:
        found = found.exclude(ticket=ticket)
    return found.order_by("-pk").values(
        "id", "created_at", "direction", "origin", "payload", "channel__kind", "channel__name",
        "ticket", "ticket__subject", said=Left("visible_text", LETTERS),
    )[: MOST + 1]  # fmt: skip
