"""Customer and identities."""

from typing import Any, ClassVar

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.common import ChannelRef, JsonObject, OrganisationRef, SeenChannel, Words
from api.strict import Filters, StrictSerializer
from inbox import access
from inbox.models import Agent, Customer, Identity, Status, Ticket
from inbox.models.base import Stage


class IdentityOut(serializers.Serializer[Identity]):
    kind = serializers.CharField()
    value = serializers.CharField()
    verified = serializers.BooleanField()


class CustomerOut(serializers.Serializer[Customer]):
    """A customer as the API shows it; the counts are of tickets that the reader may see. Rows come from `with_all`."""

    id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    organisation = OrganisationRef(allow_null=True)
    stage = serializers.ChoiceField(choices=Stage.choices)
    language = serializers.CharField()
    time_zone = serializers.CharField()
    preferred_channel = ChannelRef(allow_null=True)
    opt_outs = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField()
    identities = IdentityOut(many=True)
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    ticket_count = serializers.IntegerField()
    open_ticket_count = serializers.IntegerField()

    @staticmethod
    def with_all(customers: QuerySet[Customer], agent: Agent) -> QuerySet[Customer]:
        """The rows with everything that their JSON shows: two queries, however many rows."""
        return (
            customers.select_related("organisation", "preferred_channel")
            .prefetch_related(Prefetch("identities", Identity.objects.filter(retired_at__isnull=True).order_by("pk")))
            .annotate(
                ticket_count=_count(access.tickets(agent).filter(merged_into__isnull=True)),
                open_ticket_count=_count(access.tickets(agent).current().filter(status=Status.OPEN)),
            )
        )


def _count(tickets: QuerySet[Ticket]) -> Any:
    counted = tickets.filter(customer=OuterRef("pk")).order_by().values("customer").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


class CustomerFilters(Filters):
    """The filters of /customers/."""

    identity = serializers.CharField(max_length=320, help_text="The value of an identity, such as an e-mail address.")
    external_id = serializers.CharField(max_length=200)

    @classmethod
    def apply(cls, customers: QuerySet[Customer], chosen: dict[str, Any]) -> QuerySet[Customer]:
        if "identity" in chosen:
            value = chosen["identity"]
            folded = value.lower() if "@" in value else value  # as identities are kept
            customers = customers.filter(
                pk__in=Identity.objects.filter(value__in={value, folded}, retired_at__isnull=True).values("customer")
            )
        if "external_id" in chosen:
            customers = customers.filter(external_id=chosen["external_id"])
        return customers.order_by("pk")


class CustomerPatch(StrictSerializer):
    """PATCH /customers/{id}/: what is named changes; `attributes` are merged, a null takes one away."""

    name = serializers.CharField(max_length=200, allow_blank=True)
    external_id = serializers.CharField(max_length=200, allow_null=True)
    stage = serializers.ChoiceField(choices=Stage.choices)
    language = serializers.CharField(max_length=10, allow_blank=True)
    time_zone = serializers.CharField(max_length=60, allow_blank=True)
    preferred_channel = SeenChannel(allow_null=True)
    opt_outs = Words(child=serializers.CharField(max_length=40))
    tags = Words()
    attributes = JsonObject()

    ZONE: ClassVar[str] = "Europe/Berlin"

    def validate_time_zone(self, value: str) -> str:
        from zoneinfo import available_timezones

        if value and value not in available_timezones():
            raise serializers.ValidationError(_("Give a time zone by its name, such as %(one)s.") % {"one": self.ZONE})
        return value
