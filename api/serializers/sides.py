"""Side conversations: with a third party, inside a ticket; the customer never sees them."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.common import BIGGEST_ID, ChannelRef, SafeHtml, text_of, usable_address
from api.serializers.messages import AddressIn
from api.strict import StrictSerializer
from inbox.models import SideConversation


class SideOut(serializers.Serializer[SideConversation]):
    id = serializers.IntegerField()
    ticket = serializers.IntegerField(source="ticket_id")
    channel = ChannelRef()
    subject = serializers.CharField()
    answered = serializers.BooleanField(help_text="Whether the third party wrote last.")
    closed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField()


class SideMessageIn(StrictSerializer):
    """What is written to the third party; without `to` it goes to whoever was written to, or wrote, last."""

    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    html = SafeHtml(required=False, allow_blank=True, trim_whitespace=False)
    to = AddressIn(many=True, required=False)
    cc = AddressIn(many=True, required=False)
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID),
        required=False,
        max_length=50,
        help_text="Ids that POST /attachments/ gave.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["text"] = text_of(attrs.get("text", ""), attrs.get("html", ""))
        for field in ("to", "cc"):
            for place, recipient in enumerate(attrs.get(field, ())):
                try:
                    recipient["address"] = usable_address("email", recipient["address"])
                except serializers.ValidationError as error:
                    raise serializers.ValidationError({f"{field}.{place}.address": error.detail}) from error
        if attrs.get("to") == []:
            raise serializers.ValidationError({"to": [_("Name somebody, or leave this out.")]})
        return attrs


class SideIn(SideMessageIn):
    """The first message of a side conversation; `forwards` are messages of its ticket that are quoted below it."""

    to = AddressIn(many=True)
    subject = serializers.CharField(required=False, allow_blank=True, max_length=500)
    forwards = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID),
        required=False,
        max_length=100,
        help_text="Ids of what was said between the customer and us, with its files.",
    )


class SidePatch(StrictSerializer):
    closed = serializers.BooleanField()
