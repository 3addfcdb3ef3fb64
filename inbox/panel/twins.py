"""Who else may be this customer: look-ups in indexes, a few rows each, of whom this agent may see."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject

from inbox import access
from inbox.models import Agent, Customer, DifferentPeople, Identity, Ticket
from inbox.panel.matter import is_number

MOST = 3
SHORTEST_NAME = 5

# The same number is "+92 300…" to one channel and "92300…" to another.
SPELLINGS = """
SELECT spelled FROM inbox_identity mine, unnest(ARRAY[mine.value, '+' || mine.value, ltrim(mine.value, '+')]) spelled
WHERE mine.customer_id = %s AND mine.retired_at IS NULL AND NOT mine.shared
"""


def told_apart(customer: Customer, other: str) -> Exists:
    """Whether somebody said of the row whose id is in the column `other` that it is not this customer.

    What was said of whoever was merged into this customer counts as well.
    """
    gone = Customer.objects.filter(merged_into=customer).values("pk")
    return Exists(
        DifferentPeople.objects.filter(
            Q(Q(first=customer.pk) | Q(first__in=gone), second=OuterRef(other))
            | Q(Q(second=customer.pk) | Q(second__in=gone), first=OuterRef(other))
        )
    )


def same_address(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Identity, Any]:
    """An address of theirs, or one that they claim, that somebody else has or claims, on whatever platform."""
    spelled = RawSQL(SPELLINGS, [customer.pk])  # noqa: S611 - a constant
    found = Identity.objects.filter(value__in=spelled, retired_at__isnull=True, shared=False)
    found = found.exclude(customer=customer).filter(~told_apart(customer, "customer"))
    found = found.filter(customer__in=access.customers(agent))
    return found.order_by("pk").values("customer", "customer__name", "kind", "value", "verified_at")[:MOST]


def same_name(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Customer, Any]:
    """One more than MOST: a name that so many have says nothing, but for people of the same organisation."""
    name = customer.name.strip()
    whole = len(name) >= SHORTEST_NAME and len(name.split()) > 1
    if not whole and not (name and customer.organisation_id):
        return Customer.objects.none().values("pk")
    found = access.customers(agent).filter(name__iexact=name).exclude(pk=customer.pk)
    if not whole:
        found = found.filter(organisation=customer.organisation_id)
    theirs = Identity.objects.active().filter(customer=OuterRef("pk"), shared=False).order_by("pk")
    ways = ArraySubquery(theirs.values(way=JSONObject(kind="kind", value="value"))[:MOST])
    found = found.filter(~told_apart(customer, "pk")).annotate(ways=ways)
    return found.values("pk", "name", "organisation", "ways")[: MOST + 1]


def same_hint(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Customer, Any]:
    """Somebody with the same number in the same attribute: of an account, a contract, a member."""
    pairs = [
        {key: value}
        for key, value in customer.attributes.items()
        if isinstance(value, str | int) and not isinstance(value, bool) and is_number(str(value))
    ][:MOST]
    if not pairs:
        return Customer.objects.none().values("pk")
    same = Q(pk__in=[])
    for pair in pairs:
        same |= Q(attributes__contains=pair)
    found = access.customers(agent).exclude(attributes={}).filter(same).exclude(pk=customer.pk)
    return found.filter(~told_apart(customer, "pk")).values("pk", "name", "attributes")[:MOST]
