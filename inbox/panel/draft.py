"""What this agent has written on the ticket but not sent, with the files and macros that it names."""

from typing import Any

from django.db.models import Exists, F, Func, OuterRef, QuerySet, Value

from inbox import access
from inbox.actions.drafts import MOST_FILES
from inbox.models import Agent, Attachment, Draft, Macro, MessageKey, SideConversation, Ticket

FIELDS = (
    "kind", "channel_id", "subject", "text", "html", "recipients", "attachments", "macros", "client_id", "newest",
    "version",
)  # fmt: skip


def of(agent: Agent, ticket: Ticket | None, side: SideConversation | None = None) -> QuerySet[Draft]:
    """The draft of a ticket, of a side conversation, or (neither) of a new ticket."""
    return Draft.objects.filter(agent=agent, ticket=ticket, side=side)


def draft(agent: Agent, ticket: Ticket | None, side: SideConversation | None = None) -> QuerySet[Draft, Any]:
    # One that became a message in the very moment it was kept again is none.
    sent = MessageKey.objects.filter(scope=Value(f"client:{agent.pk}"), key=OuterRef("client_id"))
    found: QuerySet[Draft, Any] = of(agent, ticket, side).exclude(Exists(sent)).values(*FIELDS)
    return found[:1]


def files(agent: Agent, ticket: Ticket | None, side: SideConversation | None = None) -> QuerySet[Attachment, Any]:
    named = of(agent, ticket, side).annotate(one=Func(F("attachments"), function="unnest"))
    return (
        Attachment.objects.filter(uploaded_by=agent, message__isnull=True, pk__in=named.values("one"))
        .order_by("pk")
        .values("pk", "name", "size", "content_id", "content_type")[:MOST_FILES]
    )


def macros(agent: Agent, ticket: Ticket | None, side: SideConversation | None = None) -> QuerySet[Macro, Any]:
    """Those that are still there, and still this agent's to use."""
    named = of(agent, ticket, side).annotate(one=Func(F("macros"), function="unnest"))
    return access.kept(Macro, agent).filter(pk__in=named.values("one")).values("pk", "name", "actions")[:MOST_FILES]
