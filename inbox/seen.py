"""What an agent has not read, and what they have begun to write: asked for the rows of one page at a time, with what
links them to others.

A row is unread when its last message is younger than the moment up to which its agent has read. Live rows are the same
for everybody; the page compares their `data-at` with what it knows of its own agent, and marks their drafts itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from inbox import linked
from inbox.bundle import Row, together
from inbox.models import Agent, Draft, Ticket, TicketSeen

NEVER = "0"  # marked unread by hand
MOST_DRAFTS = 1000  # that a page knows of


def moment(at: datetime) -> str:
    """Seconds since 1970 to the microsecond, as `data-at` of a row has them."""
    return f"{at.timestamp():.6f}"


def until(agent: Agent, numbers: Iterable[int]) -> dict[int, str]:
    """Up to which moment this agent has read each of these tickets. One query."""
    wanted = list(numbers)
    return _until(agent, wanted, list(_read(agent, wanted)))


def _read(agent: Agent, numbers: list[int]) -> QuerySet[TicketSeen, Any]:
    return TicketSeen.objects.filter(agent=agent, ticket__in=numbers).values("ticket_id", "at", "unread")


def _until(agent: Agent, numbers: list[int], rows: Iterable[Row]) -> dict[int, str]:
    found = dict.fromkeys(numbers, moment(agent.read_before))
    for row in rows:
        found[row["ticket_id"]] = NEVER if row["unread"] else moment(max(row["at"], agent.read_before))
    return found


def drafted(agent: Agent) -> QuerySet[Draft, Any]:
    """The tickets on which this agent has begun to write something, to the customer or beside them."""
    return Draft.objects.filter(agent=agent, ticket__isnull=False).values("ticket_id").distinct()


def mark(agent: Agent, tickets: list[Ticket]) -> None:
    """Let the rows of these tickets say what is unread, where a draft waits and what is linked: sets `seen_until`,
    `unread`, `drafted` and `linked_as` on each. One query, or none.
    """
    if not tickets:
        return
    numbers = [ticket.pk for ticket in tickets]
    found = together({
        "read": _read(agent, numbers),
        "drafts": drafted(agent).filter(ticket__in=numbers),
        **linked.parts(agent, numbers),
    })  # fmt: skip
    linked.mark(tickets, found)
    moments = _until(agent, numbers, found["read"])
    begun = {row["ticket_id"] for row in found["drafts"]}
    for ticket in tickets:
        ticket.drafted = ticket.pk in begun  # type: ignore[attr-defined]
        ticket.seen_until = moments[ticket.pk]  # type: ignore[attr-defined]
        ticket.unread = float(moment(ticket.last_message_at)) > float(moments[ticket.pk])  # type: ignore[attr-defined]
