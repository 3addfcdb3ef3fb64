"""Searching: the newest hits an agent may see, at most MOST, the best of them first.

Partitions are looked through from the newest back, in one statement that ends with the last hit that is wanted; so a
common word costs one partition, and a rare one a look into each index. What hits is decided by the index alone, marks
of what the agent may not see included; `access` has the last word on the few that come out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from psycopg import sql
from psycopg.errors import QueryCanceled

from inbox import access
from inbox.actions.errors import ActionError
from inbox.models import PARTITION, Agent, Customer
from inbox.search import operators, partitions
from inbox.search.query import Query, parse
from lib import folding

MOST = 2_000
PATIENCE = 2.0  # seconds for a search; then it is said to have taken too long
# Older hits that are looked at in turn while operators leave too few of the newer ones, and for how many seconds; then
# it is said how far that came.
FURTHER = (10_000, 30_000)
FURTHER_FOR = 1.0
PEOPLE = 3
SETTINGS = ("statement_timeout", "enable_seqscan", "max_parallel_workers_per_gather")
SET = "SELECT " + ", ".join(f"set_config('{name}', %s, true)" for name in SETTINGS)
# As SET, and what they were before.
WAS = "SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in SETTINGS)
THEN = ", ".join(f"set_config('{name}', %s, true)" for name in SETTINGS)
EXCHANGE = f"WITH was AS MATERIALIZED ({WAS}) SELECT was.*, {THEN} FROM was"  # noqa: S608 - our own names


class TooSlow(ActionError):
    """The search was given up after PATIENCE."""

    def __init__(self) -> None:
        super().__init__(_("This search took too long. Add another word, or a rarer one."), "too_slow")


@dataclass(frozen=True, slots=True)
class Hit:
    number: int
    at: datetime
    short: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Numbers, the best first; whether there are more; and `looked` as `Results` has it."""

    numbers: list[int]
    more: bool
    looked: int = 0


@dataclass
class Results:
    """What a search found: ticket numbers, the best first."""

    query: Query
    numbers: list[int] = field(default_factory=list)
    more: bool = False  # there are older hits than the MOST that were collected
    looked: int = 0  # at how many hits of the words, where operators or quotes narrow them and not all were looked at
    slow: bool = False
    took: float = 0.0  # seconds
    wrong: list[str] = field(default_factory=list)  # operators that mean nothing, in words

    @property
    def count_words(self) -> str:
        return f"{MOST:,}+" if self.more else f"{len(self.numbers):,}"


def numbers(agent: Agent, text: str, most: int = MOST) -> list[int]:
    """Numbers of the tickets that `text` finds and this agent sees, best first. Raises TooSlow."""
    query = parse(text)
    with bounded():
        return _collect(agent, query, most, spam=True).numbers if query else []


def find(agent: Agent, text: str) -> Results:
    """As `numbers`, without spam and trash, and with what a screen says; a search that takes too long says so."""
    started = time.monotonic()
    results = Results(parse(text))
    results.wrong = operators.asked(agent, results.query.given, ())[1]
    if results.query:
        try:
            with bounded():
                found = _collect(agent, results.query, MOST, spam=False)
            results.numbers, results.more, results.looked = found.numbers, found.more, found.looked
        except TooSlow:
            results.slow = True
    results.took = time.monotonic() - started
    return results


@contextmanager
def bounded(patience: float = PATIENCE) -> Iterator[None]:
    """Statements inside end after so many seconds, as TooSlow, and are planned to look things up in indexes."""
    wanted = [str(int(patience * 1000)), "off", "0"]
    inside = connection.in_atomic_block  # what the caller's transaction does next is not ours to bound
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if inside:
                cursor.execute(EXCHANGE, wanted)
                before = cursor.fetchone()[: len(SETTINGS)]
            else:
                cursor.execute(SET, wanted)
            yield
            if inside:
                cursor.execute(SET, before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow() from error
        raise


def _collect(agent: Agent, query: Query, most: int, *, spam: bool) -> Collected:
    narrowed, _wrong = operators.asked(agent, query.given, query.phrases)
    if not query.parts:
        return _by_operators(agent, narrowed, most, spam=spam)
    tsquery, parts = query.tsquery(_marks(agent, spam)), partitions.parts()
    rows, more = _cut(_hits(tsquery, parts, most + 1), most)
    found, looked = _seen(agent, rows, narrowed, query.number), len(rows)
    until = time.monotonic() + FURTHER_FOR
    # Operators are no marks of the index: what they leave of the newest hits may be little, or nothing.
    for wanted in FURTHER if narrowed else ():
        if not more or len(found) >= most or time.monotonic() > until:
            break
        rows, more = _cut(_hits(tsquery, parts, wanted + 1, below=rows[-1][0]), wanted)
        found |= _seen(agent, rows, narrowed)
        looked += len(rows)
    ended = bool(narrowed) and more and len(found) < most
    hits = sorted(found.values(), key=lambda hit: (worth(query, hit), hit.at, hit.number), reverse=True)
    return Collected([hit.number for hit in hits[:most]], more or len(hits) > most, looked if ended else 0)


def _cut(rows: list[tuple[int, str]], most: int) -> tuple[list[tuple[int, str]], bool]:
    return rows[:most], len(rows) > most


def _seen(agent: Agent, rows: Sequence[tuple[int, str]], narrowed: Q, number: int | None = None) -> dict[int, Hit]:
    """Of these documents the ones whose tickets this agent sees and operators leave; and the ticket of that number."""
    short = dict(rows)
    if number is not None:
        short.setdefault(number, "")  # asked for by its number, however many newer ones begin alike
    # As one array: two thousand parameters take Django longer than PostgreSQL takes to find them.
    seen = (
        access.tickets(agent)
        .filter(narrowed, merged_into__isnull=True)
        .extra(where=["inbox_ticket.number = ANY(%s)"], params=[list(short)])
    )
    return {number: Hit(number, at, short[number]) for number, at in seen.values_list("number", "last_message_at")}


def _by_operators(agent: Agent, narrowed: Q, most: int, *, spam: bool) -> Collected:
    """The newest tickets that operators alone ask for."""
    found = access.tickets(agent).filter(narrowed, merged_into__isnull=True)
    if not spam:
        found = found.filter(spam=False, trashed_at__isnull=True)
    numbers = list(found.order_by("-number").values_list("number", flat=True)[: most + 1])
    return Collected(numbers[:most], len(numbers) > most)


def _hits(tsquery: str, parts: Sequence[int], most: int, below: int | None = None) -> list[tuple[int, str]]:
    """Documents of the newest hits, newest first; with `below` of those of lower numbers."""
    if below is not None:
        parts = [part for part in parts if part * PARTITION < below]
    if not parts:
        return []
    one = sql.SQL("(SELECT number, short FROM {} WHERE words @@ {}::tsquery{} ORDER BY number + 0 DESC LIMIT {})")
    # `+ 0` here, too: a range of the key is no reason to read it instead of the words.
    lower = sql.SQL("") if below is None else sql.SQL(" AND number + 0 < {}").format(below)
    each = [one.format(sql.Identifier(partitions.table(part)), sql.Literal(tsquery), lower, most) for part in parts]
    # `+ 0`: in the order of the key, PostgreSQL would sooner read a whole partition than believe a prefix to be rare.
    with connection.cursor() as cursor:
        # The branches of an Append run one after the other, and not at all once there is enough.
        cursor.execute(sql.SQL("SELECT * FROM ({}) AS hits LIMIT {}").format(sql.SQL(" UNION ALL ").join(each), most))
        found: list[tuple[int, str]] = cursor.fetchall()
    return found


def newest(agent: Agent, tsquery: str, most: int) -> list[tuple[int, str]]:
    """(number, short fields) of the newest documents that this finds, spam left out, by the marks of what one sees."""
    marks = _marks(agent, spam=False)
    return _hits(f"({tsquery}) & ({marks})" if marks else tsquery, partitions.parts(), most)


def _marks(agent: Agent, spam: bool) -> str:
    """The rule of `access.tickets` as a condition on marks; empty for who sees all."""
    hidden = access.sight(agent)
    wanted = [] if spam else ["!'spam'", "!'trash'"]
    if hidden.hidden_channels or hidden.hidden_teams:
        seen = []
        if hidden.hidden_channels:
            seen.append("(" + " | ".join(f"'channel:{pk}'" for pk in hidden.channels or [0]) + ")")
        seen += [f"!'team:{pk}'" for pk in sorted(hidden.hidden_teams)]
        wanted.append(f"('owner:{agent.pk}' | ({' & '.join(seen)}))")
    return " & ".join(wanted)


def worth(query: Query, hit: Hit) -> tuple[int, int]:
    """How well a hit fits: its own number, then words of the short fields, whole before begun before within."""
    line = f" {hit.short} "
    points, missing = 0, 0
    for word in query.words:
        found = 3 if f" {word} " in line else 2 if f" {word}" in line else 1 if word in line else 0
        points += found
        missing += not found
    return (2 if hit.number == query.number else 1 if not missing else 0), points


def people(agent: Agent, query: Query, most: int = PEOPLE) -> list[Customer]:
    """Up to `most` customers whose name or address has all that was typed, or whose telephone number it is.

    Of what three letters or more find: shorter ones are in half of all names.
    """
    like = sql.SQL("short LIKE {}")
    if query.phones:
        condition = sql.SQL(" OR ").join(like.format(sql.Literal(f"%{digits}%")) for digits in query.phones)
    elif query.words and min(map(len, query.words)) >= folding.SHORTEST:
        condition = sql.SQL(" AND ").join(like.format(sql.Literal(f"%{word}%")) for word in query.words)
    else:
        return []
    try:
        with bounded(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT customer FROM inbox_searchperson WHERE {} LIMIT 100").format(condition))
            ids = [pk for (pk,) in cursor.fetchall()]
            found = access.customers(agent).filter(pk__in=ids).order_by(F("last_seen_at").desc(nulls_last=True), "pk")
            return list(found.select_related("organisation")[:most]) if ids else []
    except TooSlow:
        return []  # the tickets are what was asked for
