"""Cards that other systems put beside a customer's tickets."""

from typing import Any

from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.common import ShownName, _unstorable
from api.strict import StrictSerializer
from inbox.models import Card

MOST_FIELDS = 20


class WebAddress(serializers.CharField):
    """An address on the web: http or https, and nothing that runs when it is clicked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1000, **kwargs)
        self.validators.append(URLValidator(schemes=["http", "https"]))


class Storable(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if _unstorable(value):
            raise serializers.ValidationError(_("Text in here holds a NUL or broken Unicode."))
        return value


class CardFieldIn(StrictSerializer):
    label = ShownName(max_length=80)  # type: ignore[assignment]  # a field; the metaclass takes it out of the class
    value = Storable(max_length=500, allow_blank=True)
    url = WebAddress(required=False)


class CardIn(StrictSerializer):
    """PUT …/cards/{key}/: the whole card."""

    title = ShownName(max_length=120)
    url = WebAddress(required=False, allow_blank=True, default="")
    fields = serializers.ListField(child=CardFieldIn(), required=False, max_length=MOST_FIELDS)  # type: ignore[assignment]
    position = serializers.IntegerField(required=False, min_value=0, max_value=10_000, default=0)
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="From then on nobody sees it."
    )

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This is in the past."))
        return value


class CardFieldOut(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()
    url = serializers.CharField(required=False)


class CardOut(serializers.Serializer[Card]):
    key = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField()
    fields = CardFieldOut(many=True)  # type: ignore[assignment]
    position = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()


class CardsOut(serializers.Serializer[Any]):
    cards = CardOut(many=True)
