"""The organisation's own fields of tickets, customers and organisations."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from api.strict import Choice, Filters, StrictSerializer
from inbox.models import Field, FieldKind, FieldNoun


class FieldOut(serializers.Serializer[Field]):
    """What an attribute is called and which values it takes."""

    id = serializers.IntegerField()
    noun = serializers.ChoiceField(choices=FieldNoun.choices)
    key = serializers.CharField(help_text="Its key in `attributes`.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field; the metaclass takes it out of the class
    help = serializers.CharField()
    kind = serializers.ChoiceField(choices=FieldKind.choices)
    choices = serializers.ListField(child=serializers.CharField())
    required = serializers.BooleanField(help_text="Whether nobody solves a ticket without it.")  # type: ignore[assignment]
    searchable = serializers.BooleanField()
    position = serializers.IntegerField()


class FieldFilters(Filters):
    noun = Choice(choices=FieldNoun.choices)

    @classmethod
    def apply(cls, fields: QuerySet[Field], chosen: dict[str, Any]) -> QuerySet[Field]:
        return fields.filter(**chosen).order_by("noun", "position", "pk")


class FieldPatch(StrictSerializer):
    """PATCH /fields/{id}/. Noun and key are for ever: values stand under them."""

    label = serializers.CharField(max_length=80)  # type: ignore[assignment]
    help = serializers.CharField(max_length=200, required=False, allow_blank=True)
    kind = Choice(choices=FieldKind.choices, required=False)
    choices = serializers.ListField(child=serializers.CharField(max_length=120), required=False, max_length=200)
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]
    searchable = serializers.BooleanField(required=False)


class FieldIn(FieldPatch):
    """POST /fields/."""

    noun = Choice(choices=FieldNoun.choices)
    key = serializers.SlugField(max_length=60)
