"""What happened to a customer: events from elsewhere, and the timeline over everything."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from api.serializers.common import JsonObject
from api.serializers.customers import CustomerOut
from api.serializers.messages import MessageOut
from api.serializers.tickets import TicketOut
from api.strict import Filters, StrictSerializer
from inbox.actions.journey import Happening
from inbox.models import CustomerEvent

AT_ONCE = 100


class CustomerEventOut(serializers.Serializer[CustomerEvent]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # a field; the metaclass takes it out of the class
    external_id = serializers.CharField(allow_null=True)


class CustomerEventFilters(Filters):
    kind = serializers.CharField(max_length=60)

    @classmethod
    def apply(cls, events: QuerySet[CustomerEvent], chosen: dict[str, Any]) -> QuerySet[CustomerEvent]:
        return events.filter(**chosen).order_by("-at", "-pk")


class HappeningIn(StrictSerializer):
    """An order, a visit, a log-in. The same `kind` and `external_id` again change nothing."""

    kind = serializers.RegexField(r"^[a-z][a-z0-9_.-]*$", max_length=60)
    at = serializers.DateTimeField(required=False, help_text="Now without it.")
    data = JsonObject(required=False)  # type: ignore[assignment]  # a field; the metaclass takes it out of the class
    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)


class HappeningsIn(StrictSerializer):
    """POST /customers/{id}/events/."""

    events = serializers.ListField(child=HappeningIn(), min_length=1, max_length=AT_ONCE)

    def validate_events(self, value: list[dict[str, Any]]) -> list[Happening]:
        return [Happening(**one) for one in value]


class HappeningsOut(serializers.Serializer[Any]):
    events = CustomerEventOut(many=True)


class MomentOut(serializers.Serializer[Any]):
    """One line of a customer's timeline: `type` says which of the three it is, the others are null."""

    type = serializers.ChoiceField(choices=["message", "ticket", "event"])
    at = serializers.DateTimeField()
    message = MessageOut(allow_null=True)
    ticket = TicketOut(allow_null=True)
    event = CustomerEventOut(allow_null=True)


class PictureOut(serializers.Serializer[Any]):
    """The picture that goes with an address, as its platform gave it."""

    identity = serializers.IntegerField(help_text="The id of one of the customer's `identities`.")
    changed_at = serializers.DateTimeField(allow_null=True)
    content_type = serializers.CharField()
    content = serializers.CharField(allow_null=True, help_text="The file in base64; null where it is lost.")


class ExportOut(serializers.Serializer[Any]):
    """Everything kept of a customer that this agent may see."""

    complete = serializers.BooleanField(help_text="false: some of it is out of this agent's sight, and is not here.")
    customer = CustomerOut()
    tickets = TicketOut(many=True)
    messages = MessageOut(many=True)
    events = CustomerEventOut(many=True)
    pictures = PictureOut(many=True)
    more = serializers.DictField(help_text="What other parts of Rabta keep, by their names.")
