"""What the composer knows of a channel while somebody writes: formatting, lengths, and what will stand under it."""

from __future__ import annotations

from typing import Any

from inbox import fitting
from inbox.adapters import kinds
from inbox.models import Agent, Channel, Ticket


def told(ticket: Ticket, channel: Channel, agent: Agent) -> dict[str, Any]:
    """`rich`, `takes` (`fitting.data`) and `signature` of a reply that this agent writes on this channel; no queries of
    its own.
    """
    adapter = kinds().get(channel.kind)
    if adapter is None:
        return {"rich": False, "takes": {}, "signature": ""}
    return {
        "rich": adapter.rich_text,
        "takes": fitting.data(adapter.takes(ticket, channel, {})),
        "signature": adapter.signature(ticket, channel, agent),
    }
