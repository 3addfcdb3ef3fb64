"""Organisations."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from api.serializers.common import (
    Attributes,
)
from api.strict import Filters, StrictSerializer
from inbox.models import (
    FieldNoun,
    Organisation,
)


class OrganisationOut(serializers.Serializer[Organisation]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    domains = serializers.ListField(child=serializers.CharField())
    external_id = serializers.CharField(allow_null=True)
    attributes = serializers.DictField()
    created_at = serializers.DateTimeField()


class Domains(serializers.ListField):
    """Mail domains, lower-cased, each once."""

    child = serializers.RegexField(r"^\s*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)+\s*$", max_length=253)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(value.strip().lower() for value in super().to_internal_value(data)))


class OrganisationIn(StrictSerializer):
    """POST and PATCH. Customers made later with an e-mail address of one of `domains` belong to it."""

    name = serializers.CharField(max_length=200)
    domains = Domains(required=False, max_length=100)
    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)
    attributes = Attributes(FieldNoun.ORGANISATION, required=False)


class OrganisationFilters(Filters):
    domain = serializers.CharField(max_length=253)
    external_id = serializers.CharField(max_length=200)
    q = serializers.CharField(max_length=200, help_text="Part of the name.")

    @classmethod
    def apply(cls, organisations: QuerySet[Organisation], chosen: dict[str, Any]) -> QuerySet[Organisation]:
        if "domain" in chosen:
            organisations = organisations.filter(domains__contains=[chosen["domain"].lower()])
        if "external_id" in chosen:
            organisations = organisations.filter(external_id=chosen["external_id"])
        if "q" in chosen:
            organisations = organisations.filter(name__icontains=chosen["q"])
        return organisations.order_by("pk")
