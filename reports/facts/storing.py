"""Keeps facts: the rows of some tickets are replaced by new ones, and what tickets say of each other is told again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection, models, transaction

from inbox import bulk, locks
from reports.facts import beside, loading, others
from reports.facts.calculate import answer_without_ticket, facts_of_all
from reports.facts.history import World
from reports.facts.rows import AnswerRow, BotRow, ChatRow, Facts, ResponseRow, SpanRow, TicketRow, TrafficRow
from reports.models import (
    Answer,
    AnswerFact,
    BotFact,
    ChatFact,
    HandlingFact,
    ResponseFact,
    SpanFact,
    TicketFact,
    TrafficFact,
)

TABLES: dict[type[Any], type[models.Model]] = {
    TicketRow: TicketFact,
    ResponseRow: ResponseFact,
    SpanRow: SpanFact,
    TrafficRow: TrafficFact,
    AnswerRow: AnswerFact,
    ChatRow: ChatFact,
    BotRow: BotFact,
}
BATCH = 500  # tickets at once


def hold(*, alone: bool) -> None:
    """To the end of the transaction, facts are ours: the follower's `alone`, or shared by who make ranges of them."""
    kind = "" if alone else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{kind}(%s, 0)", [locks.FACTS])


def keep(numbers: Collection[int], world: World, *, all_over: bool = False) -> int:
    """Make the facts of these tickets anew; returns how many of them count. Inside a transaction that holds them.

    `all_over`: what tickets say of each other stays as it is for now, since all of it is told anew in the end.
    """
    found = 0
    ordered = sorted(numbers)
    for place in range(0, len(ordered), BATCH):
        some = ordered[place : place + BATCH]
        facts = facts_of_all(loading.histories(some), world)
        before = others.of(some)
        facts.tickets = [others.kept(row, before) for row in facts.tickets]
        _delete(some, facts)
        _insert(facts)
        bulk.insert(beside.handling_of([row.ticket_id for row in facts.tickets]))
        if not all_over:
            others.tell(some, before)
        found += len(facts.tickets)
    return found


def keep_handling(numbers: Collection[int]) -> None:
    """Make what was done on these tickets anew, and no other fact. Inside a transaction that holds them."""
    numbers = list(numbers)
    HandlingFact.objects.filter(ticket__in=numbers).delete()
    counted = TicketFact.objects.filter(ticket__in=numbers).values_list("ticket_id", flat=True)
    bulk.insert(beside.handling_of(sorted(counted)))


def keep_answers(answers: Collection[int]) -> None:
    """Make the rows of these answers that are about no ticket anew. Inside a transaction that holds them."""
    keep_askings(Answer.objects.filter(pk__in=list(answers)))


def keep_askings(answers: models.QuerySet[Answer]) -> None:
    """As `keep_answers`, of all that are about no ticket."""
    rows = [answer_without_ticket(one) for one in loading.askings_without_ticket(answers)]
    _remove(AnswerFact, "answer_id", [row.answer_id for row in rows])
    _copy(rows)


def _delete(numbers: Sequence[int], facts: Facts) -> None:
    for model in TABLES.values():
        _remove(model, "ticket_id", numbers)
    _remove(HandlingFact, "ticket_id", numbers)
    # What came here from another ticket, whose rows are made anew only after this one's.
    _remove(AnswerFact, "answer_id", [row.answer_id for row in facts.answers])
    _remove(ChatFact, "engagement_id", [row.engagement_id for row in facts.chats])


def _remove(model: type[models.Model], column: str, ids: Sequence[int]) -> None:
    if ids:
        with connection.cursor() as cursor:
            table = model._meta.db_table
            cursor.execute(f'DELETE FROM "{table}" WHERE {column} = ANY(%s)', [list(ids)])  # noqa: S608 (our names)


def _insert(facts: Facts) -> None:
    for rows in (facts.tickets, facts.responses, facts.spans, facts.traffic, facts.answers, facts.chats, facts.bots):
        _copy(rows)


def _copy(rows: Sequence[Any]) -> None:
    if not rows:
        return
    kind = type(rows[0])
    columns = ", ".join(f'"{name}"' for name in kind._fields)
    statement = f'COPY "{TABLES[kind]._meta.db_table}" ({columns}) FROM STDIN'
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def keep_safely(numbers: Collection[int]) -> int:
    """As `keep`, in a transaction of its own."""
    with transaction.atomic():
        hold(alone=True)
        return keep(numbers, loading.world())
