"""Writes histories as the actions of `inbox` would have written them, without the database: rows and lines of the log.

Thousands of small histories are too many to be lived through. What stands here is what `inbox.actions` leave behind;
`test_scribe.py` lives through some of them and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from inbox.models import Agent, Channel, Customer, Event, Message, ScheduleVersion, Team, Ticket, TicketLink
from reports.models import Answer, Survey
from tests.reports.oracle import Rows

DONE = {"solved", "closed"}
FIRST_SURVEY = 1_000  # behind those that every organisation begins with


def _at_first(ticket: Ticket) -> dict[str, Any]:
    status = {} if ticket.status == "open" else {"status": ticket.status}
    return {"team": ticket.team_id, "assignee": ticket.assignee_id, "priority": ticket.priority, **status}


class Scribe:
    """Keeps what has happened so far. Everything has an id of its own, so that rows can be written in one go."""

    def __init__(self, first: int = 1) -> None:
        self.ids: dict[str, Iterator[int]] = {
            noun: count(first) for noun in ("agent", "team", "channel", "customer", "ticket", "message", "event")
        }
        self.answers = count(first)
        self.rows = Rows()
        self.teams: list[Team] = []
        self.now = datetime.min

    def save(self) -> None:
        """Write all of it, in a statement a table. Side conversations have no rows: nothing here commits."""
        rows = self.rows
        Agent.objects.bulk_create(rows.agents)
        Team.objects.bulk_create(self.teams)
        Channel.objects.bulk_create(rows.channels)
        Customer.objects.bulk_create(rows.customers)
        Ticket.objects.bulk_create(rows.tickets)
        Message.objects.bulk_create(rows.messages)
        Event.objects.bulk_create(rows.events)
        TicketLink.objects.bulk_create(rows.links)
        Survey.objects.bulk_create(rows.surveys)
        Answer.objects.bulk_create(rows.answers)
        ScheduleVersion.objects.bulk_create(rows.schedules)

    def moves(self, ticket: Ticket, before: str, after: str) -> None:
        """A line of the log in nobody's name that its status has changed."""
        change: dict[str, Any] = {"from": before, "to": after}
        self.record(ticket, "status_changed", **change)
        ticket.status = after

    # Who and where ----------------------------------------------------------------------------------------------------

    def agent(self, name: str, *, bot: bool = False) -> Agent:
        pk = next(self.ids["agent"])
        one = Agent(pk=pk, email=f"{name}{pk}@example.org", name=name, is_bot=bot)
        self.rows.agents.append(one)
        return one

    def team(self, name: str) -> Team:
        pk = next(self.ids["team"])
        one = Team(pk=pk, name=f"{name} {pk}", slug=f"{name}-{pk}")
        self.teams.append(one)
        return one

    def channel(self, kind: str, team: Team | None) -> Channel:
        pk = next(self.ids["channel"])
        one = Channel(pk=pk, kind=kind, name=f"{kind} {pk}", slug=f"{kind}-{pk}", default_team=team)
        self.rows.channels.append(one)
        return one

    def customer(self) -> Customer:
        one = Customer(pk=next(self.ids["customer"]), name="Ayesha")
        self.rows.customers.append(one)
        return one

    def survey(self, kind: str) -> Survey:
        one = Survey(pk=FIRST_SURVEY + next(self.answers), name=kind, kind=kind)
        self.rows.surveys.append(one)
        return one

    def opens(self, of: str, whose: int | None, hours: dict[str, Any] | None) -> None:
        """From now on these are somebody's hours of business."""
        self.rows.schedules.append(
            ScheduleVersion(pk=len(self.rows.schedules) + 1, of=of, whose=whose, hours=hours, since=self.now)
        )

    # The log ----------------------------------------------------------------------------------------------------------

    def record(
        self,
        ticket: Ticket | None,
        kind: str,
        /,
        *,
        by: Agent | tuple[str, int | None] | None = None,
        **data: Any,
    ) -> Event:
        if isinstance(by, tuple):
            actor = by
        else:
            actor = ("system", None) if by is None else ("bot" if by.is_bot else "agent", by.pk)
        one = Event(
            pk=next(self.ids["event"]),
            ticket_id=ticket.pk if ticket else None,
            kind=kind,
            actor_kind=actor[0],
            actor_id=actor[1],
            at=self.now,
            data=data,
            xid=1,
        )
        self.rows.events.append(one)
        return one

    # Tickets ----------------------------------------------------------------------------------------------------------

    def open(self, channel: Channel, customer: Customer, *, by: Agent | None, status: str = "open") -> Ticket:
        """A ticket in which nothing is said yet; the customer opens it where nobody else does."""
        one = Ticket(
            pk=next(self.ids["ticket"]),
            customer_id=customer.pk,
            channel_id=channel.pk,
            reply_channel_id=channel.pk,
            team_id=channel.default_team_id,
            status=status,
            created_at=self.now,
            last_message_at=self.now,
            updated_at=self.now,
        )
        self.rows.tickets.append(one)
        actor = ("customer", customer.pk) if by is None else None
        self.record(one, "ticket_created", by=actor or by, channel=channel.pk, **_at_first(one))
        return one

    def _message(self, ticket: Ticket, channel: int, direction: str, **fields: Any) -> Message:
        one = Message(
            pk=next(self.ids["message"]),
            ticket_id=ticket.pk,
            first_ticket_id=ticket.pk,
            channel_id=channel,
            direction=direction,
            text="So it is.",
            visible_text="So it is.",
            **{"created_at": self.now, "received_at": self.now, **fields},
        )
        self.rows.messages.append(one)
        return one

    def hears(
        self,
        ticket: Ticket,
        channel: Channel,
        *,
        writer: Customer,
        kind: str = "message",
        content: str = "text",
        origin: str = "channel",
        reopens: bool = True,
        earlier: timedelta = timedelta(0),
    ) -> Message:
        """A customer's message comes in, stamped `earlier` by its platform than it reached us."""
        message = self._message(
            ticket,
            channel.pk,
            "in",
            author_kind="customer",
            customer_id=writer.pk,
            kind=kind,
            content_kind=content,
            origin=origin,
            created_at=self.now - earlier,
        )
        actor = ("customer", writer.pk)
        self.record(ticket, "message_received", by=actor, channel=channel.pk, kind=kind, message=message.pk)
        if kind in {"auto_reply", "bounce", "feedback_report"}:
            return message
        ticket.last_customer_message_at = message.created_at
        before = ticket.status
        if ticket.trashed_at is not None and before != "closed":
            ticket.trashed_at = None
            self.record(ticket, "restored", by=actor)
        if ticket.snoozed_until is not None:
            self.record(ticket, "snoozed", by=actor, until=None)
            ticket.snoozed_until = None
        if before == "open" or (before in DONE and not reopens):
            return message
        ticket.status = "open"
        if before in DONE:
            ticket.solved_at = None
            self.record(ticket, "reopened", by=actor, was=before)
        self.record(ticket, "status_changed", by=actor, **{"from": before, "to": "open"})
        return message

    def aside(self, ticket: Ticket, side: int, writer: Customer) -> Message:
        """A third party says something in a side conversation."""
        message = self._message(ticket, ticket.channel_id, "in", author_kind="customer", side_id=side)
        actor = ("customer", writer.pk)
        self.record(ticket, "side_message_received", by=actor, side=side, message=message.pk)
        return message

    def says(
        self,
        ticket: Ticket,
        channel: Channel,
        *,
        by: Agent | None,
        status: str = "pending",
        automatic: bool = False,
        leaves: timedelta | None = timedelta(0),
        state: str = "sent",
        origin: str = "channel",
    ) -> Message:
        """We write; it `leaves` a while later, or never."""
        author = "system" if by is None else "bot" if by.is_bot else "agent"
        message = self._message(
            ticket,
            channel.pk,
            "out",
            author_kind=author,
            agent_id=by.pk if by else None,
            kind="auto_reply" if automatic else "message",
            state=state,
            origin=origin,
            sent_at=None if leaves is None else self.now + leaves,
        )
        self.record(ticket, "message_added", by=by, message=message.pk, channel=channel.pk, automatic=automatic)
        if automatic or origin == "echo":
            return message
        ticket.snoozed_until = None
        if ticket.assignee_id is None and by is not None and not by.is_bot:
            ticket.assignee_id = by.pk
            self.record(ticket, "assigned", by=by, **{"from": None, "to": by.pk})
        self.status(ticket, status, by=by)
        return message

    def notes(self, ticket: Ticket, *, by: Agent) -> None:
        message = self._message(ticket, ticket.channel_id, "note", author_kind="agent", agent_id=by.pk)
        self.record(ticket, "note_added", by=by, message=message.pk)

    def status(
        self, ticket: Ticket, status: str, *, by: Agent | None, customer: Customer | None = None, why: str = ""
    ) -> bool:
        """As `inbox.actions.reply.change_status`; `customer` where it is they who say that it is solved."""
        before = ticket.status
        if before == status:
            return False
        ticket.status = status
        actor = ("customer", customer.pk) if customer is not None else None
        change: dict[str, Any] = {"from": before, "to": status, **({"why": why} if why else {})}
        if status in DONE:
            ticket.snoozed_until = None
            ticket.solved_at = ticket.solved_at or self.now
        elif before in DONE:
            ticket.solved_at = None
            self.record(ticket, "reopened", by=actor or by, was=before, **({"why": why} if why else {}))
        self.record(ticket, "status_changed", by=actor or by, **change)
        return True

    def undo(self, ticket: Ticket, *, by: Agent) -> bool:
        """Take the last change of status back, as the message after it in the corner of the screen does."""
        mine = [one for one in self.rows.events if one.ticket_id == ticket.pk and one.kind == "status_changed"]
        if not mine or mine[-1].data.get("undo") or mine[-1].data["to"] != ticket.status:
            return False
        self.record(ticket, "status_changed", by=by, undo=True, **{"from": ticket.status, "to": mine[-1].data["from"]})
        ticket.status = mine[-1].data["from"]
        return True

    def assign(self, ticket: Ticket, *, by: Agent | None, agent: int | None, team: int | None) -> bool:
        before = {"from": ticket.assignee_id, "team_from": ticket.team_id}
        after = {"to": agent, "team_to": team}
        if list(before.values()) == list(after.values()):
            return False
        ticket.assignee_id, ticket.team_id = agent, team
        self.record(ticket, "assigned", by=by, **before, **after)
        return True

    def prioritise(self, ticket: Ticket, priority: str, *, by: Agent) -> bool:
        if ticket.priority == priority:
            return False
        self.record(ticket, "priority_changed", by=by, **{"from": ticket.priority, "to": priority})
        ticket.priority = priority
        return True

    def snooze(self, ticket: Ticket, until: datetime | None, *, by: Agent | None) -> None:
        self.record(ticket, "snoozed", by=by, until=until.isoformat() if until else None)
        ticket.snoozed_until = until

    def spam(self, ticket: Ticket, spam: bool, *, by: Agent, afresh: bool) -> None:
        self.record(ticket, "spam_changed", by=by, spam=spam)
        ticket.spam = spam
        if not spam and afresh and ticket.status != "closed":
            ticket.snoozed_until = None
            self.status(ticket, "open", by=by, why="spam")

    def trash(self, ticket: Ticket, *, by: Agent) -> None:
        self.record(ticket, "restored" if ticket.trashed_at else "trashed", by=by)
        ticket.trashed_at = None if ticket.trashed_at else self.now

    # Between tickets --------------------------------------------------------------------------------------------------

    def of(self, ticket: Ticket) -> list[Message]:
        return [one for one in self.rows.messages if one.ticket_id == ticket.pk]

    def link(self, source: Ticket, target: Ticket, kind: str, *, by: Agent) -> None:
        self.rows.links.append(TicketLink(source_id=source.pk, target_id=target.pk, kind=kind, created_at=self.now))
        self.record(source, "link_added", by=by, kind=kind, target=target.pk)
        self.record(target, "link_added", by=by, kind=kind, source=source.pk)

    def follows_up(self, ticket: Ticket, before: Ticket, writer: Customer) -> None:
        self.rows.links.append(
            TicketLink(source_id=ticket.pk, target_id=before.pk, kind="follow_up", created_at=self.now)
        )
        self.record(ticket, "follow_up_of", by=("customer", writer.pk), of=before.pk)

    def merge(self, gone: Ticket, kept: Ticket, *, by: Agent) -> None:
        moved = self.of(gone)
        for message in moved:
            message.ticket_id = kept.pk
        self.rows.links.append(TicketLink(source_id=gone.pk, target_id=kept.pk, kind="merged", created_at=self.now))
        before = gone.status
        gone.status, gone.merged_into_id, gone.closed_at = "closed", kept.pk, self.now
        stood = [kept.status]
        self.record(kept, "merged_from", by=by, source=gone.pk)
        if kept.status in DONE and before not in DONE:
            self.status(kept, before, by=by, why="merge")
        stood.append(kept.status)
        self.record(
            gone,
            "merged",
            by=by,
            into=kept.pk,
            was=before,
            kept=[{"status": one} for one in stood],
            messages=sorted(one.pk for one in moved),
            engagements=[],
            links=[],
            came={},
        )

    def unmerge(self, back: Ticket, kept: Ticket, *, by: Agent) -> None:
        was = [one for one in self.rows.events if one.ticket_id == back.pk and one.kind == "merged"][-1].data
        for message in self.of(kept):
            if message.pk in was["messages"]:
                message.ticket_id = back.pk
        self.rows.links[:] = [
            one for one in self.rows.links if (one.source_id, one.target_id, one.kind) != (back.pk, kept.pk, "merged")
        ]
        back.merged_into_id, back.closed_at, back.status = None, None, was["was"]
        self.record(back, "unmerged", by=by, **{"from": kept.pk, "status": back.status})
        self.record(kept, "unmerged_from", by=by, source=back.pk)
        before, after = (one["status"] for one in was["kept"])
        if before != after == kept.status:
            self.record(kept, "status_changed", undo=True, **{"from": kept.status, "to": before})
            kept.status = before

    def move(self, message: Message, source: Ticket, target: Ticket, *, by: Agent) -> None:
        message.ticket_id = target.pk
        way: dict[str, Any] = {"from": source.pk, "to": target.pk}
        for ticket in sorted((source, target), key=lambda one: one.pk):
            self.record(ticket, "message_moved", by=by, message=message.pk, **way)

    def split(self, old: Ticket, messages: Sequence[Message], *, by: Agent) -> Ticket:
        new = Ticket(
            pk=next(self.ids["ticket"]),
            customer_id=old.customer_id,
            channel_id=old.channel_id,
            reply_channel_id=old.reply_channel_id,
            status=old.status,
            solved_at=old.solved_at,
            priority=old.priority,
            assignee_id=old.assignee_id,
            team_id=old.team_id,
            tags=list(old.tags),
            language=old.language,
            created_at=messages[0].created_at,
            last_message_at=self.now,
            updated_at=self.now,
        )
        self.rows.tickets.append(new)
        self.record(new, "ticket_created", by=by, channel=new.channel_id, **_at_first(new))
        ids = sorted(one.pk for one in messages)
        for message in messages:
            message.ticket_id = new.pk
        self.rows.links.append(TicketLink(source_id=new.pk, target_id=old.pk, kind="child", created_at=self.now))
        way: dict[str, Any] = {"from": old.pk, "to": new.pk, "split": True}
        for pk in ids:
            self.record(new, "message_moved", by=by, message=pk, **way)
        self.record(old, "split", by=by, into=new.pk, messages=ids)
        self.record(new, "split_from", by=by, source=old.pk, messages=ids)
        return new

    def join(self, gone: Customer, kept: Customer, *, by: Agent) -> None:
        """Two customers turn out to be one."""
        for ticket in self.rows.tickets:
            if ticket.customer_id == gone.pk:
                ticket.customer_id = kept.pk
        for message in self.rows.messages:
            if message.customer_id == gone.pk:
                message.customer_id = kept.pk
        for answer in self.rows.answers:
            if answer.customer_id == gone.pk:
                answer.customer_id = kept.pk
        gone.merged_into_id = kept.pk
        self.record(None, "customer_merged", by=by, customer=gone.pk, into=kept.pk, merge=0)

    # Surveys ----------------------------------------------------------------------------------------------------------

    def asks(self, survey: Survey, ticket: Ticket | None, customer: Customer, channel: int | None) -> Answer:
        one = Answer(
            pk=next(self.answers),
            survey_id=survey.pk,
            ticket_id=ticket.pk if ticket else None,
            customer_id=customer.pk,
            channel_id=channel,
            asked_at=self.now,
        )
        self.rows.answers.append(one)
        return one

    def answers_with(self, answer: Answer, value: int) -> None:
        answer.answered_at = answer.answered_at or self.now
        answer.changed_at = self.now
        answer.value = value
