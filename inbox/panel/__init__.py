"""What stands beside a conversation: each part a small read by itself, all of them one query.

A part returns a `values()` queryset of a few rows, of what this agent may see. Templates find its rows as
`panel.<key>`. Parts of the ticket take the agent and the ticket; parts of the customer, which stand on the customer's
own page as well, take the agent, the customer, and the ticket where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from inbox import mentions
from inbox.bundle import Row, together
from inbox.models import Agent, Customer, Ticket
from inbox.panel import customer, draft, journey, matter, past, people, properties, related, sides, twins

Part = Callable[[Agent, Ticket], QuerySet[Any, Any]]
CustomerPart = Callable[[Agent, Customer, Ticket | None], QuerySet[Any, Any]]

PARTS: dict[str, Part] = {
    "mentioned": mentions.unseen,
    "draft": draft.draft,
    "draft_files": draft.files,
    "draft_macros": draft.macros,
    "others": people.others,
    "past": past.past,
    "sides": sides.sides,
    "links": related.links,
    "linked": related.linked,
    "tag_colours": properties.tag_colours,
    "following": people.following,
    "matter_events": matter.events,
    "matter_tickets": matter.tickets,
    "matter_elsewhere": matter.elsewhere,
}
OF_CUSTOMER: dict[str, CustomerPart] = {
    "identities": people.identities,
    "notes": customer.notes,
    "cards": customer.cards,
    "colleagues": customer.colleagues,
    "fields": customer.fields,
    "merges": journey.merges,
    "events": journey.events,
    "wrote": journey.wrote,
    "same_address": twins.same_address,
    "same_name": twins.same_name,
    "same_hint": twins.same_hint,
}


def register(key: str, part: Part) -> None:
    """Let a part of another app be read with the others, as `panel.<key>`."""
    PARTS[key] = part


def register_customer(key: str, part: CustomerPart) -> None:
    """The same for what is read of a customer, on their own page as well."""
    OF_CUSTOMER[key] = part


def read(agent: Agent, ticket: Ticket) -> dict[str, list[Row]]:
    return together({
        **{key: part(agent, ticket) for key, part in PARTS.items()},
        **{key: part(agent, ticket.customer, ticket) for key, part in OF_CUSTOMER.items()},
    })  # fmt: skip


def read_customer(agent: Agent, found: Customer, *keys: str) -> dict[str, list[Row]]:
    """The parts of a customer, or those named, without a ticket beside them."""
    return together({key: OF_CUSTOMER[key](agent, found, None) for key in keys or OF_CUSTOMER})
