"""What stands beside a conversation: each part a small read by itself, all of them one query.

A part is a function of the agent and the ticket that returns a `values()` queryset of a few rows, of what this agent
may see. Templates find its rows as `panel.<key>`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from inbox import mentions
from inbox.bundle import Row, together
from inbox.models import Agent, Ticket
from inbox.panel import draft, past, people, properties, sides

Part = Callable[[Agent, Ticket], QuerySet[Any, Any]]

PARTS: dict[str, Part] = {
    "mentioned": mentions.unseen,
    "draft": draft.draft,
    "draft_files": draft.files,
    "identities": people.identities,
    "others": people.others,
    "past": past.past,
    "sides": sides.sides,
    "fields": properties.known_fields,
    "tag_colours": properties.tag_colours,
    "following": people.following,
}


def read(agent: Agent, ticket: Ticket) -> dict[str, list[Row]]:
    return together({key: part(agent, ticket) for key, part in PARTS.items()})
