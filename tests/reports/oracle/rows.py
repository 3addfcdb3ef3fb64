"""The raw rows, as they lie in the database or as a test made them up."""

from __future__ import annotations

from dataclasses import dataclass, field

from inbox.models import Agent, Channel, Customer, Event, Message, ScheduleVersion, Ticket, TicketLink
from reports.models import Answer, Survey


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
    surveys: list[Survey] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    schedules: list[ScheduleVersion] = field(default_factory=list)

    @classmethod
    def read(cls) -> Rows:
        """All that is in the database."""
        return cls(
            agents=list(Agent.objects.all()),
            channels=list(Channel.objects.all()),
            customers=list(Customer.objects.all()),
            tickets=list(Ticket.objects.all()),
            messages=list(Message.objects.all()),
            events=list(Event.objects.order_by("id")),
            links=list(TicketLink.objects.all()),
            surveys=list(Survey.objects.all()),
            answers=list(Answer.objects.all()),
            schedules=list(ScheduleVersion.objects.all()),
        )
