"""What this agent has written on the ticket but not sent, with the files that it names."""

from typing import Any

from django.db.models import Exists, F, Func, OuterRef, QuerySet, Value

from inbox.actions.drafts import MOST_FILES
from inbox.models import Agent, Attachment, Draft, MessageKey, Ticket


def draft(agent: Agent, ticket: Ticket) -> QuerySet[Draft, Any]:
    # One that became a message in the very moment it was kept again is none.
    sent = MessageKey.objects.filter(scope=Value(f"client:{agent.pk}"), key=OuterRef("client_id"))
    return (
        Draft.objects.filter(agent=agent, ticket=ticket, side__isnull=True)
        .exclude(Exists(sent))
        .values(
            "kind",
            "channel_id",
            "subject",
            "text",
            "html",
            "recipients",
            "attachments",
            "client_id",
            "newest",
            "version",
        )[:1]
    )


def files(agent: Agent, ticket: Ticket) -> QuerySet[Attachment, Any]:
    named = Draft.objects.filter(agent=agent, ticket=ticket, side__isnull=True)
    named = named.annotate(one=Func(F("attachments"), function="unnest"))
    return (
        Attachment.objects.filter(uploaded_by=agent, message__isnull=True, pk__in=named.values("one"))
        .order_by("pk")
        .values("pk", "name", "size", "content_id")[:MOST_FILES]
    )
