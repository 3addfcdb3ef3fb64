"""Revenue of customers: take it in, once, keep each customer's sum with it, and say what it means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.fields import CharField
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent, Customer, Setting
from inbox.rights import Right, require
from reports.models import Revenue
from reports.worth.terms import KEY, Terms, terms

ORDERS = "orders"  # the source of what comes from events of customers

ADD = """
INSERT INTO reports_revenue (source, reference, customer_id, at, amount, currency, created_at)
SELECT %(source)s, given.reference, given.customer, given.at, given.amount, %(currency)s, %(now)s
FROM unnest(%(references)s::text[], %(customers)s::bigint[], %(times)s::timestamptz[], %(amounts)s::bigint[])
     AS given(reference, customer, at, amount)
ORDER BY given.reference
ON CONFLICT (source, reference) DO NOTHING
RETURNING customer_id
"""
VALUE = """
INSERT INTO reports_customervalue (customer_id, total, orders, first_at, last_at)
SELECT customer_id, sum(amount), count(*), min(at), max(at) FROM reports_revenue
WHERE customer_id = ANY(%s) GROUP BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET total = excluded.total, orders = excluded.orders,
    first_at = excluded.first_at, last_at = excluded.last_at
"""
WORTHLESS = """
DELETE FROM reports_customervalue v WHERE customer_id = ANY(%s)
AND NOT EXISTS (SELECT FROM reports_revenue r WHERE r.customer_id = v.customer_id)
"""


@dataclass(frozen=True, slots=True)
class Sale:
    """What one customer paid, in the smallest unit of the organisation's currency."""

    customer: int
    at: datetime
    amount: int
    reference: str


def add(sales: Sequence[Sale], *, source: str, by: Agent | None) -> int:
    """Keep these; what `source` has told of before under the same reference stays as it is. Returns how many are new.

    Raises ActionError where no currency was chosen yet.
    """
    if not sales:
        return 0
    currency = terms().currency
    if not currency:
        raise ActionError(_("Choose the currency of revenue first."), "currency")
    with transaction.atomic():
        owners = _locked({sale.customer for sale in sales})
        given = [sale for sale in sales if sale.customer in owners]
        told: dict[str, Any] = {
            "source": source,
            "currency": currency,
            "now": timezone.now(),
            "references": [sale.reference for sale in given],
            "customers": [owners[sale.customer] for sale in given],
            "times": [sale.at for sale in given],
            "amounts": [sale.amount for sale in given],
        }
        with connection.cursor() as cursor:
            cursor.execute(ADD, told)
            new = [pk for (pk,) in cursor.fetchall()]
        if new:
            value(new)
            log.record(None, "revenue_added", by=by, source=source, count=len(new))
    return len(new)


def _locked(customers: set[int]) -> dict[int, int]:
    """Whose revenue that of each of these is by now, held until the end of the transaction: two who add to one customer
    at once would each sum up without the other. Who is not there is left out.
    """
    into: dict[int, int | None] = {}
    wanted = set(customers)
    while wanted:
        rows = Customer.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
        into |= dict(rows.values_list("pk", "merged_into"))
        wanted = {pk for pk in into.values() if pk is not None} - into.keys()
    owners = {}
    for pk in customers & into.keys():
        owner = pk
        while (further := into.get(owner)) is not None:
            owner = further
        owners[pk] = owner
    return owners


def value(customers: Iterable[int]) -> None:
    """Sum up the revenue of these customers anew."""
    wanted = sorted(set(customers))
    with connection.cursor() as cursor:
        cursor.execute(VALUE, [wanted])
        cursor.execute(WORTHLESS, [wanted])


def set_terms(chosen: Terms, *, by: Agent) -> None:
    """From now on revenue means this. Raises ActionError where the currency of what is there would change."""
    require(by, Right.REPORTS)
    with transaction.atomic():
        before = terms()
        if before == chosen:
            return
        if before.currency and before.currency != chosen.currency and Revenue.objects.exists():
            raise ActionError(
                _("Revenue is there in %(currency)s already: it stays the currency.") % {"currency": before.currency},
                "currency",
            )
        Setting.objects.update_or_create(pk=KEY, defaults={"value": chosen.value})
        changed = sorted(name for name, new in chosen.value.items() if before.value[name] != new)
        log.record(None, "revenue_terms_changed", by=by, fields=changed)
        if chosen.orders and changed != ["days"] and changed != ["margin"]:
            log.rewind(KEY)  # orders that are there already count as well


def forget(customers: Iterable[int]) -> None:
    """Of erased customers the amounts stay, which are figures. What other systems call them by goes."""
    erased = Concat(Value("erased-"), Cast(F("pk"), CharField()))
    Revenue.objects.filter(customer__in=set(customers)).exclude(reference=erased).update(reference=erased)


def drop(rows: Sequence[int], *, by: Agent) -> int:
    """Take rows of revenue back, by their ids; returns how many were there."""
    with transaction.atomic():
        found = Revenue.objects.filter(pk__in=rows)
        owners = set(found.values_list("customer", flat=True))
        _locked(owners)
        gone = found.delete()[0]
        if gone:
            value(owners)
            log.record(None, "revenue_dropped", by=by, count=gone)
    return gone
