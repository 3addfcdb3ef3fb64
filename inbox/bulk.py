"""Many rows at once for what almost nothing but speed asks for: COPY in, one UPDATE from arrays.

`bulk_create` costs several times the parsing of a mail: one placeholder a value, composed and parsed anew for each
batch. Values go to the columns as they are; whatever a field would compute on save must be in the object already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED
from psycopg.types.json import Jsonb

Getter = Callable[[models.Model], Any]


def draw(*wanted: tuple[type[models.Model], int]) -> list[list[int]]:
    """So many new keys of each model from its sequence, rising; one query for all."""
    one = "SELECT %s, nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
    named: list[Any] = []
    for index, (model, count) in enumerate(wanted):
        named += [index, model._meta.db_table, model._meta.pk.column, count]
    keys: list[list[int]] = [[] for _ in wanted]
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([one] * len(wanted)), named)
            for index, key in sorted(cursor.fetchall()):
                keys[index].append(key)
    return keys


def give_ids(*groups: Sequence[models.Model]) -> None:
    """Give unsaved objects, each group of one model, their primary keys, rising in their order; one query."""
    filled = [group for group in groups if group]
    for group, keys in zip(filled, draw(*((type(group[0]), len(group)) for group in filled)), strict=True):
        for one, key in zip(group, keys, strict=True):
            one.pk = key


def insert(objects: Sequence[models.Model]) -> None:
    """COPY unsaved objects of one model into its table. Related objects have their keys by now.

    Objects without a key get one from the database and do not learn it. Raises IntegrityError as an INSERT would.
    """
    if not objects:
        return
    statement, getters = _columns(type(objects[0]), objects[0].pk is not None)
    _copy(statement, ([get(one) for get in getters] for one in objects))
    for one in objects:
        one._state.adding, one._state.db = False, connection.alias


def insert_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """As `insert`, from mappings of column attribute (`ticket_id`) to value; all have the same keys as the first.

    Fields that the first row does not name get their defaults.
    """
    if not rows:
        return
    given = [field for field in model._meta.concrete_fields if field.attname in rows[0]]
    filled = [
        field
        for field in model._meta.concrete_fields
        if field.attname not in rows[0] and not field.primary_key and field.db_default is NOT_PROVIDED
    ]
    values = [Jsonb(value) if isinstance(field, models.JSONField) else value
              for field in filled for value in [field.get_default()]]  # fmt: skip
    names = [field.attname for field in given]
    json = {field.attname for field in given if isinstance(field, models.JSONField)}
    _copy(
        _statement(model, [*given, *filled]),
        ([Jsonb(row[name]) if name in json else row[name] for name in names] + values for row in rows),
    )


def _copy(statement: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _statement(model: type[models.Model], fields: Iterable[models.Field[Any, Any]]) -> str:
    names = ", ".join(_quoted(field.column) for field in fields)
    return f"COPY {_quoted(model._meta.db_table)} ({names}) FROM STDIN"


@lru_cache(maxsize=64)
def _columns(model: type[models.Model], with_key: bool) -> tuple[str, tuple[Getter, ...]]:
    fields = [
        field
        for field in model._meta.concrete_fields
        if (with_key or not field.primary_key) and field.db_default is NOT_PROVIDED
    ]
    return _statement(model, fields), tuple(_getter(field) for field in fields)


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
