"""Puts a seeded history into the database: told by several processes, copied in by one transaction.

A large one goes in without its secondary indexes, which are made afterwards: that is several times faster than keeping
millions of entries in order. All of it, the taking away of indexes included, is one transaction: whatever interrupts
it leaves the database as it was. Until it ends, pages that want these tables wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any

from django.db import DatabaseError, connection, models, transaction

from inbox import files
from inbox.adapters import kinds
from inbox.management import further, workplace
from inbox.management.history import FILE, Sheets, Teller
from inbox.management.phrases import TAGS
from inbox.management.plans import Cast, Plan
from inbox.models import (
    PARTITION,
    Agent,
    Attachment,
    Channel,
    Customer,
    Engagement,
    Event,
    Identity,
    Message,
    MessageKey,
    Organisation,
    Participant,
    Role,
    SearchPerson,
    SideConversation,
    Tag,
    Team,
    Ticket,
    TicketSeen,
)
from inbox.search import documents, partitions, rebuild
from lib import processes

LARGE = 20_000  # tickets from which on indexes are made afterwards, and several processes tell
TABLES: tuple[type[models.Model], ...] = (
    Customer, Identity, Ticket, Participant, Message, MessageKey, Attachment, Event, SearchPerson, TicketSeen,
    Engagement,
)  # fmt: skip
MAILBOXES = (("Support", "support"), ("Orders", "orders"), ("Billing", "billing"))
DOCUMENTS = Sheets().documents.statement
Say = Callable[[str, int, int], None]  # what is done now, how much of it, of how much


# Each customer was heard of when their last message came, in whichever ticket.
SEEN = """
UPDATE inbox_customer AS customer SET last_seen_at = heard.last
FROM (SELECT customer_id, max(last_customer_message_at) AS last FROM inbox_ticket GROUP BY customer_id) AS heard
WHERE customer.id = heard.customer_id AND customer.last_seen_at < heard.last
"""


def fill(tickets: int, days: float, seed: int, end: datetime, say: Say) -> None:
    """Write `tickets` tickets over the `days` days before `end`, all that search finds them by included."""
    for tag in TAGS:
        Tag.objects.get_or_create(name=tag)
    workplace.prepare()
    cast = _cast()
    plan = Plan(tickets, seed, end - timedelta(days=days), end, cast)
    plan = Plan(
        tickets, seed, plan.start, end, cast,
        _reserve(Ticket, tickets), _reserve(Customer, plan.customers), _reserve(Identity, plan.customers),
        _reserve(SideConversation, tickets), _reserve(Organisation, plan.organisations), _reserve(Engagement, tickets),
    )  # fmt: skip
    large = tickets >= LARGE
    stood = rebuild.stood()
    with transaction.atomic(), connection.cursor() as cursor:
        _without_checks(cursor)
        dropped = _drop_indexes(cursor) if large else []
        found = Found(plan, large)
        done = 0
        workplace.organisations(cursor, plan)
        for size, sheets in _told(plan, processes.sensible() if large else 0):
            for statement, rows in sheets:
                if statement == DOCUMENTS:
                    found.copy(cursor, rows)
                    continue
                with cursor.copy(statement) as copy:
                    copy.write(rows)
            done += size
            say("Copying tickets in", done, tickets)
        workplace.write(cursor, plan, say)
        further.write_all(cursor, plan, say)
        for place, (name, definition) in enumerate(dropped):
            say(f"Making index {name}", place, len(dropped))
            cursor.execute(definition)
        found.finish(say)
        cursor.execute(SEEN)
        written = _written(cursor)
    if found.mixed:
        rebuild.parts(found.mixed, processes.sensible(), say)
        rebuild.again(stood)
    if written is not None:
        rebuild.skip(*written)  # all that search's reader of the log would do of these is done
        for name in further.readers if large else ():
            rebuild.skip(*written, name)
    say("Gathering statistics", 0, 1)
    _vacuum(large)
    further.do_all(plan, large, say)


class Found:
    """Where the documents of a history go: partitions of their own are filled beside and indexed at the end."""

    def __init__(self, plan: Plan, large: bool) -> None:
        first, last = plan.first_ticket, plan.first_ticket + plan.tickets - 1
        parts = range(first // PARTITION, last // PARTITION + 1)
        self.own = [part for part in parts if partitions.empty(part)] if large else []
        # Beside documents that are there: few are written among them, many built together with them.
        self.mixed = [part for part in parts if part not in self.own] if large else []
        for part in self.own:
            partitions.begin(part)
        if not large:
            partitions.ensure([first, last])

    def copy(self, cursor: Any, rows: bytes) -> None:
        if not self.own and not self.mixed:
            with cursor.copy(DOCUMENTS) as copy:
                copy.write(rows)
            return
        for part, lines in groupby(rows.splitlines(keepends=True), _part_of):
            if part in self.own:
                with cursor.copy(partitions.copy_to(part)) as copy:
                    copy.write(b"".join(lines))

    def finish(self, say: Say) -> None:
        for place, part in enumerate(self.own):
            say("Indexing what search looks in", place, len(self.own))
            partitions.index(part)
        for part in self.own:
            partitions.exchange(part, "")


def _part_of(line: bytes) -> int:
    return int(line[: line.index(b"\t")]) // PARTITION


def _vacuum(large: bool) -> None:
    with connection.cursor() as cursor:
        if large and not connection.in_atomic_block:
            # Where rows are known to be seen by all, counts and followers need not look at them.
            cursor.execute("VACUUM (ANALYZE)")
        else:
            cursor.execute("ANALYZE")


def _cast() -> Cast:
    channels = list(Channel.objects.filter(kind="email").order_by("pk"))
    taken = set(Channel.objects.values_list("slug", flat=True))
    for name, slug in MAILBOXES[len(channels) :]:
        # To hang a history on where there are few: they neither read nor send.
        if slug not in taken:
            address = f"{slug}@seeded.example"  # of no customer's domain: mail to that would never leave
            channels.append(Channel.objects.create(
                kind="email", name=name, slug=slug, addresses=[address], settings={"address": address, "name": name}
            ))  # fmt: skip
    agents = Agent.objects.filter(is_active=True, is_bot=False).exclude(role=Role.LIGHT).order_by("pk")
    stored, digest = files.put("attachments", FILE)
    return Cast(
        tuple((one.pk, one.name, str(one.settings.get("address", "support@example.com"))) for one in channels),
        tuple((one.pk, one.name) for one in agents),
        tuple(Team.objects.filter(private=False).order_by("pk").values_list("pk", flat=True)),
        *_websites(),
        stored,
        digest,
        tuple(one for of_noun in documents.searched().values() for one in of_noun),
    )


def _websites() -> tuple[tuple[tuple[int, str, str], ...], int | None]:
    """Where is chatted, and the bot there. One is made where there is none: paused, so that nobody is let in."""
    if "chat" not in kinds():
        return (), None
    found = list(Channel.objects.filter(kind="chat").order_by("pk"))
    if not found:
        found = [Channel.objects.create(kind="chat", name="Website", slug="website-seed", paused=True)]
    email = f"seed.{found[0].pk}@bot.invalid"
    fields = {"name": "Assistant", "role": Role.LIGHT, "is_bot": True, "is_active": False, "password": "!"}
    bot, _made = Agent.objects.get_or_create(email=email, defaults=fields)
    return tuple((one.pk, one.name, "") for one in found), bot.pk


def _reserve(model: type[models.Model], count: int) -> int:
    """The first of so many keys in a row that nobody else gets."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [model._meta.db_table, model._meta.pk.column])
        (sequence,) = cursor.fetchone()
        cursor.execute(f"ALTER SEQUENCE {sequence} CACHE 1")  # changes nothing, but holds off whoever wants a key
        cursor.execute("SELECT nextval(%s)", [sequence])
        (first,) = cursor.fetchone()
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + count - 1])
    return int(first)


def _without_checks(cursor: Any) -> None:
    """What is copied in refers to what is copied in before: where we may, it is not looked up again."""
    try:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
    except DatabaseError:  # not the right of an ordinary user: then each chunk is checked, and nothing piles up
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _drop_indexes(cursor: Any) -> list[tuple[str, str]]:
    """Take away the indexes that no constraint needs; returns their names and how to make them again."""
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    cursor.execute("SET LOCAL lock_timeout = '60s'")
    names = [model._meta.db_table for model in TABLES]
    cursor.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
    cursor.execute(
        "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = ANY(%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)"
        " ORDER BY i.indrelid, c.relname",
        [names],
    )
    found: list[tuple[str, str]] = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return found


def _told(plan: Plan, count: int) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """The rows of each chunk in turn, a few chunks told ahead of them."""
    counts = [plan.messages(chunk) for chunk in range(plan.chunks)]
    first = _reserve(Message, sum(counts))
    firsts = [first + before for before in accumulate(counts, initial=0)]
    jobs = [(plan, chunk, firsts[chunk]) for chunk in range(plan.chunks)]
    for (_plan, chunk, _first), sheets in zip(jobs, processes.do(tell, jobs, count), strict=True):
        yield plan.size(chunk), sheets


@lru_cache(maxsize=1)
def teller(plan: Plan) -> Teller:
    return Teller(plan)


def tell(plan: Plan, chunk: int, first_message: int) -> list[tuple[str, bytes]]:
    return teller(plan).tell(chunk, first_message)


def _written(cursor: Any) -> tuple[int, int] | None:
    """This transaction, and the last event that it wrote."""
    cursor.execute("SELECT xid, max(id) FROM inbox_event WHERE xid = pg_current_xact_id()::text::bigint GROUP BY xid")
    found: tuple[int, int] | None = cursor.fetchone()
    return found
