"""Channels and receipts."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.models import Scope
from api.serializers.common import ChannelRef, JsonObject, SeenChannel, SeenTeam, TeamRef, address
from api.strict import Codes, Filters, StrictSerializer
from inbox import access
from inbox.models import Channel, Receipt, ReceiptState, Team


class DirectionHealth(serializers.Serializer[Channel]):
    failing_since = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    last_at = serializers.DateTimeField(allow_null=True)


class Health(serializers.Serializer[Channel]):
    receiving = DirectionHealth()
    sending = DirectionHealth()


class ChannelOut(serializers.Serializer[Channel]):
    """A channel as the API shows it; `settings` and `webhook_url` to administrators only, secrets to nobody."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())
    default_team = serializers.SerializerMethodField()
    teams = serializers.SerializerMethodField()
    paused = serializers.BooleanField()
    health = serializers.SerializerMethodField()
    settings = serializers.SerializerMethodField()
    webhook_url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(TeamRef(allow_null=True))
    def get_default_team(self, channel: Channel) -> dict[str, Any] | None:
        team = channel.default_team
        return dict(TeamRef(team).data) if team is not None and self._sees(team) else None

    @extend_schema_field(TeamRef(many=True))
    def get_teams(self, channel: Channel) -> list[dict[str, Any]]:
        return [dict(TeamRef(team).data) for team in channel.teams.all() if self._sees(team)]

    def _sees(self, team: Team) -> bool:
        request = self.context.get("request")
        return request is None or team.pk not in access.sight(request.user).hidden_teams

    @extend_schema_field(Health)
    def get_health(self, channel: Channel) -> dict[str, Any]:
        receiving = {
            "failing_since": channel.in_failing_since,
            "error": channel.in_error,
            "last_at": channel.last_in_at,
        }
        sending = {
            "failing_since": channel.out_failing_since,
            "error": channel.out_error,
            "last_at": channel.last_out_at,
        }
        return dict(Health({"receiving": receiving, "sending": sending}).data)  # type: ignore[arg-type]

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": {}})
    def get_settings(self, channel: Channel) -> dict[str, Any] | None:
        return channel.settings if self._administrator else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_webhook_url(self, channel: Channel) -> str | None:
        return webhook_url(channel) if self._administrator else None

    @property
    def _administrator(self) -> bool:
        request = self.context.get("request")
        return request is None or request.auth.allows(Scope.ADMIN)

    @staticmethod
    def with_all(channels: QuerySet[Channel]) -> QuerySet[Channel]:
        return channels.select_related("default_team").prefetch_related("teams")


class NewChannelOut(ChannelOut):
    secret = serializers.CharField(
        required=False,
        help_text="What both sides sign with, where it was made for this channel: told this once.",
    )


def webhook_url(channel: Channel) -> str:
    """Where the platform of this channel delivers."""
    return address(f"/hooks/{channel.kind}/{channel.token}/")


class ChannelIn(StrictSerializer):
    """POST /channels/. What `settings` holds depends on the kind: docs/channels/."""

    kind = serializers.CharField(max_length=30)
    slug = serializers.SlugField(max_length=50)
    settings = JsonObject()


class ChannelPatch(StrictSerializer):
    """PATCH /channels/{id}/. New `settings` take the old ones' place; a secret that is not named is kept."""

    settings = JsonObject()
    paused = serializers.BooleanField()
    default_team = SeenTeam(allow_null=True, help_text="Slug or id of the team that gets what arrives.")
    teams = serializers.ListField(
        child=SeenTeam(), help_text="Slugs or ids of all teams that see this channel; none: everybody."
    )


class CheckOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    ok = serializers.BooleanField()
    detail = serializers.CharField()


class ChecksOut(serializers.Serializer[Any]):
    """What the test of a connection found, in the order in which it was tried."""

    ok = serializers.BooleanField(help_text="Whether all of it works.")
    checks = CheckOut(many=True)


class ReceiptOut(serializers.Serializer[Receipt]):
    id = serializers.IntegerField()
    channel = ChannelRef()
    external_id = serializers.CharField()
    state = serializers.ChoiceField(choices=ReceiptState.choices)
    reason = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    attempts = serializers.IntegerField()
    at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


class ReceiptFilters(Filters):
    state = Codes(ReceiptState.choices, help_text="One or several, parted by commas.")
    channel = SeenChannel(help_text="Slug or id.")

    @classmethod
    def apply(cls, receipts: QuerySet[Receipt], chosen: dict[str, Any]) -> QuerySet[Receipt]:
        if "state" in chosen:
            receipts = receipts.filter(state__in=chosen["state"])
        if "channel" in chosen:
            receipts = receipts.filter(channel=chosen["channel"])
        return receipts.select_related("channel").defer("raw", "meta").order_by("-pk")
