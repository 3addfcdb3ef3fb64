"""What a seeded history knows beside what customers and agents say to each other: what is put away, in the trash or
due, what fields say, notes that name a colleague, side conversations, and answers that wait for their time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from inbox.management.phrases import CITIES_OF_FIRMS, KINDS_OF_FIRMS, NOTES, SYLLABLES, THIRD_PARTIES, TOPICS
from inbox.management.sheets import column, text
from lib import folding

if TYPE_CHECKING:
    from inbox.management.history import Story
    from inbox.search.documents import Document

# What one more message of a ticket is, and of how many: a note, a side conversation, an answer for later.
ASIDES = (("", "note", "side", "later"), (85, 4, 1, 10))  # for later only where a ticket is still open
PEOPLE = 60  # customers for each organisation there is
TICKET = ("organisation_id", "topic", "severity", "attributes", "snoozed_until", "due_at", "trashed_at", "csat")
TRASHED_FOR = timedelta(days=30)  # until the trash is emptied
PLANS = ("basic", "plus", "business")
NONE = "\\N"


@dataclass(slots=True)
class Aside:
    """A message that is none of the conversation's turns."""

    at: datetime
    place: int
    kind: str
    text: str
    agent: tuple[int, str]
    key: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer."""

    organisation: int | None
    organisation_name: str
    tags: tuple[str, ...]
    attributes: dict[str, Any]
    stage: str

    @property
    def columns(self) -> tuple[str, str, str, str]:
        tags = "{" + ",".join(self.tags) + "}"
        return column(self.organisation), self.stage, tags, column(self.attributes)


def known_of(pick: random.Random, seed: int, organisations: int, first: int) -> Known:
    """Every third writes for an organisation, of which a few are large."""
    chance = pick.random()
    place = int(organisations * pick.random() ** 2) if chance < 0.3 else None
    attributes: dict[str, Any] = {}
    if pick.random() < 0.2:
        attributes = {"account": f"AC-{pick.randrange(10**6, 10**7)}", "plan": PLANS[int(3 * chance)]}
    return Known(
        None if place is None else first + place,
        "" if place is None else firm(seed, place)[0],
        ("vip",) if chance > 0.95 else (),
        attributes,
        "lead" if 0.3 < chance < 0.4 else "customer",
    )


@lru_cache(maxsize=20_000)
def firm(seed: int, place: int) -> tuple[str, str]:
    """Name and domain of an organisation; the same whenever asked."""
    pick = random.Random(f"{seed} firm {place}")
    made = "".join(pick.choices(SYLLABLES, k=2 + (place > 500)))
    name = f"{made.capitalize()} {pick.choice(KINDS_OF_FIRMS)} {pick.choice(CITIES_OF_FIRMS)}"
    return name, f"{made}-{place}.example"


class Facts:
    """What stands on a ticket beside what its messages say."""

    def __init__(self, story: Story, status: str, kind: str, last: datetime) -> None:
        pick, end = story.teller.also, story.teller.plan.end
        chance, ahead = pick.random(), timedelta(hours=1 + int(24 * 14 * pick.random() ** 2))
        self.organisation = story.person.also.organisation
        self.topic = TOPICS[int(len(TOPICS) * pick.random() ** 2)] if pick.random() < 0.4 else ""
        self.severity = 1 + int(4 * pick.random()) if kind == "problem" and chance < 0.6 else None
        self.attributes: dict[str, Any] = {}
        if pick.random() < 0.3:
            self.attributes["order"] = story.slots["number"]
            if chance < 0.5:
                self.attributes["refund"] = chance < 0.2
        waits, answered = status in {"open", "pending"}, status in {"solved", "closed"}
        later = any(aside.kind == "later" for aside in story.asides)
        self.snoozed_until = end + ahead if status == "open" and chance < 0.16 and not later else None
        self.due_at = end + ahead - timedelta(days=2) if waits and 0.1 < chance < 0.25 else None
        self.trashed_at = None
        if 0.3 < chance < 0.315 and not later and end - last < TRASHED_FOR:
            self.trashed_at = last + (end - last) * pick.random()
        self.csat = 1 + int(5 * pick.random() ** 0.4) if answered and 0.5 < chance < 0.6 else None

    @property
    def columns(self) -> tuple[str, ...]:
        """As `TICKET` names them."""
        values = (self.organisation, self.topic, self.severity, self.attributes, self.snoozed_until, self.due_at,
                  self.trashed_at, self.csat)  # fmt: skip
        return tuple(map(column, values))


def of(story: Story, kind: str) -> list[Aside]:
    """What a ticket with an agent has beside its turns: nothing, or one message behind them."""
    if not kind or (kind == "later" and story.status not in {"open", "pending"}):
        return []
    pick, end = story.teller.also, story.teller.plan.end
    assert story.agent is not None
    at = min(story.turns[-1].at + timedelta(minutes=1 + 3 * pick.random()), end)
    if kind == "later":
        return [Aside(at, story.place, kind, pick.choice(story.person.phrases.answers) % story.slots, story.agent)]
    return [Aside(at, story.place, kind, NOTES[int(len(NOTES) * pick.random())], story.agent)]


def write(story: Story, aside: Aside, found: Document) -> None:
    """Its rows, and what it is found by."""
    Writer(story, aside).write(found)


@dataclass(frozen=True)
class Writer:
    story: Story
    aside: Aside

    @cached_property
    def when(self) -> str:
        return self.aside.at.isoformat(" ")

    def write(self, found: Document) -> None:
        story, aside, sheets = self.story, self.aside, self.story.teller.sheets
        number, agent = str(story.number), str(aside.agent[0])
        side, send_at, to, said = NONE, NONE, "[]", aside.text
        match aside.kind:
            case "note":
                said = self._mention()
                story.event("note_added", self.when, aside.agent, message=aside.key)
            case "side":
                side = str(story.teller.plan.first_side + story.number - story.teller.plan.first_ticket)
                name, address = THIRD_PARTIES[aside.key % len(THIRD_PARTIES)]
                to = column([{"name": name, "address": address}])
                found.name(address, name)
                sheets.sides.add(side, number, str(story.channel[0]), text(story.subject), agent, self.when, self.when)
                story.event("side_started", self.when, aside.agent, side=int(side), forwards=[])
                story.event("side_message_added", self.when, aside.agent, message=aside.key, side=int(side),
                            channel=story.channel[0])  # fmt: skip
            case "later":
                to = column([{"name": story.person.name, "address": story.person.address}])
                ahead = story.teller.plan.end + timedelta(hours=12 + aside.key % 300)
                send_at = ahead.isoformat(" ")
                story.event("message_scheduled", self.when, aside.agent, message=aside.key, send_at=ahead.isoformat())
        found.words |= folding.of_text(said)
        self._add(said, to, side, send_at)

    def _mention(self) -> str:
        """What a note says: it names a colleague, who has seen it but for the latest ones."""
        story, aside, teller = self.story, self.aside, self.story.teller
        others = [one for one in teller.cast.agents if one != aside.agent]
        if not others:
            return aside.text
        who = teller.also.choice(others)
        fresh = teller.plan.end - aside.at < timedelta(days=2)
        seen = NONE if fresh and teller.also.random() < 0.5 else self.when
        teller.sheets.mentions.add(
            str(who[0]), str(story.number), str(aside.key), str(aside.agent[0]), self.when, seen
        )  # fmt: skip
        return f"@{who[1]} {aside.text}"

    def _add(self, said: str, to: str, side: str, send_at: str) -> None:
        story, aside = self.story, self.aside
        number, key, is_note = str(story.number), str(aside.key), aside.kind == "note"
        external = "" if is_note else f"{key}.seed@example.com"
        _channel, our_name, our_address = story.channel
        sender = {"from": {"name": our_name, "address": our_address}}
        later = send_at != NONE
        story.teller.sheets.messages.add(
            key, number, number, "note" if is_note else "out", str(story.channel[0]), "agent", NONE,
            str(aside.agent[0]), text(aside.agent[1]), "" if is_note else our_address, to,
            "" if is_note else text(story.subject), text(said), text(said), story.person.phrases.language,
            "{}" if is_note else column(sender), external, "", "{}", "", "" if is_note else "queued" if later else
            "sent", "0" if is_note or later else "1", NONE if is_note or later else self.when, self.when, self.when,
            side, send_at,
        )  # fmt: skip
        if not is_note:
            story.teller.sheets.keys.add(f"seed:{key}", key)
