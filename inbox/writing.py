"""What the composer knows of a channel while somebody writes: formatting, lengths, and what will stand under it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inbox import fitting
from inbox.adapters import kinds
from inbox.models import Agent, Channel, Ticket

OPTION = "option."  # how the names of the fields begin that a channel's kind has beside the text
# Those of them that say who is to read it, each with what says that everybody is.
FOR_ALL = {"way": {"public"}, "public": {"yes", "ask"}}


def options_of(said: Mapping[str, str]) -> dict[str, str]:
    """What these fields say, as `Adapter.prepare` and `composer_panel` take it: those that are filled in, without that
    beginning.
    """
    return {
        name.removeprefix(OPTION): value for name, value in said.items() if name.startswith(OPTION) and value.strip()
    }


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
