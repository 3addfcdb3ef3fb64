"""A believable history: customers who write, agents who answer, tickets that are solved and closed with time.

Everything comes from one seed and the moment it ends at; rows are copied in, a few thousand tickets a transaction.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from inbox import bulk
from inbox.management.phrases import ENGLISH, TAGS, URDU, Phrases
from inbox.models import (
    Agent,
    Channel,
    Customer,
    Event,
    Identity,
    Message,
    MessageKey,
    Participant,
    Role,
    Tag,
    Team,
    Ticket,
)

CHUNK = 2000
CLOSED_AFTER = timedelta(days=14)  # the re-open window of e-mail
NEW_CUSTOMER = 0.35  # of tickets
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    customer: int
    identity: int
    name: str
    address: str
    phrases: Phrases


@dataclass
class Rows:
    """What one transaction copies in, parents first."""

    customers: list[Row] = field(default_factory=list)
    identities: list[Row] = field(default_factory=list)
    tickets: list[Row] = field(default_factory=list)
    participants: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)

    def write(self) -> None:
        for model, rows in (
            (Customer, self.customers),
            (Identity, self.identities),
            (Ticket, self.tickets),
            (Participant, self.participants),
            (Message, self.messages),
            (MessageKey, self.keys),
            (Event, self.events),
        ):
            bulk.insert_rows(model, rows)


class History:
    """`tickets` tickets over the `days` days before `end`. Call `write`, which yields how many stand."""

    def __init__(self, tickets: int, days: float, seed: int, end: datetime) -> None:
        self.total, self.end = tickets, end
        self.start = end - timedelta(days=days)
        self.random = random.Random(seed)
        self.people: list[Person] = []
        self.channels = list(Channel.objects.filter(kind="email").order_by("pk")) or [_mailbox()]
        agents = Agent.objects.filter(is_active=True, is_bot=False).exclude(role=Role.LIGHT)
        self.agents = list(agents.order_by("pk"))
        self.teams = list(Team.objects.filter(private=False).order_by("pk"))

    def write(self) -> Iterator[int]:
        for tag in TAGS:
            Tag.objects.get_or_create(name=tag)
        for first in range(0, self.total, CHUNK):
            count = min(CHUNK, self.total - first)
            with transaction.atomic():
                self._chunk(first, count).write()
            yield first + count

    def _chunk(self, first: int, count: int) -> Rows:
        rows = Rows()
        numbers, customers, identities = bulk.draw((Ticket, count), (Customer, count), (Identity, count))
        step = (self.end - self.start) / self.total
        stories = []
        for place, number in enumerate(numbers):
            at = self.start + step * (first + place + self.random.random())
            stories.append(_Story(self, rows, number, self._person(rows, customers, identities, at), at))
        messages = bulk.draw((Message, sum(len(story.turns) for story in stories)))[0]
        # Keys of messages rise with time, over all tickets of the chunk.
        turns = sorted(
            (turn.at, place, index) for place, story in enumerate(stories) for index, turn in enumerate(story.turns)
        )
        for key, (_at, place, index) in zip(messages, turns, strict=True):
            stories[place].turns[index].key = key
        for story in stories:
            story.tell()
        return rows

    def _person(self, rows: Rows, customers: list[int], identities: list[int], at: datetime) -> Person:
        pick = self.random
        if self.people and pick.random() > NEW_CUSTOMER:
            return self.people[int(len(self.people) * pick.random() ** 2)]  # some write often
        phrases = URDU if pick.random() < 0.3 else ENGLISH
        customer, identity = customers.pop(), identities.pop()
        name = f"{pick.choice(phrases.given)} {pick.choice(phrases.family)}"
        person = Person(customer, identity, name, f"{pick.choice(phrases.latin)}.{customer}@example.com", phrases)
        rows.customers.append(
            {"id": customer, "name": name, "language": phrases.language, "stage": "customer", "created_at": at,
             "last_seen_at": at}
        )  # fmt: skip
        rows.identities.append(
            {"id": identity, "customer_id": customer, "kind": "email", "value": person.address, "name": name,
             "verified_at": at, "verified_how": "seed", "created_at": at}
        )  # fmt: skip
        self.people.append(person)
        return person


@dataclass(slots=True)
class _Turn:
    at: datetime
    agent: Agent | None  # None: the customer speaks
    text: str
    key: int = 0


class _Story:
    """One ticket from its first mail to where it stands at the end."""

    def __init__(self, history: History, rows: Rows, number: int, person: Person, at: datetime) -> None:
        self.rows, self.number, self.person, self.at = rows, number, person, at
        pick = self.pick = history.random
        self.channel = pick.choice(history.channels)
        self.team = pick.choice(history.teams) if history.teams and pick.random() < 0.5 else None
        self.agent = pick.choice(history.agents) if history.agents else None
        self.order = pick.randrange(10_000, 99_999)
        subject, self.tag = pick.choice(person.phrases.subjects)
        self.subject = subject.format(number=self.order)
        self.turns = self._turns(history.end)
        self.status, self.solved_at, self.closed_at = self._outcome(history.end)
        self.spam = pick.random() < 0.01

    def _turns(self, end: datetime) -> list[_Turn]:
        pick, say = self.pick, self.person.phrases
        turns = [_Turn(self.at, None, self._said(pick.choice(say.questions), pick.choice(say.details)))]
        at = self.at
        while self.agent is not None and len(turns) < 9:
            at += timedelta(minutes=pick.lognormvariate(4.6, 1.2))
            if at >= end:
                break
            turns.append(_Turn(at, self.agent, self._said(pick.choice(say.answers))))
            if pick.random() < 0.45:
                break
            at += timedelta(minutes=pick.lognormvariate(5.4, 1.2))
            if at >= end:
                break
            turns.append(_Turn(at, None, self._said(pick.choice(say.thanks))))
            if pick.random() < 0.5:
                break
        return turns

    def _said(self, *sentences: str) -> str:
        say = self.person.phrases
        body = "\n".join(sentence.format(number=self.order) for sentence in sentences)
        return f"{say.greeting}\n\n{body}\n\n{say.closing}"

    def _outcome(self, end: datetime) -> tuple[str, datetime | None, datetime | None]:
        """Most of what is old is solved or closed; of the last days much is still open."""
        last = self.turns[-1]
        age = end - last.at
        if self.pick.random() < (0.01 if age > timedelta(days=14) else 0.5 if age < timedelta(days=2) else 0.1):
            return ("pending" if last.agent is not None else "open"), None, None
        if len(self.turns) == 1:
            return "open", None, None
        solved_at = min(last.at + timedelta(minutes=5), end)
        if end - solved_at > CLOSED_AFTER:
            return "closed", solved_at, solved_at + CLOSED_AFTER
        return "solved", solved_at, None

    def tell(self) -> None:
        pick, person, turns = self.pick, self.person, self.turns
        last = turns[-1]
        answered = [turn for turn in turns if turn.agent is not None]
        asked = [turn for turn in turns if turn.agent is None]
        done = self.status in {"solved", "closed"}
        # Nobody owns some of what was never answered.
        owner = self.agent if self.agent is not None and (answered or pick.random() < 0.3) else None
        waits = None if done or last.agent is not None else last.at
        changed = self.closed_at or self.solved_at or last.at
        self.rows.tickets.append(
            {
                "number": self.number,
                "customer_id": person.customer,
                "channel_id": self.channel.pk,
                "reply_channel_id": self.channel.pk,
                "subject": self.subject,
                "status": self.status,
                "priority": pick.choices(("low", "normal", "high", "urgent"), (10, 75, 12, 3))[0],
                "type": pick.choice(("question", "problem", "complaint", "request")),
                "assignee_id": owner.pk if owner else None,
                "team_id": self.team.pk if self.team else None,
                "tags": sorted({self.tag, *(["vip"] if pick.random() < 0.05 else [])}),
                "language": person.phrases.language,
                "spam": self.spam,
                "message_count": len(turns),
                "last_message_at": last.at,
                "last_direction": "in" if last.agent is None else "out",
                "preview": " ".join(last.text.split())[:200],
                "waiting_since": waits,
                "last_customer_message_at": asked[-1].at,
                "first_replied_at": answered[0].at if answered else None,
                "solved_at": self.solved_at,
                "closed_at": self.closed_at,
                "created_at": self.at,
                "updated_at": changed,
            }
        )
        self.rows.participants.append(
            {"ticket_id": self.number, "identity_id": person.identity, "role": "requester", "since": self.at}
        )
        self._event("ticket_created", self.at, None, channel=self.channel.pk)
        before = ""
        for turn in turns:
            before = self._message(turn, before)
        if self.solved_at is not None:
            self._event("status_changed", self.solved_at, self.agent, **{"from": "pending", "to": "solved"})
        if self.closed_at is not None:
            self._event("status_changed", self.closed_at, None, **{"from": "solved", "to": "closed"})

    def _message(self, turn: _Turn, before: str) -> str:
        person, agent = self.person, turn.agent
        external_id = f"{turn.key}.seed@example.com"
        customer, us = (
            {"name": person.name, "address": person.address},
            {"name": self.channel.name, "address": self.channel.settings.get("address", "support@example.com")},
        )
        self.rows.messages.append(
            {
                "id": turn.key,
                "ticket_id": self.number,
                "first_ticket_id": self.number,
                "direction": "in" if agent is None else "out",
                "channel_id": self.channel.pk,
                "author_kind": "customer" if agent is None else "agent",
                "customer_id": person.customer if agent is None else None,
                "agent_id": agent.pk if agent else None,
                "author_name": agent.name if agent else person.name,
                "author_address": us["address"] if agent else person.address,
                "to": [customer if agent else us],
                "subject": f"Re: {self.subject}" if before else self.subject,
                "text": turn.text,
                "visible_text": turn.text,
                "language": person.phrases.language,
                "payload": {"from": us, "date": turn.at.strftime("%a, %d %b %Y %H:%M:%S +0000")} if agent else {},
                "suppress_auto_reply": True,  # what is seeded is answered by nobody
                "external_id": external_id,
                "in_reply_to": before,
                "references": [before] if before else [],
                "thread_rule": "reference" if before else "new",
                "state": "sent" if agent else "",
                "attempts": 1 if agent else 0,
                "sent_at": turn.at if agent else None,
                "created_at": turn.at,
                "received_at": turn.at,
            }
        )
        self.rows.keys.append({"scope": "email", "key": f"seed:{turn.key}", "message_id": turn.key})
        kinds: Sequence[str] = ("message_added", "message_sent") if agent else ("message_received",)
        for kind in kinds:
            self._event(kind, turn.at, agent, message=turn.key, channel=self.channel.pk)
        return external_id

    def _event(self, kind: str, at: datetime, agent: Agent | None, /, **data: Any) -> None:
        by_customer = kind in {"ticket_created", "message_received"}
        self.rows.events.append(
            {
                "ticket_id": self.number,
                "kind": kind,
                "actor_kind": "customer" if by_customer else "agent" if agent else "system",
                "actor_id": self.person.customer if by_customer else agent.pk if agent else None,
                "at": at,
                "data": data,
            }
        )


def _mailbox() -> Channel:
    """A channel to hang a history on, where there is none yet: it neither reads nor sends."""
    return Channel.objects.create(
        kind="email",
        name="Support",
        slug="support",
        addresses=["support@example.com"],
        settings={"address": "support@example.com", "name": "Support"},
    )
