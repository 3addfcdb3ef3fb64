"""A small organisation in which everything is really done, by the actions, at the time that the clock shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from inbox import delivery
from inbox.actions import receive, reply, tickets
from inbox.adapters import Party
from inbox.models import Agent, Channel, Message, Role, Team, Ticket
from tests.channels_chat import cast as chats
from tests.chatter import Chatter, receipt
from tests.paper import Paper, raw
from tests.reports.moments import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def shop(db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A desk for mail, a messenger and a chat, and the people who answer there, at whatever time it is."""
    Paper.sent.clear()
    Paper.answers.clear()
    yield Shop(clock, monkeypatch)


class Shop:
    """`mail`, `phone` (a messenger) and `chat` are its channels; Sana and Omar work for its team."""

    def __init__(self, clock: Clock, patch: pytest.MonkeyPatch) -> None:
        clock("2025-12-01 00:00")
        patch.setattr(Chatter, "scope", lambda self, channel: f"channel:{channel.pk}")
        patch.setattr(Chatter, "send_part", lambda self, message, part: f"theirs-{message.pk}")
        self.clock = clock
        self.team = Team.objects.create(name="Support", slug="support")
        self.mail = Channel.objects.create(
            kind=Paper.kind, name="Desk", slug="desk", addresses=["desk@example.org"], default_team=self.team
        )
        self.phone = Channel.objects.create(kind=Chatter.kind, name="Phone", slug="phone", default_team=self.team)
        self.chat = chats.chat_channel("Shop", self.team)
        self.sana, self.omar = (self._agent(name) for name in ("Sana", "Omar"))
        self._keys = 0

    def _agent(self, name: str) -> Agent:
        one = Agent.objects.create_user(f"{name.lower()}@example.org", name=name, role=Role.AGENT)
        self.team.members.add(one)
        return one

    def mails(self, at: str, sender: str, *, answers: str = "", **told: Any) -> Ticket:
        """A customer's mail comes in; it `answers` another by its id. Returns its ticket, whose first is `m1`, …"""
        self.clock(at)
        self._keys += 1
        told |= {"references": [answers]} if answers else {}
        told = {"subject": "Parcel", **told}
        stored = receive.store(self.mail, [raw(f"m{self._keys}", sender=sender, **told)], claim=True)
        return Ticket.objects.get(pk=receive.take_in([stored[0].receipt_id])[0].ticket)

    def texts(self, at: str, who: str) -> Ticket:
        """Somebody writes on the messenger."""
        moment = self.clock(at)
        self._keys += 1
        told = {"id": f"p{self._keys}", "who": who, "at": moment.isoformat(), "what": "says", "text": "Hello"}
        stored = receive.store(self.phone, [receipt(told)], claim=True)
        return Ticket.objects.get(pk=receive.take_in([stored[0].receipt_id])[0].ticket)

    def answers(self, at: str, ticket: Ticket, by: Agent | None, status: str | None = None, **told: Any) -> Message:
        """One of us answers, and it leaves."""
        self.clock(at)
        message = reply.reply(Ticket.objects.get(pk=ticket.pk), by=by, text="So it is.", status=status, **told)
        delivery.deliver(message.channel_id)
        message.refresh_from_db()
        return message

    def solves(self, at: str, ticket: Ticket, by: Agent | None) -> None:
        self.clock(at)
        tickets.set_status(ticket, "solved", by=by)

    def begins(self, at: str, address: str, by: Agent) -> Ticket:
        """We write first."""
        self.clock(at)
        ticket = tickets.open_ticket(
            by=by, channel=self.mail, identity=Party("email", address, ""), subject="Your order", text="It is here."
        )
        delivery.deliver(self.mail.pk)
        return ticket


def said(ticket: Ticket) -> str:
    """What a ticket's messages were, for a failed test."""
    rows = Message.objects.filter(ticket=ticket).order_by("pk")
    return json.dumps([(one.direction, one.kind, str(one.sent_at or one.created_at), one.state) for one in rows])
