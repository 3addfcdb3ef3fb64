"""Which rows of a page hang together with other tickets: asked for by their numbers, together with other reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from inbox import access
from inbox.bundle import Row
from inbox.models import Agent, LinkKind, Ticket, TicketLink


def parts(agent: Agent, numbers: list[int]) -> dict[str, QuerySet[TicketLink, Any]]:
    """For `bundle.together`: links from and to these tickets whose other end this agent sees."""
    found, seen = TicketLink.objects.exclude(kind__in=[LinkKind.MERGED, LinkKind.UNRELATED]), access.tickets(agent)
    return {
        "links": found.filter(source__in=numbers, target__in=seen).order_by().values("source_id", "kind").distinct(),
        "linked": found.filter(target__in=numbers, source__in=seen).order_by().values("target_id").distinct(),
    }


def mark(tickets: Iterable[Ticket], rows: Mapping[str, list[Row]]) -> None:
    """Set `linked_as` on each: whether it is a "duplicate" of another, or "linked" with one in another way."""
    found = dict.fromkeys((row["target_id"] for row in rows["linked"]), "linked")
    found |= dict.fromkeys((row["source_id"] for row in rows["links"]), "linked")
    found |= {row["source_id"]: "duplicate" for row in rows["links"] if row["kind"] == LinkKind.DUPLICATE}
    for ticket in tickets:
        ticket.linked_as = found.get(ticket.pk, "")  # type: ignore[attr-defined]
