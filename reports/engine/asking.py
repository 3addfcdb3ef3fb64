"""Several questions to the database in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A SELECT with its parameters, and what its rows come to."""

    sql: str
    params: Mapping[str, Any]
    read: Callable[[list[tuple[Any, ...]]], T]


def run(queries: Sequence[Query[T]]) -> list[T]:
    """What each of them comes to."""
    if not queries:
        return []
    found = []
    with connection.cursor() as cursor:
        # Sorting in memory what would else go by way of the disk; for these statements alone.
        statements = ["SET LOCAL work_mem = '64MB'", *(cursor.mogrify(one.sql, one.params) for one in queries)]
        cursor.execute("; ".join(statements))
        for one in queries:
            cursor.nextset()
            found.append(one.read(cursor.fetchall()))
    return found


def rows(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Those of one SELECT."""
    return run([Query(sql, params, list)])[0]
