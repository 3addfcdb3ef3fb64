"""Rows of facts as they are stored: the fields are the columns, see `reports.models.facts`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class TicketRow(NamedTuple):
    ticket_id: int
    customer_id: int
    imported: bool
    channel_id: int
    live: bool
    began_at: datetime
    opened_at: datetime | None
    ours_at: datetime | None
    bot: bool
    handed_at: datetime | None
    topic: str
    matter: str
    follow_up_of: int | None
    waiting_since: datetime | None
    team_id: int | None
    agent_id: int | None
    priority: str
    done: bool
    first_solved_at: datetime | None = None
    first_agent_id: int | None = None
    first_team_id: int | None = None
    first_priority: str = ""
    resolution_first: int | None = None
    resolution_first_business: int | None = None
    answers_before: int = 0
    one_touch: bool = False
    one_contact: bool = False
    reopened_at: datetime | None = None  # these two are filled by `storing`: other tickets have a say in them
    own_reopened_at: datetime | None = None
    answers_reopen: bool = False
    repeat_at: datetime | None = None
    denied_at: datetime | None = None
    last_solved_at: datetime | None = None
    last_agent_id: int | None = None
    last_team_id: int | None = None
    last_priority: str = ""
    resolution_full: int | None = None
    resolution_full_business: int | None = None
    customer_wait: int | None = None
    customer_wait_business: int | None = None
    unanswered: bool = False


class ResponseRow(NamedTuple):
    ticket_id: int
    imported: bool
    channel_id: int
    team_id: int | None
    agent_id: int | None
    first: bool
    asked_at: datetime
    answered_at: datetime
    seconds: int | None
    business: int | None
    total: int | None
    first_seconds: int | None
    first_business: int | None
    first_total: int | None
    priority: str


class SpanRow(NamedTuple):
    ticket_id: int
    imported: bool
    channel_id: int
    team_id: int | None
    agent_id: int | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    priority: str
    unsolved_since: datetime
    enters: bool
    leaves: bool


class TrafficRow(NamedTuple):
    ticket_id: int
    imported: bool
    channel_id: int
    team_id: int | None
    agent_id: int | None
    kind: str
    quarter: datetime
    priority: str
    count: int  # type: ignore[assignment]  # the column is called so


class AnswerRow(NamedTuple):
    answer_id: int
    kind: str
    survey_id: int
    ticket_id: int | None
    customer_id: int
    imported: bool
    channel_id: int | None
    team_id: int | None
    agent_id: int | None
    priority: str
    asked_at: datetime
    failed: bool
    answered_at: datetime | None
    value: int | None
    commented: bool


class ChatRow(NamedTuple):
    ticket_id: int
    imported: bool
    channel_id: int
    team_id: int | None
    agent_id: int | None
    engagement_id: int
    offered_at: datetime
    answered_at: datetime | None
    left_at: datetime | None
    outcome: str
    in_schedule: bool


class BotRow(NamedTuple):
    ticket_id: int
    imported: bool
    channel_id: int
    team_id: int | None
    agent_id: int | None
    began_at: datetime
    ended_at: datetime | None
    handed_at: datetime | None
    confirmed_at: datetime | None
    last_heard_at: datetime
    steps: list[str]
    fallbacks: int


@dataclass(slots=True)
class Facts:
    """What some tickets came to."""

    tickets: list[TicketRow] = field(default_factory=list)
    responses: list[ResponseRow] = field(default_factory=list)
    spans: list[SpanRow] = field(default_factory=list)
    traffic: list[TrafficRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    chats: list[ChatRow] = field(default_factory=list)
    bots: list[BotRow] = field(default_factory=list)

    def add(self, other: Facts) -> None:
        self.tickets += other.tickets
        self.responses += other.responses
        self.spans += other.spans
        self.traffic += other.traffic
        self.answers += other.answers
        self.chats += other.chats
        self.bots += other.bots
