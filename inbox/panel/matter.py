"""What belongs to the matter of a ticket: events and tickets that name the same order, product or topic."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet

from inbox import access
from inbox.models import Agent, CustomerEvent, Ticket

MOST = 4
NEWEST = 300  # of a customer's events and tickets: what is looked through
LEAST_DIGITS = 4  # of what can be an order's or an account's number, and not a size or a count
NUMBERS = re.compile(r"[\w-]*\d[\w-]*")
YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")

SAME_VALUE = """
inbox_customerevent.external_id = ANY(%s) OR EXISTS (
    SELECT FROM jsonb_each_text(CASE jsonb_typeof(data) WHEN 'object' THEN data ELSE '{}' END) AS pair
    WHERE pair.value = ANY(%s)
)
"""


def is_number(value: str) -> bool:
    """Whether this looks like the number of something: of an order, an account, a parcel."""
    return len(value) <= 80 and sum(map(str.isdigit, YEAR.sub("", value))) >= LEAST_DIGITS


def named(ticket: Ticket) -> dict[str, str]:
    """What a ticket names, each value with where it says so: an attribute's key, "topic", "external_id", "subject"."""
    found: dict[str, str] = {}
    for token in NUMBERS.findall(ticket.subject):
        if is_number(token):
            found[token] = "subject"
    for key, value in ticket.attributes.items():
        if isinstance(value, str | int) and not isinstance(value, bool) and 3 <= len(str(value)) <= 200:
            found[str(value)] = key
    if ticket.topic:
        found[ticket.topic] = "topic"
    if ticket.external_id:
        found[ticket.external_id] = "external_id"
    return found


def _attributes(ticket: Ticket, wanted: dict[str, str]) -> list[dict[str, Any]]:
    """Those of the ticket's attributes whose value is in `wanted`, one a dictionary."""
    return [{key: value} for key, value in ticket.attributes.items() if wanted.get(str(value)) == key]


def events(agent: Agent, ticket: Ticket) -> QuerySet[CustomerEvent, Any]:
    found = CustomerEvent.objects.all()
    values = list(named(ticket))
    if not values:
        return found.none().values("id", "kind", "at", "data", "external_id")
    newest = CustomerEvent.objects.filter(customer=ticket.customer_id).order_by("-at").values("pk")[:NEWEST]
    same = found.filter(pk__in=newest).extra(where=[SAME_VALUE], params=[values, values])  # noqa: S610 - a constant
    return same.order_by("-at").values("id", "kind", "at", "data", "external_id")[:MOST]


def _shown(found: QuerySet[Ticket]) -> QuerySet[Ticket, Any]:
    return found.values(
        "number", "subject", "status", "last_message_at", "topic", "attributes", "external_id", "customer__name"
    )[:MOST]


def tickets(agent: Agent, ticket: Ticket) -> QuerySet[Ticket, Any]:
    """Other tickets of this customer."""
    wanted = named(ticket)
    found = access.tickets(agent).exclude(number=ticket.number)
    if not wanted:
        return _shown(found.none())
    same = Q(topic=ticket.topic) if ticket.topic else Q(pk__in=[])
    for value in [value for value, where in wanted.items() if where == "subject"]:
        same |= Q(subject__contains=value)
    for pair in _attributes(ticket, wanted):
        same |= Q(attributes__contains=pair)
    newest = Ticket.objects.filter(customer=ticket.customer_id).order_by("-last_message_at").values("pk")[:NEWEST]
    found = found.filter(same, pk__in=newest, merged_into__isnull=True, trashed_at__isnull=True)
    return _shown(found.order_by("-last_message_at"))


def elsewhere(agent: Agent, ticket: Ticket) -> QuerySet[Ticket, Any]:
    """Tickets of others that carry the same number: the same order, written about from another address."""
    pairs = _attributes(ticket, {value: key for value, key in named(ticket).items() if is_number(value)})
    found = access.tickets(agent).exclude(customer=ticket.customer_id)
    if not pairs:
        return _shown(found.none())
    same = Q(pk__in=[])
    for pair in pairs:
        same |= Q(attributes__contains=pair)
    # Said once more for the index, which leaves out the many tickets without attributes.
    found = found.exclude(attributes={}).filter(same, merged_into__isnull=True, trashed_at__isnull=True)
    return _shown(found)
