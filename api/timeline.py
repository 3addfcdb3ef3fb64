"""One cursor page over three tables: a customer's messages, tickets and events, newest first."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from api.pagination import CursorPagination
from api.serializers.messages import MessageOut
from api.serializers.tickets import TicketOut
from inbox import files, journey
from inbox.actions import pictures
from inbox.models import Agent, Customer, Message, Picture, Ticket

TYPES = ("event", "ticket", "message")
Tell = Callable[[Agent, Customer], Iterable[dict[str, Any]]]
_also: dict[str, Tell] = {}


def _shown(moment: journey.Moment) -> dict[str, Any]:
    return {"type": moment.type, "at": moment.at, **dict.fromkeys(TYPES), moment.type: moment.row}


def sources(agent: Agent, customer: Customer) -> list[journey.Source]:
    """What this agent sees of the customer, with all that their JSON shows."""
    whole: dict[str, Callable[[Any], Any]] = {"ticket": TicketOut.with_all, "message": MessageOut.with_all}
    return [
        replace(source, rows=whole[source.type](source.rows)) if source.type in whole else source
        for source in journey.sources(agent, customer)
    ]


def page(request: Request, agent: Agent, customer: Customer) -> tuple[list[dict[str, Any]], str | None, str | None]:
    """(lines, address of the next page, of the previous one)."""
    size = CursorPagination.page_size(request)
    given = request.query_params.get("cursor")
    backwards, edge = _decode(given) if given is not None else (False, None)
    found, more = journey.read(sources(agent, customer), size, edge, backwards)
    has_next, has_previous = (True, more) if backwards else (more, edge is not None)
    return (
        [_shown(moment) for moment in found],
        _link(request, found[-1].place, False) if found and has_next else None,
        _link(request, found[0].place, True) if found and has_previous else None,
    )


def _link(request: Request, place: journey.Place, backwards: bool) -> str:
    at, rank, pk = place
    plain = json.dumps([int(backwards), at.isoformat(), rank, pk])
    cursor = base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor)


def _decode(cursor: str) -> tuple[bool, journey.Place]:
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
    """All that this agent sees of a customer, oldest first, and whether that is all. Raises files.StoreAway."""
    events, tickets, messages = ([*found.rows.order_by("pk")] for found in sources(agent, customer))
    hidden = Ticket.objects.filter(customer=customer).count() > len(tickets) or (
        Message.objects.filter(customer=customer).exclude(pk__in=[row.pk for row in messages]).exists()
    )
    return {
        "complete": not hidden,
        "tickets": tickets,
        "messages": messages,
        "events": events,
        "pictures": [_told(picture) for picture in pictures.kept(customer)],
        "more": {
            "notes": list(customer.notes.order_by("pk").values("agent", "text", "created_at", "updated_at")),
            "cards": list(customer.cards.values("key", "title", "url", "fields", "updated_at")),
            **{name: list(tell(agent, customer)) for name, tell in _also.items()},
        },
    }


def _told(picture: Picture) -> dict[str, Any]:
    """A picture with its bytes, which no address of the API gives. Raises files.StoreAway."""
    try:
        content = files.get(picture.stored)
    except FileNotFoundError:
        content = None
    return {
        "identity": picture.identity_id,
        "changed_at": picture.changed_at,
        "content_type": files.picture_type(content or b""),
        "content": None if content is None else base64.b64encode(content).decode(),
    }


def also(name: str, tell: Tell) -> None:
    """What another app keeps of a customer joins the export under `name`."""
    _also[name] = tell
