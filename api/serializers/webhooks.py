"""Webhooks and their deliveries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.models import ALL_EVENTS, HookState, Stopped, Webhook, WebhookDelivery
from api.serializers.common import AgentRef, ChannelRef, SeenChannel, SeenTeam, TeamRef
from api.strict import Choice, Codes, Filters, StrictSerializer
from api.webhooks.events import KINDS
from lib import net

EVENTS = [ALL_EVENTS, *KINDS]


def usable_url(given: str) -> str:
    """The address of a receiver as it is kept. Raises ValidationError saying what to change."""
    given = given.strip()
    try:
        parts = urlsplit(given)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise serializers.ValidationError(_("This is no address of the web.")) from error
    if not given.isascii() or not given.isprintable() or " " in given or not host:
        raise serializers.ValidationError(_("This is no address of the web. It looks like https://example.com/rabta."))
    if parts.scheme != "https" and not (settings.ALLOW_PRIVATE_NETWORKS and parts.scheme == "http"):
        raise serializers.ValidationError(_("The address has to begin with https://."))
    if parts.username is not None:
        raise serializers.ValidationError(
            _("Leave name and password out of the address: what we send is signed, which proves that it is ours.")
        )
    _refuse_private(host)
    return urlunsplit(parts._replace(fragment=""))


def _refuse_private(host: str) -> None:
    """An IP address inside a private network is told at once; a name that leads there, when it is looked up."""
    try:
        public = net.is_public(host)
    except ValueError:
        public = host.rstrip(".").lower() != "localhost"
    if not public and not settings.ALLOW_PRIVATE_NETWORKS:
        raise serializers.ValidationError(
            _("%(host)s is in a private network. Give an address that can be reached from outside.") % {"host": host}
        )


class HookUrl(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return usable_url(super().to_internal_value(data))


class HookEvents(serializers.ListField):
    """Names of events, or `*` alone for all of them, future ones too."""

    child = Choice(choices=EVENTS)

    def to_internal_value(self, data: Any) -> list[str]:
        chosen = set(super().to_internal_value(data))
        return [ALL_EVENTS] if ALL_EVENTS in chosen else [kind for kind in KINDS if kind in chosen]


class HookHealth(serializers.Serializer[Webhook]):
    failing_since = serializers.DateTimeField(allow_null=True, help_text="First failure since the last success.")
    failures = serializers.IntegerField(help_text="In a row.")
    error = serializers.CharField(source="last_error")
    held_until = serializers.DateTimeField(allow_null=True, help_text="The receiver asked us to wait until then.")
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.ChoiceField(
        choices=Stopped.choices, allow_blank=True, help_text="Why it is off, where nobody turned it off."
    )


class WebhookOut(serializers.Serializer[Webhook]):
    """A webhook as the API shows it, without its secret. Rows come from `with_all`."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS))
    channels = ChannelRef(many=True)
    teams = TeamRef(many=True)
    active = serializers.BooleanField()
    owner = AgentRef(allow_null=True, help_text="Whom it acts for: it tells what they may see.")
    health = HookHealth(source="*")
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then what is sent carries the signature of the former secret, too."
    )
    last_delivery_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    @staticmethod
    def with_all(hooks: QuerySet[Webhook]) -> QuerySet[Webhook]:
        """The rows with everything that their JSON shows: three queries, however many rows."""
        last = (
            WebhookDelivery.objects.filter(webhook=OuterRef("pk"), attempted_at__isnull=False)
            .order_by("-pk")
            .values("attempted_at")[:1]
        )
        return (
            hooks.select_related("owner")
            .prefetch_related("channels", "teams")
            .annotate(last_delivery_at=Subquery(last))
        )


class NewWebhookOut(WebhookOut):
    secret = serializers.CharField(help_text="What verifies the signatures, told this once.")


class SecretOut(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="The new secret, told this once.")
    old_secret_until = serializers.DateTimeField(allow_null=True)


class WebhookIn(StrictSerializer):
    name = serializers.CharField(max_length=120)
    url = HookUrl(max_length=2000)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    events = HookEvents(allow_empty=False)
    channels = serializers.ListField(
        child=SeenChannel(), required=False, default=list, help_text="Slugs or ids; only what belongs to these."
    )
    teams = serializers.ListField(
        child=SeenTeam(), required=False, default=list, help_text="Slugs or ids; only tickets of these."
    )
    active = serializers.BooleanField(required=False, default=True)


class WebhookPatch(WebhookIn):
    """PATCH /webhooks/{id}/: what is named changes."""


class WebhookDeliveryOut(serializers.Serializer[WebhookDelivery]):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The `webhook-id` header: the same for every attempt.")
    event = serializers.IntegerField(source="event_id", allow_null=True, help_text="Of the log; null for a test.")
    type = serializers.CharField(source="kind")
    state = serializers.ChoiceField(choices=HookState.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.SerializerMethodField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status of the last answer.")
    error = serializers.CharField()
    response = serializers.CharField(help_text="The beginning of the last answer's body.")
    duration_ms = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    attempted_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_next_attempt_at(self, delivery: WebhookDelivery) -> Any:
        due = delivery.next_attempt_at if delivery.state == HookState.QUEUED else None
        return serializers.DateTimeField().to_representation(due) if due else None


class DeliveryFilters(Filters):
    state = Codes(HookState.choices, help_text="One or several, parted by commas.")
    type = Choice(choices=["ping", *KINDS])

    @classmethod
    def apply(cls, rows: QuerySet[WebhookDelivery], chosen: dict[str, Any]) -> QuerySet[WebhookDelivery]:
        if "state" in chosen:
            rows = rows.filter(state__in=chosen["state"])
        if "type" in chosen:
            rows = rows.filter(kind=chosen["type"])
        return rows.defer("payload", "headers").order_by("-pk")
