"""What a ticket and a customer are found by, made from their rows.

A document holds words without their places: a few hundred, at most MOST_WORDS, which keeps it far below the megabyte
that PostgreSQL allows. Beside the words stand marks (`channel:7`) by which a search leaves out what an agent may not
see while it looks, and not only afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models.functions import Left

from inbox import fields
from inbox.actions.work import our_addresses
from inbox.models import (
    Attachment,
    Customer,
    Direction,
    Field,
    FieldNoun,
    Identity,
    Message,
    Participant,
    SearchDocument,
    SearchPerson,
    Ticket,
)
from lib import folding

MOST_WORDS = 3_000
MOST_TEXT = 20_000  # characters of one message
MOST_ENDS = 600  # ends of words, of the short fields
MOST_SHORT = 2_000  # characters that decide the order of hits
BATCH = 500


Searched = Mapping[str, Sequence[Field]]


def searched() -> Searched:
    """The fields that search knows, by noun."""
    found: dict[str, list[Field]] = defaultdict(list)
    for one in Field.objects.filter(searchable=True).order_by("pk"):
        found[one.noun].append(one)
    return found


@dataclass(slots=True)
class Document:
    """What one ticket is found by: the short fields, in which words are found from within too, and the texts."""

    number: int
    marks: list[str] = field(default_factory=list)
    short: dict[str, None] = field(default_factory=dict)  # in order, once each
    words: set[str] = field(default_factory=set)  # of the texts
    people: set[int] = field(default_factory=set)  # ids of customers

    def name(self, *texts: str | None) -> None:
        for text in texts:
            if text:
                self.short[text] = None

    def note(self, known: Searched, noun: str, attributes: Mapping[str, object] | None) -> None:
        """Take in what the fields of a noun say."""
        if attributes and noun in known:
            short, long = fields.words(known[noun], attributes)
            self.name(*short)
            for text in long:
                self.words |= folding.of_text(text[:MOST_TEXT])

    def row(self) -> tuple[int, str, str]:
        """The columns of its table; the last as PostgreSQL reads a tsvector."""
        line, found = in_short(self.short)
        ends = folding.inside(line)
        if len(ends) > MOST_ENDS:
            ends = set(sorted(ends, key=len, reverse=True)[:MOST_ENDS])
        found |= self.words
        if len(found) > MOST_WORDS:
            # The longer ones say more than the shorter ones. Sorted, so that the same rows make the same document.
            found = set(sorted(found, key=lambda word: (-len(word), word))[:MOST_WORDS])
        found |= folding.beginnings(found) | ends
        return self.number, " ".join(line)[:MOST_SHORT], " ".join([*(f"'{one}'" for one in self.marks), *found])


def in_short(texts: Iterable[str]) -> tuple[dict[str, None], set[str]]:
    """The words of short texts in order, and all that they are found by."""
    found: set[str] = set()
    line: dict[str, None] = {}
    for text in texts:
        found |= folding.of_text(text)
        line |= dict.fromkeys(folding.words(folding.fold(text)))
    return line, found


def build(numbers: Sequence[int]) -> list[Document]:
    """The documents of these tickets, as far as they are there and not merged away; seven queries for all of them."""
    made: dict[int, Document] = {}
    customers: dict[int, list[Document]] = defaultdict(list)
    columns = ("number", "customer_id", "customer__name", "customer__external_id", "subject", "external_id", "topic",
               "tags", "channel_id", "also_channels", "team_id", "assignee_id", "spam", "trashed_at",
               "organisation__name", "customer__organisation__name", "attributes", "customer__attributes",
               "organisation__attributes")  # fmt: skip
    known = searched()
    for row in Ticket.objects.filter(pk__in=numbers, merged_into__isnull=True).values_list(*columns):
        number, customer, name, customer_key, subject, key, topic, tags, channel, also, team, owner, *rest = row
        spam, trashed, *firms, said, customer_said, firm_said = rest
        document = made[number] = Document(number)
        document.name(str(number), subject, name, key, customer_key, topic, *tags, *firms)
        document.note(known, FieldNoun.TICKET, said)
        document.note(known, FieldNoun.CUSTOMER, customer_said)
        document.note(known, FieldNoun.ORGANISATION, firm_said)
        document.marks = [f"channel:{one}" for one in (channel, *also)]
        document.marks += [f"team:{team}"] * (team is not None) + [f"owner:{owner}"] * (owner is not None)
        document.marks += ["spam"] * spam + ["trash"] * (trashed is not None)
        document.people.add(customer)
        customers[customer].append(document)
    if not made:
        return []
    _add_merged(made)
    own = our_addresses()  # they stand in every message, and would make it found by them
    joined = Participant.objects.filter(ticket__in=made).order_by("pk")
    for number, value, name in joined.values_list("ticket", "identity__value", "identity__name"):
        made[number].name(value, name)
    for customer, value, name in (
        Identity.objects.filter(customer__in=customers).order_by("pk").values_list("customer", "value", "name")
    ):
        for document in customers[customer]:
            document.name(value, name)
    _add_messages(made, own)
    return list(made.values())


def _add_merged(made: Mapping[int, Document]) -> None:
    """A ticket is found by the numbers and subjects of those that were merged into it, directly or in turn."""
    into = {number: number for number in made}
    waiting = list(made)
    while waiting:
        rows = list(
            Ticket.objects.filter(merged_into__in=waiting)
            .order_by("pk")
            .values_list("number", "merged_into", "subject", "external_id")
        )
        waiting = []
        for number, target, subject, key in rows:
            if number not in into and target is not None:
                into[number] = into[target]
                waiting.append(number)
                made[into[number]].name(str(number), subject, key)


def _add_messages(made: Mapping[int, Document], own: frozenset[str]) -> None:
    rows = (
        Message.objects.filter(ticket__in=made, deleted_at__isnull=True)
        .order_by("ticket", "id")
        .values_list(
            "ticket", "direction", "author_name", "author_address", "to", "cc", "bcc", "subject",
            Left("text", MOST_TEXT),
        )
    )  # fmt: skip
    for number, direction, name, address, to, cc, bcc, subject, text in rows:
        document = made[number]
        if direction == Direction.IN:
            document.name(subject, name, address)
        for party in (*to, *cc, *bcc):
            if (value := str(party.get("address") or "")).lower() not in own:
                document.name(value, str(party.get("name") or ""))
        if len(document.words) < MOST_WORDS:
            document.words |= folding.of_text(text)
    files = Attachment.objects.filter(message__ticket__in=made, message__deleted_at__isnull=True, inline=False)
    for number, name in files.order_by("pk").values_list("message__ticket", "name"):
        made[number].name(name)


WRITE = """
INSERT INTO inbox_searchdocument (number, short, words)
SELECT number, short, words::tsvector FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (number, short, words)
ON CONFLICT (number) DO UPDATE SET short = excluded.short, words = excluded.words
WHERE (inbox_searchdocument.short, inbox_searchdocument.words) IS DISTINCT FROM (excluded.short, excluded.words)
"""


def write(numbers: Sequence[int]) -> set[int]:
    """Bring the documents of these tickets up to what their rows say; returns their customers, for `write_people`."""
    made = build(numbers)
    gone = set(numbers) - {document.number for document in made}
    if gone:
        SearchDocument.objects.filter(pk__in=gone).delete()
    if made:
        rows = [document.row() for document in sorted(made, key=lambda one: one.number)]
        with connection.cursor() as cursor:
            cursor.execute(WRITE, [list(column) for column in zip(*rows, strict=True)])
    return {customer for document in made for customer in document.people}


PEOPLE = """
INSERT INTO inbox_searchperson (customer, short)
SELECT * FROM unnest(%s::bigint[], %s::text[])
ON CONFLICT (customer) DO UPDATE SET short = excluded.short WHERE inbox_searchperson.short <> excluded.short
"""


def people(customers: Iterable[int]) -> list[tuple[int, str]]:
    """What these customers are found by, as far as they are there and not merged away."""
    ids = sorted(set(customers))
    found: dict[int, dict[str, None]] = {}
    rows = Customer.objects.filter(pk__in=ids, merged_into__isnull=True).order_by("pk")
    known = searched().get(FieldNoun.CUSTOMER, ())
    for pk, name, key, said in rows.values_list("pk", "name", "external_id", "attributes"):
        found[pk] = dict.fromkeys(filter(None, (name, key, *(fields.words(known, said)[0] if said else ()))))
    addresses = Identity.objects.filter(customer__in=found).order_by("pk").values_list("customer", "value", "name")
    for pk, value, name in addresses:
        found[pk] |= dict.fromkeys(filter(None, (value, name)))
    return [(pk, line_of(texts)) for pk, texts in found.items()]


def line_of(texts: Iterable[str]) -> str:
    """Names and addresses of a person, folded: by words, joined, and telephone numbers in their spellings."""
    line: dict[str, None] = {}
    for text in texts:
        folded = folding.fold(text)
        line[" ".join(folding.words(folded))] = None
        for digits, _start, _end in folding.phones(folded):
            line |= dict.fromkeys(sorted(folding.spellings(digits)))
    return " ".join(line)[:MOST_SHORT]


def write_people(customers: Iterable[int]) -> None:
    """Bring what these people are found by up to date. Call it once in a transaction: rows are locked in their order,
    so that two who write the same people wait for each other, but never both.
    """
    ids = set(customers)
    rows = people(ids)
    if gone := ids - {pk for pk, _short in rows}:
        SearchPerson.objects.filter(pk__in=gone).delete()
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(PEOPLE, [list(column) for column in zip(*rows, strict=True)])


def with_attribute(noun: str, key: str, after: int) -> list[int]:
    """Numbers of the next tickets on which an attribute of this key stands; at most BATCH.

    A walk along the tickets: it is for the rare day on which a field is made, changed or taken away.
    """
    path = {FieldNoun.TICKET.value: "", FieldNoun.CUSTOMER.value: "customer__"}.get(noun, "organisation__")
    found = Ticket.objects.filter(number__gt=after, **{f"{path}attributes__has_key": key}).order_by("number")
    return list(found.values_list("number", flat=True)[:BATCH])


def of_customers(customers: Iterable[int], after: int = 0) -> list[int]:
    """Numbers of the next tickets these customers have, take part in or wrote in, from `after` on; at most BATCH."""
    ids = list(customers)
    found: set[int] = set()
    for rows, column in (
        (Ticket.objects.filter(customer__in=ids), "number"),
        (Participant.objects.filter(identity__customer__in=ids), "ticket"),
        (Message.objects.filter(customer__in=ids), "ticket"),
    ):
        further = rows.filter(**{f"{column}__gt": after}).order_by(column).values_list(column, flat=True)
        found.update(further.distinct()[:BATCH])
    return sorted(found)[:BATCH]
