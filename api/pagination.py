"""Cursor pages over a keyset: the same cost at page one and page ten thousand, and no row twice when new ones come.

A cursor is the opaque form of (order, direction, values of the ordering fields at the page's edge). The last ordering
field must be unique; all ordering fields run the same way and hold no NULL.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: beyond `values`, onwards or backwards in the list's order."""

    order: tuple[str, ...]
    backwards: bool
    values: tuple[Any, ...]


def encode(position: Position) -> str:
    plain = json.dumps([list(position.order), int(position.backwards), list(position.values)], default=str)
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(cursor: str, model: type[Model], order: tuple[str, ...]) -> Position:
    """The position in a cursor of this list. Raises ValidationError for anything else."""
    try:
        plain = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        cursor_order, backwards, values = plain
        if tuple(cursor_order) != order or len(values) != len(order) or backwards not in (0, 1):
            raise ValueError("a cursor of another list")
        fields = [field_of(model, name.removeprefix("-")) for name in order]
        typed = [field.to_python(value) for field, value in zip(fields, values, strict=True)]
        if None in typed:
            raise ValueError("no value")
    except (binascii.Error, UnicodeError, ValueError, TypeError, RecursionError, DjangoValidationError) as error:
        raise ValidationError(
            {"cursor": [_("This cursor does not belong to this list. Start again without it.")]}
        ) from error
    return Position(order, bool(backwards), tuple(typed))


def field_of(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def beyond(order: tuple[str, ...], values: tuple[Any, ...], backwards: bool) -> Q:
    """The rows after (or before) the given values in this order."""
    descending = order[0].startswith("-") != backwards
    compare = "lt" if descending else "gt"
    names = [name.removeprefix("-") for name in order]
    found = Q()
    for place, name in enumerate(names):
        equal = {names[before]: values[before] for before in range(place)}
        found |= Q(**equal, **{f"{name}__{compare}": values[place]})
    # Said once more over the first field alone: this is what the planner turns into an index range.
    return Q(**{f"{names[0]}__{compare}e": values[0]}) & found


class CursorPagination(BasePagination):
    """Reads `cursor` and `page_size`; answers {"next", "previous", "results"} with whole addresses or null."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        assert isinstance(queryset, QuerySet)
        order = tuple(str(name) for name in queryset.query.order_by)
        size = self.page_size(request)
        given = request.query_params.get("cursor")
        position = decode(given, queryset.model, order) if given is not None else None
        backwards = position is not None and position.backwards
        if position is not None:
            queryset = queryset.filter(beyond(order, position.values, backwards))
        if backwards:
            queryset = queryset.reverse()
        rows = list(queryset[: size + 1])
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        has_next, has_previous = (True, more) if backwards else (more, position is not None)
        self.next = self._link(request, order, rows[-1], False) if rows and has_next else None
        self.previous = self._link(request, order, rows[0], True) if rows and has_previous else None
        return rows

    @staticmethod
    def page_size(request: Request) -> int:
        given = request.query_params.get("page_size")
        if given is None:
            return PAGE_SIZE
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= MAX_PAGE_SIZE):
            raise ValidationError(
                {"page_size": [_("Give a whole number from 1 to %(most)d.") % {"most": MAX_PAGE_SIZE}]}
            )
        return int(given)

    @staticmethod
    def _link(request: Request, order: tuple[str, ...], row: Model, backwards: bool) -> str:
        values = []
        for name in order:
            value = getattr(row, name.removeprefix("-"))
            values.append(value.isoformat() if hasattr(value, "isoformat") else value)
        cursor = encode(Position(order, backwards, tuple(values)))
        return replace_query_param(request.build_absolute_uri(), "cursor", cursor)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins, as `next` and `previous` give it.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
            },
        ]
