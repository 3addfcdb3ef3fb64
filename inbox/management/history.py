"""A believable history: customers who write, agents who answer, tickets that are solved and closed with time.

Everything comes from one seed and the moment it ends at. A chunk of tickets is told from its number alone, so that
several processes tell at once; telling asks the database nothing, see `inbox/management/filling.py`. What agents do
beside answering is told by `inbox/management/beside.py`.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from inbox import fields
from inbox.management import beside
from inbox.management.beside import Aside
from inbox.management.phrases import CODES, KINDS, SYLLABLES
from inbox.management.plans import Person, Plan, people_before, person_of
from inbox.management.sheets import Sheet, column, text
from inbox.management.talks import BOTS, CHATS, HURRY, Talk
from inbox.models import (
    Attachment,
    Customer,
    Engagement,
    EngagementKind,
    Event,
    FieldNoun,
    Identity,
    Mention,
    Message,
    MessageKey,
    Participant,
    SearchDocument,
    SearchPerson,
    SideConversation,
    Ticket,
)
from inbox.search import documents
from lib import folding

CLOSED_AFTER = timedelta(days=14)  # the re-open window of e-mail
AGAIN = 0.12  # of tickets with two answers were solved with the first
LONG = 330  # characters after which nothing more is added to a message
TICKET = ("number", "customer_id", "channel_id", "reply_channel_id", "subject", "status", "priority", "type",
          "assignee_id", "team_id", "tags", "language", "spam", "message_count", "last_message_at", "last_direction",
          "preview", "waiting_since", "last_customer_message_at", "first_replied_at", "solved_at", "closed_at",
          "created_at", "updated_at", *beside.TICKET)  # fmt: skip
MESSAGE = ("id", "ticket_id", "first_ticket_id", "direction", "channel_id", "author_kind", "customer_id", "agent_id",
           "author_name", "author_address", "to", "subject", "text", "visible_text", "language", "payload",
           "external_id", "in_reply_to", "references", "thread_rule", "state", "attempts", "sent_at", "created_at",
           "received_at", "side_id", "send_at")  # fmt: skip
NONE = "\\N"
FILE = b"This file stands for one that a customer would have sent.\n"


@dataclass
class Sheets:
    """What a chunk is written on, parents first."""

    customers: Sheet = field(default_factory=lambda: Sheet(
        Customer, ("id", "name", "language", "created_at", "last_seen_at", "organisation_id", "stage", "tags",
                   "attributes")))  # fmt: skip
    identities: Sheet = field(default_factory=lambda: Sheet(
        Identity, ("customer_id", "kind", "value", "name", "verified_at", "created_at"),
        verified_how="seed"))  # fmt: skip
    keyed: Sheet = field(default_factory=lambda: Sheet(
        Identity, ("id", "customer_id", "value", "name", "verified_at", "created_at"), kind="email",
        verified_how="seed"))  # fmt: skip
    tickets: Sheet = field(default_factory=lambda: Sheet(Ticket, TICKET))
    participants: Sheet = field(default_factory=lambda: Sheet(
        Participant, ("ticket_id", "identity_id", "since"), role="requester"))  # fmt: skip
    messages: Sheet = field(default_factory=lambda: Sheet(
        Message, MESSAGE, suppress_auto_reply=True))  # what is seeded is answered by nobody # fmt: skip
    keys: Sheet = field(default_factory=lambda: Sheet(MessageKey, ("key", "message_id"), scope="email"))
    attachments: Sheet = field(default_factory=lambda: Sheet(
        Attachment, ("message_id", "name", "content_type", "digest", "stored", "created_at"),
        size=len(FILE)))  # fmt: skip
    sides: Sheet = field(default_factory=lambda: Sheet(
        SideConversation, ("id", "ticket_id", "channel_id", "subject", "created_by_id", "created_at",
                           "last_message_at")))  # fmt: skip
    mentions: Sheet = field(default_factory=lambda: Sheet(
        Mention, ("agent_id", "ticket_id", "message_id", "by_id", "created_at", "seen_at")))  # fmt: skip
    events: Sheet = field(default_factory=lambda: Sheet(
        Event, ("ticket_id", "kind", "actor_kind", "actor_id", "at", "data")))  # fmt: skip
    engagements: Sheet = field(default_factory=lambda: Sheet(
        Engagement, ("id", "ticket_id", "channel_id", "agent_id", "requested_at", "offered_at", "accepted_at",
                     "ended_at", "ended_by"), kind=EngagementKind.CHAT.value))  # fmt: skip

    documents: Sheet = field(default_factory=lambda: Sheet(SearchDocument, ("number", "short", "words")))
    people: Sheet = field(default_factory=lambda: Sheet(SearchPerson, ("customer", "short")))

    def take(self) -> list[tuple[str, bytes]]:
        """COPY statements with their data, in an order that foreign keys allow."""
        sheets = (self.customers, self.keyed, self.identities, self.tickets, self.participants, self.sides,
                  self.messages, self.keys, self.mentions, self.attachments, self.engagements, self.events, self.people,
                  self.documents)  # fmt: skip
        return [(sheet.statement, sheet.take()) for sheet in sheets if sheet.lines]


@dataclass(slots=True)
class Turn:
    at: datetime
    agent: tuple[int, str] | None  # None: the customer speaks
    place: int  # of its ticket in the chunk
    text: str = ""
    words: frozenset[str] = frozenset()  # what it is found by, but for what fills its gaps
    key: int = 0


class Teller:
    """Tells chunks of one history."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.cast = plan, plan.cast
        self.sheets = Sheets()
        self.known = self.cast.known
        self.step = (plan.end - plan.start) / plan.tickets
        self.to_us = {
            channel: column([{"name": name, "address": address}]) for channel, name, address in self.cast.channels
        } | {channel: "[]" for channel, _name, _address in self.cast.chats}

    def tell(self, chunk: int, first_message: int) -> list[tuple[str, bytes]]:
        """The rows of a chunk, its messages numbered from `first_message` on, rising with time."""
        plan = self.plan
        self.pick = random.Random(f"{plan.seed} chunk {chunk}")
        self.also = random.Random(f"{plan.seed} beside {chunk}")
        self.talks = random.Random(f"{plan.seed} talks {chunk}")
        first = plan.before(chunk)
        known, now_known = people_before(first) if chunk else 0, people_before(first + plan.size(chunk))
        for index in range(known, now_known):
            self._introduce(person_of(plan, index), plan.start + self.step * (first + index - known))
        stories = [
            Story(self, place, plan.first_ticket + first + place, self._somebody(now_known),
                  plan.start + self.step * (first + place + self.pick.random()), length, aside)
            for place, (length, aside) in enumerate(zip(plan.lengths(chunk), plan.asides(chunk), strict=True))
        ]  # fmt: skip
        spoken: list[Turn | Aside] = [turn for story in stories for turn in story.turns]
        spoken += [aside for story in stories for aside in story.asides]
        turns = sorted(spoken, key=_when_said)
        for key, turn in enumerate(turns, first_message):
            turn.key = key
        for story in stories:
            story.tell()
        return self.sheets.take()

    def _somebody(self, known: int) -> Person:
        """Some write often."""
        return person_of(self.plan, int(known * self.pick.random() ** 1.5))

    def _introduce(self, person: Person, at: datetime) -> None:
        when, customer, name = at.isoformat(" "), str(person.customer), person.name
        self.sheets.customers.add(customer, name, person.phrases.language, when, when, *person.also.columns)
        self.sheets.keyed.add(str(person.identity), customer, person.address, name, when, when)
        if person.has_phone:
            self.sheets.identities.add(customer, "phone", person.number, name, when, when)
        said, _long = fields.words(self.known[FieldNoun.CUSTOMER], person.also.attributes)
        self.sheets.people.add(customer, documents.line_of([name, *said, *person.names]))


class Story:
    """One ticket from its first mail to where it stands at the end."""

    def __init__(self, teller: Teller, place: int, number: int, person: Person, at: datetime, length: int,
                 aside: str) -> None:  # fmt: skip
        self.teller, self.place, self.number, self.person, self.at = teller, place, number, person, at
        pick, cast = teller.pick, teller.cast
        self.channel = pick.choice(cast.channels)
        self.talk: Talk | None = None
        if cast.chats and teller.talks.random() < CHATS:
            self.channel = teller.talks.choice(cast.chats)
            self.talk = Talk(self, cast.bot if teller.talks.random() < BOTS else None)
        self.team = pick.choice(cast.teams) if cast.teams and pick.random() < 0.5 else None
        self.agent = pick.choice(cast.agents) if cast.agents else None
        rare = int(24 * 24 * 24 * pick.random() ** 3)
        made = SYLLABLES[rare // 576] + SYLLABLES[rare // 24 % 24] + SYLLABLES[rare % 24]
        self.slots = {
            "number": str(pick.randrange(100_000, 9_999_999)),
            "code": f"{pick.choice(CODES)}-{2022 + pick.randrange(5)}/{pick.randrange(1, 99_999)}",
            "product": f"{made.capitalize()} {pick.choice(KINDS)}",
            "city": pick.choice(person.phrases.cities),
            "phone": person.phone,
        }
        self.filled: set[str] = set()  # the gaps that its texts had
        subject, self.tag = pick.choice(person.phrases.subjects)
        self.subject = subject % self.slots
        self.turns = self._turns(length, teller.plan.end)
        self.status, self.solved_at, self.closed_at = self._outcome(teller.plan.end)
        self.asides = beside.of(self, aside) if self.agent is not None else []

    def _turns(self, length: int, end: datetime) -> list[Turn]:
        pick, say = self.teller.pick, self.person.phrases
        turns = [Turn(self.at, None, self.place, *self._said(say.questions, say.details))]
        at = self.at
        while self.agent is not None and len(turns) < length:
            ours = len(turns) % 2 == 1
            gap = int(60 * pick.lognormvariate(4.6 if ours else 5.4, 1.2))
            at += timedelta(seconds=gap if self.talk is None else gap // HURRY + 5)
            if at >= end:
                break
            said = self._said(say.answers, say.more) if ours else self._said(say.thanks, say.details)
            turns.append(Turn(at, self.agent if ours else None, self.place, *said))
        return turns

    def _said(self, first: tuple[str, ...], further: tuple[str, ...]) -> tuple[str, frozenset[str]]:
        """About four hundred characters, and the words in them."""
        pick, say = self.teller.pick.random, self.person.phrases
        lines = [say.greeting, "", first[int(len(first) * pick())]]
        size, at = len(lines[2]), int(len(further) * pick())
        while size < LONG and len(lines) < 3 + len(further):
            lines.append(further[at % len(further)])
            size += len(lines[-1])
            at += 1
        lines += ("", say.closing)
        self.filled.update(*map(gaps_of, lines))
        return "\n".join(lines) % self.slots, frozenset().union(*map(words_of, lines))

    def _outcome(self, end: datetime) -> tuple[str, datetime | None, datetime | None]:
        """Most of what is old is solved or closed; of the last days much is still open."""
        last, chance = self.turns[-1], self.teller.pick.random()
        age = end - last.at
        if chance < (0.006 if age > timedelta(days=14) else 0.5 if age < timedelta(days=2) else 0.1):
            waits = "pending" if last.agent is not None else "open"
            return ("on_hold" if chance < 0.001 else waits), None, None
        if len(self.turns) == 1 and age < timedelta(days=7):
            return "open", None, None
        solved_at = min(last.at + timedelta(minutes=5), end)
        if end - solved_at > CLOSED_AFTER:
            return "closed", solved_at, solved_at + CLOSED_AFTER
        return "solved", solved_at, None

    def tell(self) -> None:
        pick, person, turns, sheets = self.teller.pick, self.person, self.turns, self.teller.sheets
        last = turns[-1]
        answered = next((turn for turn in turns if turn.agent is not None), None)
        asked = last if last.agent is None else turns[-2]
        done = self.status in {"solved", "closed"}
        # Nobody owns some of what was never answered.
        owner = self.agent if self.agent is not None and (answered or pick.random() < 0.3) else None
        number, channel, when = str(self.number), str(self.channel[0]), self.at.isoformat(" ")
        spam = len(turns) == 1 and pick.random() < 0.1
        kind = ("question", "problem", "complaint", "request")[int(4 * self.teller.also.random())]
        chance, tags = pick.random(), sorted({self.tag, *(["vip"] if pick.random() < 0.05 else [])})
        found = documents.Document(self.number)
        facts = beside.Facts(self, "spam" if spam else self.status, kind, last.at)
        found.name(number, self.subject, person.name, facts.topic, *tags, person.also.organisation_name)
        found.note(self.teller.known, FieldNoun.TICKET, facts.attributes)
        found.note(self.teller.known, FieldNoun.CUSTOMER, person.also.attributes)
        found.name(person.address, *person.names)
        found.marks = [f"channel:{channel}"] + [f"team:{self.team}"] * (self.team is not None)
        if owner is not None:
            found.marks.append(f"owner:{owner[0]}")
        found.marks += ["spam"] * spam + ["trash"] * (facts.trashed_at is not None)
        priority = "normal" if chance < 0.75 else "high" if chance < 0.87 else "low" if chance < 0.97 else "urgent"
        sheets.tickets.add(
            number, str(person.customer), channel, channel, text(self.subject), self.status,
            priority,
            kind,
            str(owner[0]) if owner else NONE, str(self.team) if self.team else NONE,
            "{" + ",".join(tags) + "}",
            person.phrases.language, "t" if spam else "f", str(len(turns) + len(self.asides)), last.at.isoformat(" "),
            "in" if last.agent is None else "out", text(" ".join(last.text[:260].split())[:200]),
            NONE if done or last.agent is not None else last.at.isoformat(" "), asked.at.isoformat(" "),
            answered.at.isoformat(" ") if answered else NONE, _when(self.solved_at), _when(self.closed_at), when,
            _when(self.closed_at or self.solved_at or last.at), *facts.columns,
        )  # fmt: skip
        sheets.participants.add(number, str(person.identity), when)
        first = {"team": self.team, "assignee": owner[0] if owner else None, "priority": priority}
        if self.talk is not None and self.talk.bot is not None:
            first["assignee"] = self.talk.bot
        self.event("ticket_created", when, None, channel=self.channel[0], **first)
        before = ""
        for turn in turns:
            before = self._message(turn, before)
            found.words |= turn.words
            if turn.agent is None and turn is not turns[0]:
                found.name(f"Re: {self.subject}")
        if self.talk is not None:
            self.talk.tell()
        self._came_again(owner)
        for aside in self.asides:
            beside.write(self, aside, found)
        for gap in self.filled:
            found.words |= folding.of_text(self.slots[gap])
        if pick.random() < 0.08:
            names = person.phrases.files
            name = names[int(len(names) * pick.random())] % self.slots
            name = name.replace("/", "-")
            found.name(name)
            sheets.attachments.add(
                str(turns[0].key), text(name), "text/plain", self.teller.cast.digest,
                self.teller.cast.stored, when
            )  # fmt: skip
        _number, short, words = found.row()
        sheets.documents.add(number, short, words)
        if self.solved_at is not None:
            bot = self.talk.bot if self.talk is not None and self.talk.contained else None
            self.event("status_changed", _when(self.solved_at), owner, bot, **{"from": "pending", "to": "solved"})
        if self.closed_at is not None:
            self.event("status_changed", _when(self.closed_at), None, **{"from": "solved", "to": "closed"})

    def _came_again(self, owner: tuple[int, str] | None) -> None:
        """Some were solved with the first answer, until their customer wrote once more."""
        if len(self.turns) < 4 or self.teller.talks.random() > AGAIN:
            return
        solved, again = self.turns[1].at + timedelta(seconds=1), self.turns[2].at
        if solved < again:
            self.event("status_changed", _when(solved), owner, **{"from": "open", "to": "solved"})
            self.event("reopened", _when(again), None, was="solved")
            self.event("status_changed", _when(again), None, **{"from": "solved", "to": "open"})

    def _message(self, turn: Turn, before: str) -> str:
        person, agent, key, number, when = (
            self.person,
            turn.agent,
            str(turn.key),
            str(self.number),
            turn.at.isoformat(" "),
        )
        channel, our_name, our_address = self.channel
        external_id, said = f"{key}.seed@example.com", text(turn.text)
        if agent is None:
            to, author, payload = self.teller.to_us[channel], (person.name, person.address), "{}"
        else:
            to = f'[{{"name": "{person.name}", "address": "{person.address}"}}]'
            author = (agent[1], our_address)
            date = turn.at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
            payload = column({"from": {"name": our_name, "address": our_address}, "date": date})
        self.teller.sheets.messages.add(
            key, number, number, "in" if agent is None else "out", str(channel),
            "customer" if agent is None else "agent", str(person.customer) if agent is None else NONE,
            str(agent[0]) if agent else NONE, text(author[0]), author[1], to,
            text(f"Re: {self.subject}" if before else self.subject), said, said, person.phrases.language, payload,
            external_id, before, "{" + before + "}", "reference" if before else "new", "sent" if agent else "",
            "1" if agent else "0", when if agent else NONE, when, when, NONE, NONE,
        )  # fmt: skip
        self.teller.sheets.keys.add(f"seed:{key}", key)
        for kind in ("message_added", "message_sent") if agent else ("message_received",):
            self.event(kind, when, agent, message=turn.key, channel=channel)
        return external_id

    def event(
        self, kind: str, when: str, agent: tuple[int, str] | None, bot: int | None = None, /, **data: Any
    ) -> None:
        """A line of the log: by the customer where what happened is theirs, else by the bot, the agent, or nobody."""
        by_customer = kind in {"ticket_created", "message_received", "reopened"} or data.get("to") == "open"
        who, actor = "system", NONE
        if by_customer:
            who, actor = "customer", str(self.person.customer)
        elif bot is not None:
            who, actor = "bot", str(bot)
        elif agent is not None:
            who, actor = "agent", str(agent[0])
        self.teller.sheets.events.add(str(self.number), kind, who, actor, when, json.dumps(data))


GAP = re.compile(r"%\((\w+)\)s")


@cache
def gaps_of(sentence: str) -> frozenset[str]:
    return frozenset(GAP.findall(sentence))


@cache
def words_of(sentence: str) -> frozenset[str]:
    """What a sentence is found by, whatever fills its gaps: no gap touches a word or a number."""
    return frozenset(folding.of_text(GAP.sub(" ", sentence)))


def _when_said(one: Turn | Aside) -> tuple[datetime, int]:
    return one.at, one.place


def _when(at: datetime | None) -> str:
    return at.isoformat(" ") if at else NONE
