"""/channels/ and /receipts/."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api.models import Scope
from api.problems import GENERAL
from api.serializers.channels import (
    ChannelIn,
    ChannelOut,
    ChannelPatch,
    ChecksOut,
    NewChannelOut,
    ReceiptFilters,
    ReceiptOut,
)
from api.serializers.common import address
from api.serializers.webhooks import SecretOut
from api.views.base import View
from inbox import access
from inbox.actions import channel_secrets, channels, retrying
from inbox.adapters import kinds
from inbox.rights import Right


@contextmanager
def named_settings() -> Iterator[None]:
    """Errors of the adapter's form as errors of the body: `settings.address`."""
    try:
        yield
    except channels.UnknownKind as error:
        raise ValidationError({"kind": [str(error.reason)]}) from error
    except DjangoValidationError as error:
        fields = {GENERAL if name == NON_FIELD_ERRORS else name: texts for name, texts in error.message_dict.items()}
        raise ValidationError({"settings": fields}) from error


class ChannelView(View):
    lookup_value_converter = "slug"
    scopes = dict.fromkeys(("create", "destroy", "rotate"), Scope.ADMIN)
    secret_answers = frozenset({"create", "rotate"})

    def sees(self, name: Any) -> None:
        access.get_channel(self.agent, name)

    def tells_secret(self, answer: Mapping[str, Any]) -> bool:
        return super().tells_secret(answer) and "secret" in answer  # most kinds have none to tell

    @extend_schema(operation_id="channels_list", responses=ChannelOut(many=True))
    def list(self, request: Request) -> Response:
        """Channels that this agent may see."""
        return self.page(ChannelOut.with_all(access.channels(self.agent)).order_by("pk"), ChannelOut)

    @extend_schema(operation_id="channels_connect", request=ChannelIn, responses={201: NewChannelOut})
    def create(self, request: Request) -> Response:
        """Connect a channel: for administrators. A secret that was made for it is answered this once."""
        self.require(Right.CHANNELS)
        asked = self.taken(ChannelIn)
        with named_settings():
            channel = channels.create(**asked, by=self.agent)
        shown = {**ChannelOut(channel, context=self.get_serializer_context()).data}
        if secret := channel_secrets.made(channel, asked["settings"]):
            shown["secret"] = secret
        return Response(
            shown,
            status=201,
            headers={"Location": address(f"/api/v1/channels/{channel.pk}/")},
        )

    @extend_schema(operation_id="channels_get", responses=ChannelOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """By slug or id."""
        channel = access.get_channel(self.agent, pk)
        return Response(ChannelOut(channel, context=self.get_serializer_context()).data)

    @extend_schema(operation_id="channels_change", request=ChannelPatch, responses=ChannelOut)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the settings and who sees it (administrators), or pause it (managers, too)."""
        self.require(Right.CARE)
        channel = access.get_channel(self.agent, pk)
        asked = self.taken(ChannelPatch)
        if set(asked) - {"paused"}:
            self.require(Right.CHANNELS)
            self.require_scope(Scope.ADMIN)
        placed = {name: asked.pop(name) for name in ("default_team", "teams") if name in asked}
        if placed:
            asked["place"] = channels.place_of(channel, **placed)
        with named_settings():
            channel = channels.update(channel, by=self.agent, **asked)
        return Response(ChannelOut(channel, context=self.get_serializer_context()).data)

    @extend_schema(operation_id="channels_disconnect", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Disconnect a channel that never carried anything; one that did can be paused."""
        self.require(Right.CHANNELS)
        channels.disconnect(access.get_channel(self.agent, pk), by=self.agent)
        return Response(status=204)

    @extend_schema(operation_id="channels_rotate", request=None, responses=SecretOut)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """A new secret that both sides sign with, answered this once. For 24 hours the former one counts as well."""
        self.require(Right.CHANNELS)
        channel = access.get_channel(self.agent, pk)
        secret = channel_secrets.roll(channel, by=self.agent)
        channel.refresh_from_db(fields=["credentials"])
        until = channel_secrets.former_until(channel, kinds()[channel.kind].signs_with)
        return Response(SecretOut({"secret": secret, "old_secret_until": until}).data)

    @extend_schema(operation_id="channels_check", request=None, responses=ChecksOut)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Try the connection now, step by step; it may take half a minute."""
        self.require(Right.CARE)
        lines = channels.check(access.get_channel(self.agent, pk))
        return Response(ChecksOut({"ok": all(line.ok for line in lines), "checks": lines}).data)


class ReceiptView(View):
    queries = {"list": ReceiptFilters}

    def sees(self, name: Any) -> None:
        access.get_receipt(self.agent, name)

    @extend_schema(operation_id="receipts_list", responses=ReceiptOut(many=True))
    def list(self, request: Request) -> Response:
        """What arrived, newest first; `state=failed` is what could not be taken in."""
        return self.page(ReceiptFilters.apply(access.receipts(self.agent), self.filters), ReceiptOut)

    @extend_schema(operation_id="receipts_get", responses=ReceiptOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One receipt."""
        return Response(ReceiptOut(access.get_receipt(self.agent, pk)).data)

    @extend_schema(operation_id="receipts_retry", request=None, responses={202: ReceiptOut})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: int) -> Response:
        """Take a failed receipt in again, in the background."""
        receipt = access.get_receipt(self.agent, pk)
        self.require(Right.ANSWER)
        retrying.retry(receipt, by=self.agent)
        return Response(ReceiptOut(access.get_receipt(self.agent, pk)).data, status=202)
