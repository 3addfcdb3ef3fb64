"""What is kept of a customer: notes, cards of other systems, their organisation's people, names of attributes."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from inbox import access
from inbox import fields as own_fields
from inbox.actions.cards import MOST as MOST_CARDS
from inbox.models import Agent, Card, Customer, CustomerNote, Field, Ticket

MOST_NOTES = 3
MOST_COLLEAGUES = 3


def notes(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[CustomerNote, Any]:
    """One more than are shown tells that there are more."""
    return notes_of(customer)[: MOST_NOTES + 1]


def notes_of(customer: Customer) -> QuerySet[CustomerNote, Any]:
    found = CustomerNote.objects.filter(customer=customer).order_by("-pk")
    return found.values("id", "text", "created_at", "updated_at", "agent", "agent__name")


def cards(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Card, Any]:
    current = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    found = Card.objects.filter(current, customer=customer).order_by("position", "key")
    return found.values("id", "key", "title", "url", "fields", "updated_at")[:MOST_CARDS]


def colleagues(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Customer, Any]:
    """Others of the same organisation, those first who wrote last."""
    if customer.organisation_id is None:
        return Customer.objects.none().values("pk", "name")
    found = access.customers(agent).filter(organisation=customer.organisation_id).exclude(pk=customer.pk)
    newest = (F("last_seen_at").desc(nulls_last=True), "-pk")  # as customer_of_organisation has them
    return found.order_by(*newest).values("pk", "name")[: MOST_COLLEAGUES + 1]


def fields(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Field, Any]:
    """Of all nouns: few, and the ticket's are asked for as well."""
    return own_fields.rows()
