"""Cards that other systems put beside a customer's tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import customers
from inbox.actions.errors import ActionError
from inbox.models import Agent, Card, Customer

MOST = 20  # cards of one customer: what stands beside a conversation must be seen at a glance
FIELDS = ("title", "url", "fields", "position", "expires_at")


def put(
    customer: Customer,
    key: str,
    *,
    by: Agent | None,
    title: str,
    url: str = "",
    fields: Sequence[dict[str, str]] = (),
    position: int = 0,
    expires_at: datetime | None = None,
) -> tuple[Card, bool]:
    """Set the card of this key as a whole; returns it, and whether it is new. Raises ActionError beyond MOST."""
    said: dict[str, Any] = {
        "title": title,
        "url": url,
        "fields": [dict(one) for one in fields],
        "position": position,
        "expires_at": expires_at,
    }
    with transaction.atomic():
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        row = Card.objects.filter(customer=customer, key=key).first()
        if row is not None and all(getattr(row, name) == said[name] for name in FIELDS):
            return row, False
        new = row is None
        if row is None:
            row = _room_for(customer, key)
        for name in FIELDS:
            setattr(row, name, said[name])
        row.updated_at = timezone.now()
        row.save()
        log.record(None, "customer_card_changed", by=by, customer=customer.pk, card=row.pk)
        customers.announce(customer.pk)
    return row, new


def delete(card: Card, *, by: Agent | None) -> None:
    with transaction.atomic():
        log.record(None, "customer_card_changed", by=by, customer=card.customer_id, card=card.pk, deleted=True)
        customers.announce(card.customer_id)
        card.delete()


def _room_for(customer: Customer, key: str) -> Card:
    """A new row; what has expired makes room first."""
    theirs = Card.objects.filter(customer=customer)
    theirs.filter(expires_at__lte=timezone.now()).delete()
    if theirs.count() >= MOST:
        raise ActionError(
            _("A customer has at most %(count)s cards. Delete one first.") % {"count": MOST}, "too_many_cards"
        )
    return Card(customer=customer, key=key)
