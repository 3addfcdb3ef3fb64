"""Side conversations of a ticket, folded: with whom, how many messages, and how far they got on their way."""

from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value

from inbox.models import Agent, Direction, Message, SideConversation, Ticket

MOST = 50


def sides(agent: Agent, ticket: Ticket) -> QuerySet[SideConversation, Any]:
    """`states` changes whenever something in it is to be shown anew."""
    said = Message.objects.filter(side=OuterRef("pk"), deleted_at__isnull=True).order_by()
    written = said.filter(direction=Direction.OUT).order_by("-pk")
    each = said.values("side")
    return (
        SideConversation.objects.filter(ticket=ticket)
        .annotate(
            to=Subquery(written.values("to")[:1]),
            count=Subquery(each.annotate(n=Count("pk")).values("n")),
            states=Subquery(each.annotate(s=StringAgg("state", Value(","), order_by=["pk"])).values("s")),
            started=F("created_at"),
        )
        .order_by("-pk")
        .values("pk", "subject", "started", "last_message_at", "answered", "closed_at", "to", "count", "states")[:MOST]
    )
