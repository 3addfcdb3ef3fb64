"""What happens in one ticket."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from inbox.models import Agent, Channel, Customer, Message, Ticket
from tests.reports.scribe.people import People

DONE = {"solved", "closed"}


def at_first(ticket: Ticket) -> dict[str, Any]:
    status = {} if ticket.status == "open" else {"status": ticket.status}
    return {"team": ticket.team_id, "assignee": ticket.assignee_id, "priority": ticket.priority, **status}


class Tickets(People):
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
        self.record(one, "ticket_created", by=actor or by, channel=channel.pk, **at_first(one))
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
        if by is not None and not by.is_bot:
            self.chat_answered(ticket, by=by)
        ticket.snoozed_until = None
        if ticket.assignee_id is None and by is not None and not by.is_bot:
            ticket.assignee_id = by.pk
            self.record(ticket, "assigned", by=by, **{"from": None, "to": by.pk})
        self.status(ticket, status, by=by)
        return message

    def chat_answered(self, ticket: Ticket, *, by: Agent) -> None:
        """What an answer means for what is chatted in its ticket."""
        raise NotImplementedError

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

    def moves(self, ticket: Ticket, before: str, after: str) -> None:
        """A line of the log in nobody's name that its status has changed."""
        change: dict[str, Any] = {"from": before, "to": after}
        self.record(ticket, "status_changed", **change)
        ticket.status = after
