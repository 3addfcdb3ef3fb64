"""Which tickets are hidden from whoever asks: a bit for each, gathered once for all that they are shown.

A quarter of a million numbers to leave out are looked for in the table of tickets by each statement anew otherwise,
twenty times for one page. What came after they were gathered is looked up as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Max, QuerySet

from inbox import access
from inbox.models import Agent, Ticket


@dataclass(frozen=True, slots=True)
class Hidden:
    """Bit n, the least significant of a byte first, is set where ticket n is hidden; known of those below `until`."""

    bits: bytes
    until: int


def hidden(viewer: Agent) -> Hidden:
    """As it was when they were first asked for; kept with what else of the desk this viewer does not see."""
    sight = access.sight(viewer)
    kept: Hidden | None = sight.hidden_tickets
    if kept is None:
        kept = gather(access.unseen(viewer))
        sight.hidden_tickets = kept
    return kept


def gather(unseen: QuerySet[Ticket]) -> Hidden:
    until = (Ticket.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    numbers = list(chain.from_iterable(unseen.filter(pk__lt=until).order_by().values_list("pk")))
    bits = bytearray(max(numbers, default=0) // 8 + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return Hidden(bytes(bits), until)


def is_hidden(viewer: Agent, column: str) -> str:
    """SQL: whether the ticket of this column, which is not null, is hidden from somebody who does not see all;
    for a place with parameters of its own.
    """
    known = hidden(viewer)
    fresh = pks(access.unseen(viewer).filter(pk__gte=known.until))
    return (
        f"CASE WHEN {column} < {len(known.bits) * 8} THEN get_bit('\\x{known.bits.hex()}'::bytea, {column}) = 1"
        f" ELSE {column} >= {known.until} AND {column} IN ({fresh}) END"
    )


def literal(sql: str, params: Any) -> str:
    """SQL with its values written into it, for a place within other SQL that has parameters of its own."""
    with connection.cursor() as cursor:
        text: str = cursor.mogrify(sql, params)
    return text.replace("%", "%%")


def pks(rows: QuerySet[Any, Any]) -> str:
    """The ids of a queryset's rows, as SQL."""
    return literal(*rows.order_by().values("pk").query.sql_with_params())
