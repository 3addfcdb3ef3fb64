"""What of a ticket can be put back: its columns in values that JSON knows, and how they differ."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max

from inbox.models import Event, Message, Status, Ticket

State = dict[str, Any]
Changes = dict[str, list[Any]]  # column: what it was, and what it became


def of(ticket: Ticket, names: Iterable[str]) -> State:
    """The values of these columns."""
    values = {name: getattr(ticket, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def at_first(ticket: Ticket) -> State:
    """What the first line of a ticket's log says of it: whose it is, how urgent, and its status unless it is open."""
    status = {} if ticket.status == Status.OPEN else {"status": str(ticket.status)}
    return {"team": ticket.team_id, "assignee": ticket.assignee_id, "priority": str(ticket.priority), **status}


def changes(before: State, after: State) -> Changes:
    return {name: [was, after[name]] for name, was in before.items() if was != after[name]}


def mark(message: Message, began: Event, *names: str) -> None:
    """Keep on a message between which lines of the log it changed its locked ticket: what came later, others did."""
    if named := [name for name in names if name in message.payload]:
        last = Event.objects.filter(ticket=message.ticket_id).aggregate(last=Max("pk"))["last"]
        message.payload["since"] = message.payload.get("since", {}) | {name: [began.pk, last] for name in named}
        message.save(update_fields=["payload"])


def moment(value: str | None) -> datetime | None:
    """A point in time as `of` gives it."""
    return datetime.fromisoformat(value) if value else None
