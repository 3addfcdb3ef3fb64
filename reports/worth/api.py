"""/revenue/: what customers paid, as your shop or accounting tells it; and what is told and forgotten of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples, timeline
from api.routing import register
from api.serializers.common import BIGGEST_ID, CustomerRef
from api.strict import Filters, StrictSerializer
from api.views.base import View
from inbox import addresses
from inbox.actions import erasing, naming
from inbox.models import Agent, Customer
from inbox.rights import Right
from lib import money
from reports.actions import importing, revenue
from reports.models import Revenue
from reports.worth import matching
from reports.worth.counting import seen_customers
from reports.worth.terms import terms

AT_ONCE = 1_000


class RevenueOut(serializers.Serializer[Revenue]):
    """What one customer paid at one time."""

    id = serializers.IntegerField()
    customer = CustomerRef()
    at = serializers.DateTimeField()
    amount = serializers.SerializerMethodField(help_text="A decimal number, as 1234.50; less than zero is a refund.")
    currency = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field; the metaclass takes it out of the class
    reference = serializers.CharField()

    def get_amount(self, row: Revenue) -> str:
        return money.plain(row.amount, row.currency)


class RevenueFilters(Filters):
    customer = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    source = serializers.CharField(max_length=40)  # type: ignore[assignment]
    after = serializers.DateTimeField()
    before = serializers.DateTimeField()

    @classmethod
    def apply(cls, rows: QuerySet[Revenue], chosen: dict[str, Any]) -> QuerySet[Revenue]:
        names = {"after": "at__gt", "before": "at__lt"}
        return rows.filter(**{names.get(name, name): value for name, value in chosen.items()}).order_by("-pk")


class RevenueIn(StrictSerializer):
    """One payment; whose it is says one of `customer` (an id), `external_id`, `email` and `phone`."""

    customer = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False)
    external_id = serializers.CharField(max_length=200, required=False)
    email = serializers.CharField(max_length=320, required=False)
    phone = serializers.CharField(max_length=40, required=False)
    at = serializers.DateTimeField()
    amount = serializers.DecimalField(max_digits=18, decimal_places=3)
    currency = serializers.CharField(max_length=3, required=False, help_text="The organisation's without it.")
    reference = serializers.CharField(max_length=200, help_text="What your system calls it: a repeat is harmless.")

    def validate_at(self, value: datetime) -> datetime:
        if not timezone.now() + timedelta(days=1) > value > datetime(1970, 1, 1, tzinfo=value.tzinfo):
            raise serializers.ValidationError(_("This lies in the future, or too long ago."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [kind for kind in ("customer", "external_id", "email", "phone") if kind in attrs]
        if len(named) != 1:
            said = _("Say whose it is by one of: customer, external_id, email, phone.")
            raise serializers.ValidationError({"customer": [said]})
        kind, currency = named[0], self.context["currency"]
        if attrs.get("currency", currency).upper() != currency:
            said = _("All revenue is in %(currency)s: convert it first.") % {"currency": currency}
            raise serializers.ValidationError({"currency": [said]})
        try:
            amount = money.exact(attrs["amount"], currency)
        except ValueError as error:
            said = _("This has more digits behind the point than the currency.")
            raise serializers.ValidationError({"amount": [said]}) from error
        value = str(attrs[kind])
        if kind in {"email", "phone"}:
            try:
                value = addresses.usable(kind, value)
            except DjangoValidationError as error:
                raise serializers.ValidationError({kind: error.messages}) from error
        return {**attrs, "key": ("id" if kind == "customer" else kind, value), "amount": amount}


class RevenuesIn(StrictSerializer):
    """POST /revenue/."""

    source = serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=40)  # type: ignore[assignment]
    rows = serializers.ListField(child=RevenueIn(), min_length=1, max_length=AT_ONCE)


class RevenuesOut(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="There already under their reference: they stay.")
    nobody = serializers.ListField(
        child=serializers.IntegerField(), help_text="Rows left out since no customer is known by this; the first is 0."
    )


class RevenueView(View):
    queries = {"list": RevenueFilters}

    @extend_schema(operation_id="revenue_list", responses=RevenueOut(many=True))
    def list(self, request: Request) -> Response:
        """What customers paid, newest first as it came in."""
        found = RevenueFilters.apply(seen(self.agent), self.filters).select_related("customer")
        return self.page(found, RevenueOut)

    @extend_schema(operation_id="revenue_add", request=RevenuesIn, responses=RevenuesOut)
    def create(self, request: Request) -> Response:
        """Add payments, a thousand at once at most; what was told under the same `source` and `reference` stays.

        All or none of a request that is wrong; who is not known as a customer is named in the answer and left out.
        Takes a role that sees reports.
        """
        self.require(Right.REPORTS)
        currency = terms().currency
        if not currency:
            raise serializers.ValidationError({"currency": [_("Choose the currency of revenue first.")]})
        asked = self.taken(RevenuesIn, currency=currency)
        known = matching.customers(self.agent, (row["key"] for row in asked["rows"]))
        nobody = [place for place, row in enumerate(asked["rows"]) if row["key"] not in known]
        sales = [
            revenue.Sale(known[row["key"]], row["at"], row["amount"], row["reference"])
            for row in asked["rows"]
            if row["key"] in known
        ]
        added = revenue.add(sales, source=asked["source"], by=self.agent)
        return Response({"added": added, "known": len(sales) - added, "nobody": nobody})


def seen(agent: Agent) -> QuerySet[Revenue]:
    found, customers = Revenue.objects.all(), seen_customers(agent)
    if customers is not None:
        found = found.filter(customer__in=customers)
    return found


def told(agent: Agent, customer: Customer) -> Iterable[dict[str, Any]]:
    """What they paid, for their export."""
    rows = seen(agent).filter(customer=customer).select_related("customer").order_by("pk")
    return [dict(RevenueOut(row).data) for row in rows]


@erasing.also
def forget(person: naming.Person) -> None:
    """Amounts stay, which are figures; what other systems call them by goes, and files that name the person."""
    revenue.forget(person.customers)
    importing.forget_person(person)


examples.add(
    {
        "Revenue": {
            "id": 9,
            "customer": {"id": 4, "name": "Ayesha Khan"},
            "at": "2026-04-03T10:30:00Z",
            "amount": "1234.50",
            "currency": "EUR",
            "source": "shop",
            "reference": "A-1",
        },
        "RevenuesIn": {
            "source": "shop",
            "rows": [
                {"email": "ayesha@example.com", "at": "2026-04-03T10:30:00Z", "amount": "1234.50", "reference": "A-1"},
                {"external_id": "C-77", "at": "2026-04-04T00:00:00Z", "amount": "-20.00", "reference": "A-2"},
            ],
        },
        "Revenues": {"added": 2, "known": 0, "nobody": []},
    },
    {"revenue": "What customers paid, as other systems tell it."},
)
register("revenue", RevenueView)
timeline.also("revenue", told)
