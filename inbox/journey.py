"""A customer's journey: several tables read as one, newest first, page by page, as far as an agent sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from inbox import access
from inbox.models import Agent, Customer, CustomerEvent, CustomerMerge, Direction, Message, Ticket

Place = tuple[datetime, int, int]  # when, rank of the source, id


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one type, and the field of their time."""

    type: str
    rows: QuerySet[Any]
    field: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line. Of two of the same instant the one of the later source (`rank`) counts as the later."""

    at: datetime
    rank: int
    type: str
    row: Any

    @property
    def place(self) -> Place:
        return self.at, self.rank, self.row.pk


Maker = Callable[[Agent, Customer], Source]
_added: list[Maker] = []


def register(maker: Maker) -> None:
    """Let what another app knows of customers stand in their journey; `happenings.register` says how it is shown."""
    _added.append(maker)


def sources(agent: Agent, customer: Customer) -> list[Source]:
    """Events, tickets and messages of a customer."""
    own = Ticket.objects.filter(customer=customer).values_list("pk", flat=True)
    wrote = Message.objects.filter(customer=customer).values_list("ticket", flat=True)
    # Numbers first: as a condition on a million tickets this would be a walk through all of them.
    seen = access.tickets(agent).filter(pk__in={*own, *wrote}).values_list("pk", "customer")
    theirs = [pk for pk, owner in seen if owner == customer.pk]
    others = [pk for pk, owner in seen if owner != customer.pk]
    # Of their own tickets without side conversations, which are not theirs to see; of others' what they wrote.
    between = Q(ticket__in=theirs, side__isnull=True)
    messages = Message.objects.filter(between | Q(ticket__in=others, customer=customer))
    return [
        Source("event", CustomerEvent.objects.filter(customer=customer), "at"),
        Source("ticket", Ticket.objects.filter(pk__in=theirs), "created_at"),
        Source("message", messages, "created_at"),
    ]


def told(agent: Agent, customer: Customer) -> list[Source]:
    """What a screen tells: what was said between them and us, calls, visits, orders, and who turned out to be them."""
    event, _ticket, message = sources(agent, customer)
    said = message.rows.filter(deleted_at__isnull=True).exclude(direction=Direction.NOTE)
    said = said.select_related("channel", "ticket", "agent").defer("html")
    merges = CustomerMerge.objects.filter(into=customer, undone_at__isnull=True).select_related("source", "by")
    own = [Source("merge", merges, "at"), event, replace(message, rows=said)]
    return [*own, *(maker(agent, customer) for maker in _added)]


def read(
    found: Sequence[Source], size: int, edge: Place | None = None, backwards: bool = False
) -> tuple[list[Moment], bool]:
    """The newest `size` lines beyond `edge` (or, backwards, those just after it), newest first; and whether there are
    more of them.
    """
    lines: list[Moment] = []
    for rank, source in enumerate(found):
        rows = source.rows
        if edge is not None:
            rows = rows.filter(_beyond(source.field, rank, edge, backwards))
        order = (source.field, "pk") if backwards else (f"-{source.field}", "-pk")
        lines += [
            Moment(getattr(row, source.field), rank, source.type, row) for row in rows.order_by(*order)[: size + 1]
        ]
    lines.sort(key=lambda moment: moment.place, reverse=not backwards)
    more, lines = len(lines) > size, lines[:size]
    if backwards:
        lines.reverse()
    return lines, more


def _beyond(field: str, rank: int, edge: Place, backwards: bool) -> Q:
    """The rows of one source that come after (or before) this place."""
    at, its_rank, pk = edge
    compare = "gt" if backwards else "lt"
    if rank == its_rank:
        return Q(**{f"{field}__{compare}": at}) | Q(**{field: at, f"pk__{compare}": pk})
    same_instant_counts = (rank > its_rank) == backwards
    return Q(**{f"{field}__{compare}{'e' if same_instant_counts else ''}": at})
