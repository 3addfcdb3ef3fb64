"""Which tickets hold something that an agent has not read: asked for the rows of one page at a time.

A row is unread when its last message is younger than the moment up to which its agent has read. Live rows are the same
for everybody; the page compares their `data-at` with what it knows of its own agent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from inbox.models import Agent, Ticket, TicketSeen

NEVER = "0"  # marked unread by hand


def moment(at: datetime) -> str:
    """Seconds since 1970 to the microsecond, as `data-at` of a row has them."""
    return f"{at.timestamp():.6f}"


def until(agent: Agent, numbers: Iterable[int]) -> dict[int, str]:
    """Up to which moment this agent has read each of these tickets. One query."""
    wanted = list(numbers)
    before = moment(agent.read_before)
    found = dict.fromkeys(wanted, before)
    rows = TicketSeen.objects.filter(agent=agent, ticket__in=wanted).values_list("ticket_id", "at", "unread")
    for number, at, unread in rows:
        found[number] = NEVER if unread else moment(max(at, agent.read_before))
    return found


def mark(agent: Agent, tickets: list[Ticket]) -> None:
    """Let the rows of these tickets say what is unread: sets `seen_until` and `unread` on each. One query, or none."""
    if not tickets:
        return
    moments = until(agent, [ticket.pk for ticket in tickets])
    for ticket in tickets:
        ticket.seen_until = moments[ticket.pk]  # type: ignore[attr-defined]
        ticket.unread = float(moment(ticket.last_message_at)) > float(moments[ticket.pk])  # type: ignore[attr-defined]
