"""What a ticket's own properties need beside its row, and beside the fields: the colours of its tags."""

from typing import Any

from django.db.models import QuerySet

from inbox.models import Agent, Tag, Ticket


def tag_colours(agent: Agent, ticket: Ticket) -> QuerySet[Tag, Any]:
    return Tag.objects.filter(name__in=ticket.tags).exclude(colour="").values("name", "colour")
