"""Revenue that comes of the log: customers who became one or two again, and orders that count as revenue."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from inbox import log
from inbox.models import CustomerEvent, Event
from lib import money
from reports.actions import revenue
from reports.models import Revenue
from reports.worth.terms import KEY, Terms, terms


def idle() -> bool:
    """Where there is no revenue, nothing that happens to customers changes any."""
    return not terms().orders and not Revenue.objects.exists()


@log.register_batch(KEY, idle=idle)
def follow(events: list[Event]) -> None:
    changed: set[int] = set()
    ordered: list[int] = []
    for event in events:
        data: dict[str, Any] = event.data
        if event.kind == "customer_merged":
            changed |= {data["customer"], data["into"]}
        elif event.kind == "customer_unmerged":
            changed |= {data["customer"], data["from"]}
        elif event.kind == "customer_event_added":
            ordered += data["events"]
    if changed:
        revenue.value(changed)
    chosen = terms()
    if ordered and chosen.orders and chosen.currency:
        take(ordered, chosen)


def take(events: list[int], chosen: Terms) -> int:
    """Count these events of customers as revenue, as far as they are orders that say how much; returns how many."""
    rows = CustomerEvent.objects.filter(pk__in=events, kind=chosen.order_kind)
    sales = [
        revenue.Sale(customer, at, amount, f"event-{pk}")
        for pk, customer, at, data in rows.values_list("pk", "customer", "at", "data")
        if (amount := amount_of(data, chosen)) is not None
    ]
    return revenue.add(sales, source=revenue.ORDERS, by=None)


def amount_of(data: dict[str, Any], chosen: Terms) -> int | None:
    """What an order says that it cost, in the organisation's currency; None where it says nothing that counts."""
    said, currency = data.get(chosen.amount_key), str(data.get("currency") or chosen.currency).upper()
    if currency != chosen.currency or isinstance(said, bool):
        return None
    try:
        if isinstance(said, int | float):
            return money.exact(Decimal(str(said)), currency)
        return money.minor(said, currency) if isinstance(said, str) else None
    except (ValueError, InvalidOperation):
        return None
