"""One cursor page over three tables: a customer's messages, tickets and events, newest first."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from api.pagination import CursorPagination
from api.serializers.messages import MessageOut
from api.serializers.tickets import TicketOut
from inbox import access
from inbox.models import Agent, Customer, CustomerEvent, Message, Ticket

# Later ones come first where two are of the same instant.
TYPES = ("event", "ticket", "message")
Place = tuple[datetime, int, int]  # when, rank of the type, id
Tell = Callable[[Agent, Customer], Iterable[dict[str, Any]]]
_also: dict[str, Tell] = {}


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: `row` is a CustomerEvent, a Ticket or a Message."""

    at: datetime
    rank: int
    row: Any

    @property
    def place(self) -> Place:
        return self.at, self.rank, self.row.pk

    def shown(self) -> dict[str, Any]:
        kind = TYPES[self.rank]
        return {"type": kind, "at": self.at, **dict.fromkeys(TYPES), kind: self.row}


def sources(agent: Agent, customer: Customer) -> list[tuple[QuerySet[Any], str]]:
    """(rows, the field of their time) for each of TYPES: what this agent sees of the customer."""
    own = Ticket.objects.filter(customer=customer).values_list("pk", flat=True)
    wrote = Message.objects.filter(customer=customer).values_list("ticket", flat=True)
    # Numbers first: as a condition on a million tickets this would be a walk through all of them.
    seen = access.tickets(agent).filter(pk__in={*own, *wrote}).values_list("pk", "customer")
    theirs = [pk for pk, owner in seen if owner == customer.pk]
    others = [pk for pk, owner in seen if owner != customer.pk]
    messages = Message.objects.filter(Q(ticket__in=theirs) | Q(ticket__in=others, customer=customer))
    return [
        (CustomerEvent.objects.filter(customer=customer), "at"),
        (TicketOut.with_all(Ticket.objects.filter(pk__in=theirs)), "created_at"),
        (MessageOut.with_all(messages), "created_at"),
    ]


def page(request: Request, agent: Agent, customer: Customer) -> tuple[list[dict[str, Any]], str | None, str | None]:
    """(lines, address of the next page, of the previous one)."""
    size = CursorPagination.page_size(request)
    given = request.query_params.get("cursor")
    backwards, edge = _decode(given) if given is not None else (False, None)
    found: list[Moment] = []
    for rank, (rows, field) in enumerate(sources(agent, customer)):
        if edge is not None:
            rows = rows.filter(_beyond(field, rank, edge, backwards))
        order = (field, "pk") if backwards else (f"-{field}", "-pk")
        found += [Moment(getattr(row, field), rank, row) for row in rows.order_by(*order)[: size + 1]]
    found.sort(key=lambda moment: moment.place, reverse=not backwards)
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, edge is not None)
    return (
        [moment.shown() for moment in found],
        _link(request, found[-1].place, False) if found and has_next else None,
        _link(request, found[0].place, True) if found and has_previous else None,
    )


def _beyond(field: str, rank: int, edge: Place, backwards: bool) -> Q:
    """The rows of one type that come after (or before) this place."""
    at, its_rank, pk = edge
    compare = "gt" if backwards else "lt"
    if rank == its_rank:
        return Q(**{f"{field}__{compare}": at}) | Q(**{field: at, f"pk__{compare}": pk})
    same_instant_counts = (rank > its_rank) == backwards
    return Q(**{f"{field}__{compare}{'e' if same_instant_counts else ''}": at})


def _link(request: Request, place: Place, backwards: bool) -> str:
    at, rank, pk = place
    plain = json.dumps([int(backwards), at.isoformat(), rank, pk])
    cursor = base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def _decode(cursor: str) -> tuple[bool, Place]:
    """Raises ValidationError for what is no cursor of a timeline."""
    try:
        plain = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        backwards, said, rank, pk = plain
        at = parse_datetime(said)
        whole = all(isinstance(one, int) and not isinstance(one, bool) for one in (backwards, rank, pk))
        if at is None or timezone.is_naive(at) or not whole or backwards not in (0, 1) or not 0 <= rank < len(TYPES):
            raise ValueError("no place in a timeline")
        if not 0 < pk < 2**63:
            raise ValueError("no id")
    except (binascii.Error, UnicodeError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ValidationError(
            {"cursor": [_("This cursor does not belong to this list. Start again without it.")]}
        ) from error
    return bool(backwards), (at, rank, pk)


def everything(agent: Agent, customer: Customer) -> dict[str, Any]:
    """All that this agent sees of a customer, oldest first, and whether that is all there is."""
    rows = sources(agent, customer)
    events, tickets, messages = ([*found.order_by("pk")] for found, _field in rows)
    hidden = Ticket.objects.filter(customer=customer).count() > len(tickets) or (
        Message.objects.filter(customer=customer).exclude(pk__in=[row.pk for row in messages]).exists()
    )
    return {
        "complete": not hidden,
        "tickets": tickets,
        "messages": messages,
        "events": events,
        "more": {name: list(tell(agent, customer)) for name, tell in _also.items()},
    }


def also(name: str, tell: Tell) -> None:
    """What another app keeps of a customer joins the export under `name`."""
    _also[name] = tell
