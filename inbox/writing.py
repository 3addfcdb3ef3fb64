"""What the composer knows of a channel while somebody writes: formatting, lengths, and what will stand under it."""

from __future__ import annotations

from typing import Any

from inbox.adapters import kinds
from inbox.models import Agent, Channel, Ticket


def told(ticket: Ticket, channel: Channel, agent: Agent) -> dict[str, Any]:
    """`rich`, `limit` and `signature` of a reply that this agent writes on this channel; no queries of its own."""
    adapter = kinds().get(channel.kind)
    if adapter is None:
        return {"rich": False, "limit": None, "signature": ""}
    return {
        "rich": adapter.rich_text,
        "limit": adapter.limit,
        "signature": adapter.signature(ticket, channel, agent),
    }
