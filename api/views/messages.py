"""/messages/ and /attachments/."""

from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers.common import address
from api.serializers.messages import AttachmentOut, MessageOut, MessagePatch, UploadIn
from api.views.base import View
from inbox import access, files
from inbox.actions import messages, scheduling, uploads
from inbox.adapters import adapter_for
from inbox.models import Direction, Message


def download(content: bytes, content_type: str, name: str) -> HttpResponse:
    """Bytes as a file to save: what came from outside is never shown as a page of ours."""
    return HttpResponse(
        content,
        content_type=content_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def original(message: Message) -> tuple[bytes, str]:
    """(bytes as they arrived or left, content type). Raises NotFound where there is none, or no more."""
    adapter = adapter_for(message.channel.kind)
    if message.ticket.is_erased:
        raise NotFound(_("The original of this message is no longer kept."))
    if message.direction == Direction.OUT:
        return adapter.raw(message)
    if message.direction == Direction.NOTE:
        raise NotFound(_("A note has no original: it never left this place."))
    receipt = message.receipt
    if receipt is None or (receipt.raw is None and not receipt.stored):
        raise NotFound(_("The original of this message is no longer kept."))
    content = bytes(receipt.raw) if receipt.raw is not None else files.get(receipt.stored)
    return content, "message/rfc822" if adapter.kind == "email" else "application/json"


class MessageView(View):
    def sees(self, name: Any) -> None:
        access.get_message(self.agent, name)

    def shown(self, pk: int) -> Response:
        return Response(MessageOut(MessageOut.with_all(Message.objects.all()).get(pk=pk)).data)

    @extend_schema(operation_id="messages_get", responses=MessageOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One message."""
        return self.shown(access.get_message(self.agent, pk).pk)

    @extend_schema(operation_id="messages_change", request=MessagePatch, responses=MessageOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Let a message that has not left leave at another time."""
        message = self._writable(pk)
        asked = self.taken(MessagePatch)
        if "send_at" in asked:
            scheduling.retime(message, asked["send_at"], by=self.agent)
        return self.shown(pk)

    @extend_schema(operation_id="messages_cancel", responses={200: MessageOut})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take back a message that has not left; it stays on its ticket as `cancelled`. 409 once it is leaving."""
        scheduling.cancel(self._writable(pk), by=self.agent)
        return self.shown(pk)

    def _writable(self, pk: int) -> Message:
        message = access.get_message(self.agent, pk)
        access.writable_ticket(self.agent, message.ticket_id)
        return message

    @extend_schema(operation_id="messages_retry", request=None, responses=MessageOut)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: int) -> Response:
        """Queue a failed message again."""
        message = self._writable(pk)
        messages.retry(message, by=self.agent)
        return self.shown(message.pk)

    @extend_schema(
        operation_id="messages_raw",
        responses={(200, "message/rfc822"): OpenApiTypes.BINARY, (200, "application/json"): OpenApiTypes.BINARY},
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def raw(self, request: Request, pk: int) -> HttpResponse:
        """The original as it arrived or left."""
        message = access.get_message(self.agent, pk)
        content, content_type = original(message)
        ending = "eml" if content_type == "message/rfc822" else "json"
        return download(content, content_type, f"message-{message.pk}.{ending}")


class AttachmentView(View):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="attachments_upload",
        request={"multipart/form-data": UploadIn},
        responses={201: AttachmentOut},
    )
    def create(self, request: Request) -> Response:
        """Upload a file; then name its id in a message."""
        file = self.taken(UploadIn)["file"]
        attachment = uploads.upload(
            by=self.agent, name=file.name, content_type=file.content_type or "", content=file.read()
        )
        where = address(f"/api/v1/attachments/{attachment.pk}/")
        return Response(AttachmentOut(attachment).data, status=201, headers={"Location": where})

    @extend_schema(
        operation_id="attachments_download", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def retrieve(self, request: Request, pk: int) -> HttpResponse:
        """Download a file."""
        attachment = access.get_attachment(self.agent, pk)
        try:
            content = files.get(attachment.stored)
        except FileNotFoundError as error:
            raise Http404 from error
        return download(content, attachment.content_type, attachment.name)
