"""All that is known of one ticket, as plain values: what facts are calculated from, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Business(Protocol):
    """The schedules of teams, channels and the organisation: `reports.facts.business.Schedules`."""

    def seconds(
        self, start: datetime, end: datetime, channel_id: int, teams: Sequence[tuple[datetime, int | None]]
    ) -> int:
        """Seconds of the schedules between two instants; `teams` are the ticket's, each from an instant on."""


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for all tickets: which channels are live, which agents are bots, and the schedules."""

    live: frozenset[int]
    bots: frozenset[int]
    schedules: Business


@dataclass(frozen=True, slots=True)
class Words:
    """One message, without what it says. `call` and `public` (readable by everybody) are of its payload."""

    id: int
    direction: str
    author_kind: str
    channel_id: int
    created_at: datetime
    received_at: datetime
    sent_at: datetime | None = None
    state: str = ""
    kind: str = "message"
    content_kind: str = "text"
    origin: str = "channel"
    agent_id: int | None = None
    first_ticket_id: int = 0
    side_id: int | None = None
    call: bool = False
    public: bool = False
    survey: bool = False  # an answer to one


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the log."""

    id: int
    kind: str
    at: datetime
    actor_kind: str = "system"
    actor_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Talk:
    """A live chat that lies in the ticket now, and its lines, in whichever ticket they were written."""

    engagement_id: int
    channel_id: int
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """One asking of a survey about the ticket, or (ticket 0) about none."""

    id: int
    kind: str
    survey_id: int
    customer_id: int
    channel_id: int | None
    asked_at: datetime
    failed: bool = False
    answered_at: datetime | None = None
    changed_at: datetime | None = None
    value: int | None = None
    commented: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """One ticket as it is now, and how it came to be so. `lines` are its own, `said` lies in it now."""

    number: int
    customer_id: int
    channel_id: int
    team_id: int | None = None  # as the row says: where the log does not say what it was at first
    agent_id: int | None = None
    priority: str = "normal"
    topic: str = ""
    matter: str = ""
    follow_up_of: int | None = None
    said: tuple[Words, ...] = ()
    lines: tuple[Line, ...] = ()
    talks: tuple[Talk, ...] = ()
    askings: tuple[Asking, ...] = ()
