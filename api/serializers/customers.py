"""Customer and identities."""

from typing import Any, ClassVar

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.common import (
    Attributes,
    ChannelRef,
    IdentityIn,
    OrganisationRef,
    SeenChannel,
    SeenCustomer,
    SeenOrganisation,
    ShownName,
    Words,
)
from api.strict import Choice, Filters, StrictSerializer
from inbox import access
from inbox.adapters import Party
from inbox.models import (
    Agent,
    Customer,
    FieldNoun,
    Identity,
    Status,
    Ticket,
)
from inbox.models.base import Stage
from lib import phones, zones


class IdentityOut(serializers.Serializer[Identity]):
    id = serializers.IntegerField()
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
    ticket_count = serializers.SerializerMethodField()
    open_ticket_count = serializers.SerializerMethodField()

    def get_ticket_count(self, customer: Any) -> int:
        return int((customer.counts or {}).get("all", 0))

    def get_open_ticket_count(self, customer: Any) -> int:
        return int((customer.counts or {}).get("open", 0))

    @staticmethod
    def with_all(customers: QuerySet[Customer], agent: Agent) -> QuerySet[Customer]:
        """The rows with everything that their JSON shows: two queries, however many rows."""
        return (
            customers.select_related("organisation", "preferred_channel")
            .prefetch_related(Prefetch("identities", Identity.objects.filter(retired_at__isnull=True).order_by("pk")))
            .annotate(counts=Subquery(_counts(access.tickets(agent))))
        )


def _counts(tickets: QuerySet[Ticket]) -> QuerySet[Any]:
    """{"all", "open"} of the outer customer's tickets, in one walk through them."""
    theirs = tickets.filter(customer=OuterRef("pk"), merged_into__isnull=True).order_by().values("customer")
    opened = Count("pk", filter=Q(status=Status.OPEN, spam=False, trashed_at__isnull=True))
    return theirs.annotate(counts=JSONObject(all=Count("pk"), open=opened)).values("counts")


class CustomerFilters(Filters):
    """The filters of /customers/."""

    identity = serializers.CharField(max_length=320, help_text="The value of an identity, such as an e-mail address.")
    external_id = serializers.CharField(max_length=200)
    organisation = SeenOrganisation(help_text="Its id.")
    q = serializers.CharField(max_length=200, help_text="How the name, one of its words, or an address begins.")

    @classmethod
    def apply(cls, customers: QuerySet[Customer], chosen: dict[str, Any]) -> QuerySet[Customer]:
        if "organisation" in chosen:
            customers = customers.filter(organisation=chosen["organisation"])
        if "q" in chosen:
            customers = customers.filter(cls._fits(chosen["q"].strip()))
        if "identity" in chosen:
            value = chosen["identity"]
            folded = value.lower() if "@" in value else phones.e164(value) or value  # as identities are kept
            customers = customers.filter(
                pk__in=Identity.objects.filter(value__in={value, folded}, retired_at__isnull=True).values("customer")
            )
        if "external_id" in chosen:
            customers = customers.filter(external_id=chosen["external_id"])
        return customers.order_by("pk")

    @staticmethod
    def _fits(text: str) -> Q:
        addressed = Identity.objects.filter(value__istartswith=text, retired_at__isnull=True).values("customer")
        return Q(name__istartswith=text) | Q(name__icontains=f" {text}") | Q(pk__in=addressed)


class UpsertFilters(Filters):
    """What PUT /customers/ names."""

    external_id = serializers.CharField(max_length=200)


class CustomerFields(StrictSerializer):
    """What can be said of a customer."""

    name = ShownName(max_length=200, required=False, allow_blank=True)
    organisation = SeenOrganisation(required=False, allow_null=True, help_text="Its id.")
    stage = Choice(choices=Stage.choices, required=False)
    language = serializers.CharField(max_length=10, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=60, required=False, allow_blank=True)
    preferred_channel = SeenChannel(required=False, allow_null=True)
    opt_outs = Words(child=serializers.CharField(max_length=40), required=False)
    tags = Words(required=False)
    attributes = Attributes(FieldNoun.CUSTOMER, required=False)

    ZONE: ClassVar[str] = "Europe/Berlin"

    def validate_time_zone(self, value: str) -> str:
        if value and value not in zones.names():
            raise serializers.ValidationError(_("Give a time zone by its name, such as %(one)s.") % {"one": self.ZONE})
        return value


class CustomerPatch(CustomerFields):
    """PATCH /customers/{id}/: what is named changes, lists and `attributes` as a whole."""

    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)


class CustomerPut(CustomerFields):
    """PUT /customers/?external_id=…: what is named is set; addresses are added to those that are there."""

    identities = IdentityIn(many=True, required=False)


class CustomerIn(CustomerPut):
    """POST /customers/."""

    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)


class NewIdentityIn(IdentityIn):
    """One more address. A claim that nobody has checked (`verified` false) finds nobody by itself."""

    verified = serializers.BooleanField(required=False, default=True)


class CustomerMergeIn(StrictSerializer):
    into = SeenCustomer(help_text="The id of the customer that stays.")


def parties(identities: list[dict[str, str]]) -> list[Party]:
    """Checked identities of a body as the actions take them."""
    return [Party(one["kind"], one["value"], one["name"]) for one in identities]
