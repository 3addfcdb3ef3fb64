"""Partitions of the documents: PARTITION ticket numbers each, made as numbers rise, or built anew beside the old."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from psycopg import sql

from inbox import locks
from inbox.models import PARTITION
from inbox.search import documents

TABLE = "inbox_searchdocument"
# A document changed costs a fifth when its words wait in a list; a short one, since each search reads it through.
PENDING = "fastupdate = on, gin_pending_list_limit = 512"
NEXT = "_next"  # what a partition is called while it is built

LIST = """
SELECT substring(c.relname FROM '[0-9]+$')::bigint
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'inbox_searchdocument'::regclass
ORDER BY 1 DESC
"""


def table(part: int) -> str:
    return f"{TABLE}_{part}"


def parts() -> list[int]:
    """The partitions that are there, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(LIST)
        return [part for (part,) in cursor.fetchall()]


def ensure(numbers: Iterable[int]) -> None:
    """Make the partitions that documents of these tickets go to, inside the caller's transaction."""
    wanted = {number // PARTITION for number in numbers}
    if missing := wanted - set(parts()):
        with connection.cursor() as cursor:
            # Somebody else may be making the same; whoever comes second finds it there.
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.SEARCH_PARTITIONS])
            for part in sorted(missing - set(parts())):
                _make(part)
                _attach(part)


def build(part: int, built: str) -> int:
    """Build one partition anew beside the old one and put it in its place; searches wait for the exchange alone.

    `built` is kept with the table, see `built_as`. What is written to the old one meanwhile is lost: whoever calls
    this lets the follower read again from where it stood before. Returns the number of documents.
    """
    first, done = part * PARTITION, 0
    people: set[int] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        begin(part)
        for start in range(first, first + PARTITION, documents.BATCH):
            made = documents.build(range(start, start + documents.BATCH))
            with cursor.copy(copy_to(part)) as copy:
                for document in made:
                    copy.write_row(document.row())
            people.update(customer for document in made for customer in document.people)
            done += len(made)
        index(part)
    # Of all partitions the same: whoever held them for as long as this takes would keep the follower waiting, and wait
    # for whoever builds another. Before the exchange, since a partition that is in its place is not built again.
    ordered = sorted(people)
    for start in range(0, len(ordered), documents.BATCH):
        documents.write_people(ordered[start : start + documents.BATCH])
    exchange(part, built)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table(part))))
    return done


def begin(part: int) -> None:
    """An empty table for the documents of a partition, beside the one that is there."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table(part) + NEXT)))
    _make(part, NEXT)


def copy_to(part: int) -> sql.Composed:
    return sql.SQL("COPY {} (number, short, words) FROM STDIN").format(sql.Identifier(table(part) + NEXT))


def index(part: int) -> None:
    """Index a partition that was begun and filled, in the caller's transaction."""
    name = sql.Identifier(table(part) + NEXT)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(sql.SQL("CREATE INDEX ON {} USING gin (words) WITH ({})").format(name, sql.SQL(PENDING)))
        cursor.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (number)").format(name))


def exchange(part: int, built: str) -> None:
    """Put a partition that was begun, filled and indexed in the place of the old one, if there is one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.SEARCH_PARTITIONS])
        cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table(part))))
        cursor.execute(
            sql.SQL("ALTER TABLE {} RENAME TO {}").format(
                sql.Identifier(table(part) + NEXT), sql.Identifier(table(part))
            )
        )
        _attach(part)
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(table(part)), sql.Literal(built)))


def empty(part: int) -> bool:
    """Whether a partition is not there, or has no documents."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT NOT EXISTS (SELECT FROM {} WHERE number >= %s AND number < %s)").format(
            sql.Identifier(TABLE)), [part * PARTITION, (part + 1) * PARTITION])  # fmt: skip
        return bool(cursor.fetchone()[0])


def built_as(part: int) -> str:
    """What `build` was told when it made this partition; empty for one that grew with its tickets."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(obj_description(to_regclass(%s), 'pg_class'), '')", [table(part)])
        return str(cursor.fetchone()[0])


def _make(part: int, suffix: str = "") -> None:
    name = sql.Identifier(table(part) + suffix)
    check = sql.SQL("CHECK (number >= {} AND number < {})").format(part * PARTITION, (part + 1) * PARTITION)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS, CONSTRAINT in_range {})").format(
            name, sql.Identifier(TABLE), check))  # fmt: skip


def _attach(part: int) -> None:
    """Its indexes are made where they are missing; the check spares the attaching a look at each row."""
    name, first = sql.Identifier(table(part)), part * PARTITION
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            sql.Identifier(TABLE), name, first, first + PARTITION))  # fmt: skip
        cursor.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT in_range").format(name))
