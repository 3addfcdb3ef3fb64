"""Chats, calls and what was before whose eyes; what customers were asked, and said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inbox.models import Agent, Channel, Customer, Engagement, Message, Ticket
from reports.models import Activity, Answer, Survey
from tests.reports.scribe.between import Between
from tests.reports.scribe.tickets import DONE

SHORT = 15


@dataclass
class Chat:
    """A live chat, and how it stands with it."""

    row: Engagement
    bot: Agent | None = None  # has it now
    queued: bool = False
    answered: bool = False

    @property
    def live(self) -> bool:
        return self.row.ended_at is None


class Scribe(Between):
    def __init__(self, first: int = 1) -> None:
        super().__init__(first)
        self.chats: list[Chat] = []

    # Chats ------------------------------------------------------------------------------------------------------------

    def chat_in(self, ticket: Ticket) -> Chat | None:
        """The one that goes on in it."""
        return next((one for one in reversed(self.chats) if one.live and one.row.ticket_id == ticket.pk), None)

    def chat_begins(self, ticket: Ticket, channel: Channel, *, bot: Agent | None, in_hours: bool = True) -> Chat:
        """With a bot, or in the queue for people."""
        row = Engagement(
            pk=next(self.ids["engagement"]),
            ticket_id=ticket.pk,
            channel_id=channel.pk,
            kind="chat",
            requested_at=self.now,
        )
        self.rows.engagements.append(row)
        chat = Chat(row, bot)
        self.chats.append(chat)
        if bot is None:
            self.chat_queues(ticket, chat, reason="wrote", in_hours=in_hours)
        else:
            self.assign(ticket, by=bot, agent=bot.pk, team=ticket.team_id)
            self.record(ticket, "bot_started", by=bot, engagement=row.pk, bot="flow")
        return chat

    def chat_queues(self, ticket: Ticket, chat: Chat, *, reason: str, in_hours: bool = True) -> None:
        """Asks for a person; a bot that has it hands over."""
        if chat.bot is not None:
            self.record(ticket, "bot_handoff", by=chat.bot, engagement=chat.row.pk, reason=reason)
            self._given_back(ticket, chat.bot)
        chat.bot, chat.queued, chat.row.requested_at = None, True, self.now
        told: dict[str, Any] = {"reason": reason, "team": ticket.team_id, "in_hours": in_hours}
        self.record(ticket, "chat_requested", engagement=chat.row.pk, **told)

    def chat_taken(self, ticket: Ticket, chat: Chat, *, by: Agent) -> None:
        if chat.bot is not None:
            self.record(ticket, "bot_handoff", by=chat.bot, engagement=chat.row.pk, reason="takeover")
        chat.bot, chat.row.agent_id = None, by.pk
        chat.row.accepted_at = chat.row.accepted_at or self.now
        self.assign(ticket, by=by, agent=by.pk, team=ticket.team_id)
        self.record(ticket, "chat_accepted", by=by, engagement=chat.row.pk)

    def chat_passed_on(self, ticket: Ticket, chat: Chat, *, by: Agent, back: bool) -> None:
        """Away from who has it: given to others, or `back` into the queue."""
        chat.queued = True
        kind = "chat_returned" if back else "chat_transferred"
        self.record(ticket, kind, by=by, engagement=chat.row.pk, **{"from": chat.row.agent_id})
        chat.row.agent_id = None
        self.assign(ticket, by=by, agent=None, team=ticket.team_id)

    def chat_ends(self, ticket: Ticket, chat: Chat, *, why: str, by: Agent | None = None, gone: int = 0) -> None:
        """`why` as in `channels_chat`; the socket was `gone` so many seconds ago."""
        left = self.now - timedelta(seconds=gone)
        if why in {"left", "visitor"} and chat.queued and not chat.answered:
            waited = max(0, int((left - chat.row.requested_at).total_seconds()))
            told: dict[str, Any] = {"waited": waited, "short": waited < SHORT, "left": left.isoformat(), "how": why}
            self.record(ticket, "chat_abandoned", engagement=chat.row.pk, **told)
        chat.row.ended_at = self.now
        self.record(ticket, "chat_ended", by=by, engagement=chat.row.pk, why=why, answered=chat.answered)
        if chat.bot is not None:
            self.bot_ends(ticket, chat, "left")

    def bot_ends(self, ticket: Ticket, chat: Chat, outcome: str) -> None:
        """The bot's part is over: confirmed, assumed, or `left` for somebody to look at."""
        bot, chat.bot = chat.bot, None
        assert bot is not None
        self.record(ticket, "bot_ended", by=bot, engagement=chat.row.pk, bot="flow", outcome=outcome)
        if outcome == "left":
            self._given_back(ticket, bot)
        elif ticket.assignee_id == bot.pk:
            self.status(ticket, "solved", by=bot)
        if chat.live:
            self.chat_ends(ticket, chat, why="solved", by=bot)

    def _given_back(self, ticket: Ticket, bot: Agent) -> None:
        if ticket.assignee_id == bot.pk:
            self.assign(ticket, by=bot, agent=None, team=ticket.team_id)

    def chat_answered(self, ticket: Ticket, *, by: Agent) -> None:
        """Somebody has just written into a ticket: what is chatted there is theirs."""
        chat = self.chat_in(ticket)
        if chat is None:
            return
        if chat.row.agent_id is None:
            self.chat_taken(ticket, chat, by=by)
        if not chat.answered:
            chat.answered = True
            self.record(ticket, "chat_answered", by=by, engagement=chat.row.pk)

    def status(
        self, ticket: Ticket, status: str, *, by: Agent | None, customer: Customer | None = None, why: str = ""
    ) -> bool:
        """What is solved is chatted in no longer."""
        changed = super().status(ticket, status, by=by, customer=customer, why=why)
        chat = self.chat_in(ticket) if changed and status in DONE else None
        if chat is not None:
            self.chat_ends(ticket, chat, why="solved", by=by)
        return changed

    # Calls, and what was before whose eyes ----------------------------------------------------------------------------

    def calls(self, ticket: Ticket, *, by: Agent, inward: bool, at: datetime, seconds: int | None) -> Message:
        """One of us keeps a call that was outside Rabta."""
        message = self._message(
            ticket,
            ticket.channel_id,
            "in" if inward else "out",
            origin="logged",
            author_kind="customer" if inward else "agent",
            customer_id=ticket.customer_id if inward else None,
            agent_id=by.pk,
            payload={"medium": "call", "seconds": seconds},
            created_at=at,
        )
        row = Engagement(
            pk=next(self.ids["engagement"]),
            ticket_id=ticket.pk,
            channel_id=ticket.channel_id,
            kind="call",
            agent_id=by.pk,
            requested_at=at,
            accepted_at=at,
            ended_at=None if seconds is None else at + timedelta(seconds=seconds),
            external_id=f"message:{message.pk}",
        )
        self.rows.engagements.append(row)
        self.record(ticket, "message_logged", by=by, message=message.pk, engagement=row.pk, medium="call")
        return message

    def looks(self, ticket: Ticket, *, by: Agent, used: int, unused: int = 0) -> None:
        """From now on a ticket is before somebody, who does something for so long, and then nothing for a while."""
        start = self.now
        for seconds, idle in ((used, False), (unused, True)):
            if seconds:
                pk = next(self.ids["activity"])
                end = start + timedelta(seconds=seconds)
                one = Activity(
                    pk=pk,
                    agent_id=by.pk,
                    ticket_id=ticket.pk,
                    page="page",
                    seq=pk,
                    idle=idle,
                    started_at=start,
                    ended_at=end,
                )
                self.rows.activities.append(one)
                start = end

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
