"""What happened to a customer elsewhere: orders, visits, log-ins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from inbox import log
from inbox.actions import customers
from inbox.models import Agent, Customer, CustomerEvent
from inbox.models.base import Stage

# Who does one of these is a customer. The first word of a kind counts: order, order.paid, order-shipped.
BUYING = frozenset({"order", "purchase", "payment", "subscription", "contract", "invoice", "booking"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. With an `external_id` a repeat of the same kind is harmless."""

    kind: str
    at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)
    external_id: str | None = None


def add(
    customer: Customer, happenings: Sequence[Happening], *, by: Agent | None, claimed: bool = False
) -> list[CustomerEvent]:
    """Keep these, and answer their rows in the order given; what is there already stays as it is.

    What is only `claimed`, as by a browser, makes nobody a customer who was a lead.
    """
    now = timezone.now()
    rows = [
        CustomerEvent(
            customer=customer, kind=one.kind, at=one.at or now, data=one.data, external_id=one.external_id or None
        )
        for one in happenings
    ]
    with transaction.atomic():
        known = _known(customer, rows)
        new = list({_key(row) or place: row for place, row in enumerate(rows) if _key(row) not in known}.values())
        CustomerEvent.objects.bulk_create([row for row in new if row.external_id], ignore_conflicts=True)
        plain = CustomerEvent.objects.bulk_create([row for row in new if not row.external_id])
        found = _known(customer, rows)
        if new:
            ids = [found[key].pk if (key := _key(row)) else row.pk for row in new]
            log.record(None, "customer_event_added", by=by, customer=customer.pk, events=ids)
            customers.announce(customer.pk)
            if not claimed and customer.stage != Stage.CUSTOMER and any(_buys(row.kind) for row in new):
                customers.update(customer, by=by, stage=Stage.CUSTOMER)
    without = iter(plain)
    return [found[key] if (key := _key(row)) else next(without) for row in rows]


def _buys(kind: str) -> bool:
    return re.split(r"[._-]", kind, maxsplit=1)[0] in BUYING


def _key(row: CustomerEvent) -> tuple[str, str] | None:
    return (row.kind, row.external_id) if row.external_id else None


def _known(customer: Customer, rows: Sequence[CustomerEvent]) -> dict[tuple[str, str] | None, CustomerEvent]:
    named = [row.external_id for row in rows if row.external_id]
    return {_key(row): row for row in CustomerEvent.objects.filter(customer=customer, external_id__in=named)}
