"""The raw rows, as they lie in the database or as a test made them up."""

from __future__ import annotations

from dataclasses import dataclass, field

from inbox.models import (
    Agent,
    Channel,
    Customer,
    Engagement,
    Event,
    Message,
    ScheduleVersion,
    Ticket,
    TicketLink,
)
from reports.models import Activity, Answer, Survey


@dataclass
class Rows:
    """Everything that figures may depend on. Nothing of it was counted before."""

    agents: list[Agent] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    links: list[TicketLink] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    schedules: list[ScheduleVersion] = field(default_factory=list)
