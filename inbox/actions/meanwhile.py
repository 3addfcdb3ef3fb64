"""What was said in a ticket while somebody wrote an answer there."""

from __future__ import annotations

from django.db.models import Q

from inbox.adapters import AUTOMATIC
from inbox.models import (
    Agent,
    Direction,
    Event,
    Message,
    Origin,
    Ticket,
)

MOST_SINCE = 20  # messages that a stale reply is shown


def written_since(ticket: Ticket, newest: int, by: Agent | None, event: int = 0) -> list[Message]:
    """What the customer or a colleague has said in a ticket after the message `newest`, oldest first; also what was
    moved into it after the line `event` of the log, whatever its age.
    """
    arrived = Q(pk__gt=newest) | Q(pk__in=_moved_in(ticket, newest, event))
    since = Message.objects.filter(arrived, ticket=ticket, side__isnull=True).said()
    since = since.exclude(direction=Direction.NOTE).exclude(kind__in=AUTOMATIC).exclude(origin=Origin.LOGGED)
    if by is not None:
        since = since.exclude(agent=by)
    return list(since.select_related("channel").order_by("pk")[:MOST_SINCE])


def _moved_in(ticket: Ticket, newest: int, event: int) -> set[int]:
    """The messages that were moved into a ticket, by themselves or with another ticket, after `event`."""
    moves = Event.objects.filter(ticket=ticket, pk__gt=event, kind__in=["message_moved", "merged_from"])
    # A page that shows `newest` shows all that had come by then, though it may tell of none of its lines.
    shown = Message.objects.filter(pk=newest).values_list("created_at", flat=True).first()
    if shown is not None:
        moves = moves.filter(at__gt=shown)
    found: set[int] = set()
    for kind, data in moves.values_list("kind", "data"):
        if kind == "message_moved" and data.get("to") == ticket.pk:
            found.add(data["message"])
        elif kind == "merged_from":
            merged = Event.objects.filter(ticket=data["source"], kind="merged", data__into=ticket.pk)
            found.update(pk for ids in merged.values_list("data__messages", flat=True) for pk in ids or ())
    return found
