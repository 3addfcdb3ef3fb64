"""The tickets that hang together with this one, in both directions."""

from typing import Any

from django.db.models import F, QuerySet, Value

from inbox import access
from inbox.models import Agent, Ticket, TicketLink

MOST = 100


def links(agent: Agent, ticket: Ticket) -> QuerySet[TicketLink, Any]:
    """What this ticket is of others."""
    found = TicketLink.objects.filter(source=ticket, target__in=access.tickets(agent)).order_by("-pk")
    return found.annotate(number=F("target"), way=Value("to")).values(
        "pk", "kind", "way", "number", "target__subject", "target__status"
    )[:MOST]


def linked(agent: Agent, ticket: Ticket) -> QuerySet[TicketLink, Any]:
    """What others are of this ticket."""
    found = TicketLink.objects.filter(target=ticket, source__in=access.tickets(agent)).order_by("-pk")
    return found.annotate(number=F("source"), way=Value("from")).values(
        "pk", "kind", "way", "number", "source__subject", "source__status"
    )[:MOST]
