"""Which history is told: its cast, its size, and whom its customers are."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from inbox.management import beside
from inbox.management.phrases import ENGLISH, URDU, Phrases
from inbox.models import Field, FieldNoun
from inbox.search import documents

CHUNK = 2_000  # tickets
NEW_CUSTOMERS = 0.35  # of tickets
LENGTHS = (1, 2, 3, 4, 5)  # messages of a ticket …
WEIGHTS = (10, 15, 45, 20, 10)  # … and how often: three on average


@dataclass(frozen=True)
class Cast:
    """Who and what a history is told of: ids of what stands in the database."""

    channels: tuple[tuple[int, str, str], ...]  # (id, name, address)
    agents: tuple[tuple[int, str], ...]
    teams: tuple[int, ...]
    chats: tuple[tuple[int, str, str], ...] = ()  # websites that are chatted on
    bot: int | None = None  # that has some of these chats first
    stored: str = ""  # the file that all attachments are
    digest: str = ""
    fields: tuple[Field, ...] = ()  # that search knows

    @property
    def known(self) -> documents.Searched:
        return {noun: [one for one in self.fields if one.noun == noun] for noun in FieldNoun.values}


@dataclass(frozen=True)
class Plan:
    """Which history: its size, its seed, when it begins and ends, and the first id of each kind of row."""

    tickets: int
    seed: int
    start: datetime
    end: datetime
    cast: Cast
    first_ticket: int = 0
    first_customer: int = 0
    first_identity: int = 0
    first_side: int = 0
    first_organisation: int = 0
    first_engagement: int = 0

    @property
    def chunks(self) -> int:
        return -(-self.tickets // CHUNK)

    @property
    def customers(self) -> int:
        return people_before(self.tickets)

    @property
    def organisations(self) -> int:
        return self.customers // beside.PEOPLE + 1

    def size(self, chunk: int) -> int:
        return min(CHUNK, self.tickets - chunk * CHUNK)

    def before(self, chunk: int) -> int:
        """Tickets before this chunk."""
        return chunk * CHUNK

    def lengths(self, chunk: int) -> list[int]:
        """How many messages each ticket of a chunk is to have."""
        return random.Random(f"{self.seed} lengths {chunk}").choices(LENGTHS, WEIGHTS, k=self.size(chunk))

    def asides(self, chunk: int) -> list[str]:
        """What each of them is to have beside these, see `beside`."""
        return random.Random(f"{self.seed} asides {chunk}").choices(*beside.ASIDES, k=self.size(chunk))

    def messages(self, chunk: int) -> int:
        """As many as a chunk has at most."""
        return sum(self.lengths(chunk)) + sum(map(bool, self.asides(chunk)))


def people_before(tickets: int) -> int:
    return int(tickets * NEW_CUSTOMERS) + 1


@dataclass(frozen=True, slots=True)
class Person:
    customer: int
    identity: int
    name: str
    address: str
    phone: str  # as it stands in what they write
    phrases: Phrases
    also: beside.Known

    @property
    def number(self) -> str:
        """The telephone number that is known to be theirs, and nobody else's."""
        return f"+92301{self.customer * 7919 % 10**9:09d}"

    @property
    def has_phone(self) -> bool:
        return self.customer % 4 == 0

    @property
    def names(self) -> list[str]:
        return [self.name, self.address, *([self.number] if self.has_phone else [])]


def person_of(plan: Plan, index: int) -> Person:
    """The customer of this place; the same whenever asked."""
    pick = random.Random(f"{plan.seed} person {index}")
    phrases = URDU if pick.random() < 0.3 else ENGLISH
    written, latin = pick.choice(phrases.given)
    name = f"{written} {pick.choice(phrases.family)}"
    phone = f"+92300{pick.randrange(10**6, 10**7)}" if phrases is URDU else f"+4930{pick.randrange(10**7, 10**8)}"
    address = f"{latin}.{plan.first_customer + index}@example.{pick.choice(('com', 'org', 'net'))}"
    also = beside.known_of(pick, plan.seed, plan.organisations, plan.first_organisation)
    return Person(plan.first_customer + index, plan.first_identity + index, name, address, phone, phrases, also)
