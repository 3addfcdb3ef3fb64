"""The customer's other tickets."""

from typing import Any

from django.db.models import QuerySet

from inbox import access
from inbox.models import Agent, Ticket

MOST = 5


def past(agent: Agent, ticket: Ticket) -> QuerySet[Ticket, Any]:
    """One more than are shown tells that there are more."""
    return (
        access.tickets(agent)
        .filter(customer=ticket.customer_id, merged_into__isnull=True, trashed_at__isnull=True)
        .exclude(number=ticket.number)
        .order_by("-last_message_at")
        .values("number", "subject", "status", "last_message_at")[: MOST + 1]
    )
