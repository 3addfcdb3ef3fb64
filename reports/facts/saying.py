"""Who said what, as figures count it: customers, people here, bots, machines. All else was not said to anybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from inbox.adapters import AUTOMATIC
from inbox.models import AuthorKind, DeliveryState, Direction, Origin
from reports.facts.history import Words
from reports.models import TrafficKind

LEFT = frozenset({DeliveryState.SENT.value, DeliveryState.DELIVERED.value, DeliveryState.READ.value,
                  DeliveryState.UNKNOWN.value})  # fmt: skip
PRESSED = frozenset({"button", "system"})  # a bot's button, and what a platform says of a number: nobody's words
CUSTOMER, HUMAN, BOT, AUTO = (
    TrafficKind.CUSTOMER.value,
    TrafficKind.HUMAN.value,
    TrafficKind.BOT.value,
    TrafficKind.AUTOMATIC.value,
)


class Said(NamedTuple):
    """Something said in public, at the time that counts; `written` is when it was written."""

    at: datetime
    written: datetime
    id: int
    who: str
    agent_id: int | None
    channel_id: int
    call: bool
    public: bool
    imported: bool


def said_in(words: Iterable[Words]) -> list[Said]:
    """What of these was said, in the order of time; of equal times the customer's comes first."""
    found = [one for each in words if (one := _said(each)) is not None]
    found.sort(key=lambda one: (one.at, one.who != CUSTOMER, one.id))
    return found


def _said(words: Words) -> Said | None:
    if words.side_id is not None or words.direction == Direction.NOTE:
        return None
    if words.direction == Direction.IN:
        if words.content_kind in PRESSED or words.survey:
            return None
        who, at = AUTO if words.kind in AUTOMATIC else CUSTOMER, min(words.created_at, words.received_at)
    else:
        logged = words.origin == Origin.LOGGED
        if words.state not in LEFT and not logged:
            return None
        who, at = _ours(words), words.sent_at or words.created_at
    imported = words.origin == Origin.IMPORT
    agent = words.agent_id if who in (HUMAN, BOT) else None
    return Said(at, words.created_at, words.id, who, agent, words.channel_id, words.call, words.public, imported)


def _ours(words: Words) -> str:
    if words.kind in AUTOMATIC:
        return AUTO
    if words.author_kind == AuthorKind.AGENT or words.origin == Origin.ECHO:
        return HUMAN
    return BOT if words.author_kind == AuthorKind.BOT else AUTO
