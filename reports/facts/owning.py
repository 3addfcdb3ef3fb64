"""When a bot had the ticket, and when it gave it to a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from inbox.models import ActorKind
from reports.facts.history import History, Line, World
from reports.facts.saying import CUSTOMER, HUMAN, Said

TAKES = timedelta(minutes=1)  # until a bot that is told of a message has its ticket
GIVEN = frozenset({"chat_requested", "bot_handoff"})


class Hand(NamedTuple):
    """From `at` on a bot has the ticket (`bot` says which), or no bot has it any more."""

    at: datetime
    bot: int | None
    told_at: datetime


def hands_of(history: History, lines: Sequence[Line], said: Sequence[Said], world: World) -> list[Hand]:
    """Each time that a bot took the ticket or gave it away, in order."""
    given = [line for talk in history.talks for line in talk.lines if line.kind in GIVEN]
    if not world.bots:
        return []
    found: list[Hand] = []
    owner: int | None = None
    for line in sorted([*lines, *given], key=lambda line: (line.at, line.id)) if given else lines:
        if line.kind in GIVEN:
            if owner in world.bots:
                found.append(Hand(line.at, None, line.at))
                owner = None
            continue
        if line.kind == "ticket_created":
            new = line.data.get("assignee")
        elif line.kind == "assigned" and "to" in line.data:
            new = line.data["to"]
        else:
            continue
        if new in world.bots and owner != new:
            itself = owner is None and line.actor_kind in (ActorKind.BOT, ActorKind.SYSTEM)
            since = _heard(line, said) if itself else line.at
            found.append(Hand(max(since, found[-1].at) if found else since, new, line.at))
        elif owner in world.bots and new not in world.bots:
            found.append(Hand(line.at, None, line.at))
        owner = new
    return found


def _heard(line: Line, said: Sequence[Said]) -> datetime:
    """When a bot that takes a ticket by itself has it: since what it takes it for was written, a moment before; though
    never since before it was given away.
    """
    for one in reversed(said):
        if one.at > line.at:
            continue
        if one.who == HUMAN or line.at - one.at > TAKES:
            break
        if one.who == CUSTOMER:
            return one.at
    return line.at
