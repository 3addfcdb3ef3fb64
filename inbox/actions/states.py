"""What of a ticket can be put back: its columns in values that JSON knows, and how they differ."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from inbox.models import Ticket

State = dict[str, Any]
Changes = dict[str, list[Any]]  # column: what it was, and what it became


def of(ticket: Ticket, names: Iterable[str]) -> State:
    """The values of these columns."""
    values = {name: getattr(ticket, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def changes(before: State, after: State) -> Changes:
    return {name: [was, after[name]] for name, was in before.items() if was != after[name]}


def moment(value: str | None) -> datetime | None:
    """A point in time as `of` gives it."""
    return datetime.fromisoformat(value) if value else None
