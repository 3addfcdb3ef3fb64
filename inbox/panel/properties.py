"""What a ticket's own properties need beside its row: the organisation's fields, and the colours of its tags."""

from typing import Any

from django.db.models import QuerySet

from inbox import fields
from inbox.models import Agent, Tag, Ticket


def known_fields(agent: Agent, ticket: Ticket) -> QuerySet[Any, Any]:
    return fields.rows()


def tag_colours(agent: Agent, ticket: Ticket) -> QuerySet[Tag, Any]:
    return Tag.objects.filter(name__in=ticket.tags).exclude(colour="").values("name", "colour")
