"""/webhooks/: where events are sent to, what was sent, and sending it again."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.actions import webhooks
from api.models import Scope, Webhook, WebhookDelivery
from api.serializers.common import address
from api.serializers.webhooks import (
    DeliveryFilters,
    NewWebhookOut,
    SecretOut,
    WebhookDeliveryOut,
    WebhookIn,
    WebhookOut,
    WebhookPatch,
)
from api.views.base import View
from inbox.rights import Right, require

EXAMPLE = OpenApiExample(
    "Solved and failed",
    {
        "name": "Order system",
        "url": "https://shop.example.com/hooks/rabta",
        "events": ["ticket.solved", "message.failed"],
        "channels": ["support"],
    },
    request_only=True,
)


class WebhookView(View):
    queries = {"deliveries": DeliveryFilters}
    scopes = dict.fromkeys(
        ("list", "create", "retrieve", "partial_update", "destroy", "rotate", "test", "deliveries", "redeliver"),
        Scope.ADMIN,
    )
    secret_answers = frozenset({"create", "rotate"})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require(self.agent, Right.WEBHOOKS)

    def one(self, pk: int) -> Webhook:
        hook = WebhookOut.with_all(Webhook.objects.all()).filter(pk=pk).first()
        if hook is None:
            raise NotFound
        return hook

    @extend_schema(operation_id="webhooks_list", responses=WebhookOut(many=True))
    def list(self, request: Request) -> Response:
        """All webhooks."""
        return self.page(WebhookOut.with_all(Webhook.objects.order_by("pk")), WebhookOut)

    @extend_schema(
        operation_id="webhooks_create", request=WebhookIn, responses={201: NewWebhookOut}, examples=[EXAMPLE]
    )
    def create(self, request: Request) -> Response:
        """A new webhook. It tells what you may see. Its secret is answered this once."""
        hook, secret = webhooks.create(by=self.agent, **self.taken(WebhookIn))
        shown = {**WebhookOut(self.one(hook.pk)).data, "secret": secret}
        return Response(shown, status=201, headers={"Location": address(f"/api/v1/webhooks/{hook.pk}/")})

    @extend_schema(operation_id="webhooks_get", responses=WebhookOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One webhook and its health."""
        return Response(WebhookOut(self.one(pk)).data)

    @extend_schema(operation_id="webhooks_change", request=WebhookPatch, responses=WebhookOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change a webhook, or turn it on or off. Whoever changes where it sends to, or what, becomes its owner."""
        webhooks.update(self.one(pk), self.taken(WebhookPatch), by=self.agent)
        return Response(WebhookOut(self.one(pk)).data)

    @extend_schema(operation_id="webhooks_delete", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete a webhook with its deliveries."""
        webhooks.delete(self.one(pk), by=self.agent)
        return Response(status=204)

    @extend_schema(operation_id="webhooks_rotate", request=None, responses=SecretOut)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: int) -> Response:
        """A new secret, answered this once. For 24 hours what is sent is signed with the former one, too."""
        hook = self.one(pk)
        secret = webhooks.rotate(hook, by=self.agent)
        hook.refresh_from_db(fields=["sealed"])
        return Response(SecretOut({"secret": secret, "old_secret_until": hook.old_secret_until}).data)

    @extend_schema(operation_id="webhooks_test", request=None, responses={202: WebhookDeliveryOut})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: int) -> Response:
        """Send a `ping`. It is one of the webhook's deliveries, where its outcome shows."""
        return Response(WebhookDeliveryOut(webhooks.test(self.one(pk), by=self.agent)).data, status=202)

    @extend_schema(operation_id="webhooks_deliveries", responses=WebhookDeliveryOut(many=True))
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: int) -> Response:
        """What was sent, newest first, and what came of it."""
        return self.page(DeliveryFilters.apply(self.one(pk).deliveries.all(), self.filters), WebhookDeliveryOut)

    @extend_schema(operation_id="webhooks_redeliver", request=None, responses={202: WebhookDeliveryOut})
    @action(detail=True, methods=["post"], url_path="deliveries/<int:delivery>/redeliver")
    def redeliver(self, request: Request, pk: int, delivery: int) -> Response:
        """Send a delivery once more: the same body under the same `webhook-id`."""
        row = WebhookDelivery.objects.filter(webhook=self.one(pk), pk=delivery).select_related("webhook").first()
        if row is None:
            raise NotFound
        return Response(WebhookDeliveryOut(webhooks.redeliver(row, by=self.agent)).data, status=202)
