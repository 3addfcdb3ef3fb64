"""Several small reads in one round trip: a page that shows many things keeps a fixed, small number of queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import QuerySet, Subquery
from django.db.models.lookups import IsNull

Row = dict[str, Any]

CONVERTERS: dict[type[models.Field[Any, Any]], Callable[[str], Any]] = {
    models.DateTimeField: datetime.fromisoformat,
    models.DateField: date.fromisoformat,
}


def there_is(found: QuerySet[Any], no: bool = False) -> IsNull:
    """Whether a row of this subquery is there, or is not, asked for each row of the query around it.

    As EXISTS, PostgreSQL would rather gather all that could be asked for, of millions of rows, than ask for the few
    that a page shows: it does not think of the LIMIT.
    """
    return IsNull(Subquery(found.order_by().values("pk")[:1]), no)


def together(wanted: Mapping[str, QuerySet[Any, Any]]) -> dict[str, list[Row]]:
    """The rows of each of these `values()` querysets, by its key, in one query whatever their number.

    Each must be small by itself (a slice): its rows come as one JSON array. Dates and times are converted back; what
    JSON has no word for (decimals, bytes) does not belong in here.
    """
    parts: list[str] = []
    params: list[Any] = []
    shapes: dict[str, list[tuple[str, Callable[[str], Any] | None]]] = {}
    for key, found in wanted.items():
        compiler = found.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            sql, values = compiler.as_sql(with_col_aliases=True)
        except EmptyResultSet:
            continue
        assert found.query.selected is not None, "bundle.together takes values() querysets"
        fields = [expression.output_field for expression, _sql, _alias in compiler.select]
        shapes[key] = [
            (name, CONVERTERS.get(type(field))) for name, field in zip(found.query.selected, fields, strict=True)
        ]
        parts.append(f"(SELECT coalesce(json_agg(row_to_json(part)), '[]'::json) FROM ({sql}) part)")  # noqa: S608
        params += values
    rows: dict[str, list[Row]] = {key: [] for key in wanted}
    if not parts:
        return rows
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        answer = cursor.fetchone()
    for key, found_rows in zip(shapes, answer, strict=True):
        rows[key] = [_row(shapes[key], list(row.values())) for row in found_rows]
    return rows


def _row(shape: list[tuple[str, Callable[[str], Any] | None]], values: list[Any]) -> Row:
    return {
        name: convert(value) if convert is not None and value is not None else value
        for (name, convert), value in zip(shape, values, strict=True)
    }
