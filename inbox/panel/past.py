"""The customer's other tickets."""

from typing import Any

from django.db.models import QuerySet

from inbox import access
from inbox.models import Agent, Ticket

MOST = 8


def past(agent: Agent, ticket: Ticket) -> QuerySet[Ticket, Any]:
    return (
        access.tickets(agent)
        .filter(customer=ticket.customer_id, merged_into__isnull=True, trashed_at__isnull=True)
        .exclude(number=ticket.number)
        .order_by("-last_message_at")
        .values("number", "subject", "status", "last_message_at")[:MOST]
    )
