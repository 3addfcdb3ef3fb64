"""The customer's own addresses, and who else takes part or listens."""

from typing import Any

from django.db.models import F, QuerySet

from inbox.models import Agent, Customer, Identity, Participant, Ticket, TicketFollower

MOST = 30


def identities(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Identity, Any]:
    """The addresses of a customer, retired ones last."""
    return (
        Identity.objects.filter(customer=customer)
        .order_by(F("retired_at").asc(nulls_first=True), "pk")
        .values("id", "kind", "value", "name", "verified_at", "verified_how", "retired_at", "shared")[:MOST]
    )


def others(agent: Agent, ticket: Ticket) -> QuerySet[Any, Any]:
    return (
        Participant.objects.filter(ticket=ticket, until__isnull=True)
        .exclude(identity__customer=ticket.customer_id)
        .order_by("pk")
        .values("pk", "role", "confirmed", "identity__kind", "identity__value", "identity__name", "identity__customer")[
            :MOST
        ]
    )


def following(agent: Agent, ticket: Ticket) -> QuerySet[Any, Any]:
    """One row if this agent follows the ticket, else none."""
    return TicketFollower.objects.filter(agent=agent, ticket=ticket).values("pk")[:1]
