"""Many rows at once for what almost nothing but speed asks for: COPY in, one UPDATE from arrays.

`bulk_create` costs several times the parsing of a mail: one placeholder a value, composed and parsed anew for each
batch. Values go to the columns as they are; whatever a field would compute on save must be in the object already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from psycopg.types.json import Jsonb

Getter = Callable[[models.Model], Any]


def give_ids(*groups: Sequence[models.Model]) -> None:
    """Draw primary keys from their sequences for unsaved objects, rising in their order; one query for all groups."""
    wanted = [group for group in groups if group]
    if not wanted:
        return
    draw = "SELECT %s, nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
    named: list[Any] = []
    for index, group in enumerate(wanted):
        named += [index, group[0]._meta.db_table, group[0]._meta.pk.column, len(group)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([draw] * len(wanted)), named)
        drawn = sorted(cursor.fetchall())
    for index, rows in groupby(drawn, key=itemgetter(0)):
        for one, (_index, pk) in zip(wanted[index], rows, strict=True):
            one.pk = pk


def insert(objects: Sequence[models.Model]) -> None:
    """COPY unsaved objects of one model into its table. Related objects have their keys by now.

    Objects without a key get one from the database and do not learn it. Raises IntegrityError as an INSERT would.
    """
    if not objects:
        return
    statement, getters = _columns(type(objects[0]), objects[0].pk is not None)
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for one in objects:
            copy.write_row([get(one) for get in getters])
    for one in objects:
        one._state.adding, one._state.db = False, connection.alias


@lru_cache(maxsize=64)
def _columns(model: type[models.Model], with_key: bool) -> tuple[str, tuple[Getter, ...]]:
    fields = [
        field
        for field in model._meta.concrete_fields
        if (with_key or not field.primary_key) and not isinstance(field.get_default(), DatabaseDefault)
    ]
    names = ", ".join(_quoted(field.column) for field in fields)
    statement = f"COPY {_quoted(model._meta.db_table)} ({names}) FROM STDIN"
    return statement, tuple(_getter(field) for field in fields)


def _quoted(name: str | None) -> str:
    assert name is not None
    return connection.ops.quote_name(name)


def _getter(field: models.Field[Any, Any]) -> Getter:
    name, attname = field.name, field.attname
    if isinstance(field, models.ForeignKey):

        def key(one: models.Model) -> Any:
            related = one._state.fields_cache.get(name)
            if related is not None:
                one.__dict__[attname] = related.pk
            return one.__dict__[attname]

        return key
    if isinstance(field, models.JSONField):
        return lambda one: Jsonb(one.__dict__[attname])
    return lambda one: one.__dict__[attname]


def update(objects: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Write these fields of rows that are locked by us, in one statement; plain columns and foreign keys only."""
    if not objects:
        return
    statement, getters = _update_of(type(objects[0]), tuple(fields))
    with connection.cursor() as cursor:
        cursor.execute(statement, [[get(one) for one in objects] for get in getters])


@lru_cache(maxsize=64)
def _update_of(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, tuple[Getter, ...]]:
    known = {field.name: field for field in model._meta.concrete_fields}
    columns = [model._meta.pk, *(known[name] for name in names)]
    quoted = [_quoted(field.column) for field in columns]
    # cast_db_type: the plain type, without "GENERATED …" of a key.
    arrays = ", ".join(f"%s::{field.cast_db_type(connection)}[]" for field in columns)
    assigned = ", ".join(f"{name} = new.{name}" for name in quoted[1:])
    table = _quoted(model._meta.db_table)
    statement = (
        f"UPDATE {table} SET {assigned} FROM unnest({arrays}) AS new ({', '.join(quoted)})"  # noqa: S608 (our names)
        f" WHERE {table}.{quoted[0]} = new.{quoted[0]}"
    )
    return statement, tuple(_getter(field) for field in columns)
