"""/comments/: what is done to comments on Facebook and Instagram, which are messages of their ticket."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.routing import register
from api.serializers.messages import MessageOut
from api.views.base import View
from channels_social import comments
from inbox import access
from inbox.models import Message


class CommentView(View):
    """By the id of the message. 422 `deed` for what is no comment, or where its platform lets nobody do this."""

    def sees(self, name: Any) -> None:
        access.get_message(self.agent, name)

    def _do(self, pk: int, deed: str) -> Response:
        """Do it, and answer with the message as it is then."""
        comments.do(access.get_message(self.agent, pk), deed, by=self.agent)
        return Response(MessageOut(MessageOut.with_all(Message.objects.all()).get(pk=pk)).data)

    @extend_schema(operation_id="comments_hide", request=None, responses=MessageOut)
    @action(detail=True, methods=["post"])
    def hide(self, request: Request, pk: int) -> Response:
        """Hide a comment: its writer alone, and on Facebook their friends, see it still."""
        return self._do(pk, "hide")

    @extend_schema(operation_id="comments_unhide", request=None, responses=MessageOut)
    @action(detail=True, methods=["post"])
    def unhide(self, request: Request, pk: int) -> Response:
        """Show a hidden comment again."""
        return self._do(pk, "unhide")

    @extend_schema(operation_id="comments_like", request=None, responses=MessageOut)
    @action(detail=True, methods=["post"])
    def like(self, request: Request, pk: int) -> Response:
        """Like a comment; Instagram lets no app do so."""
        return self._do(pk, "like")

    @extend_schema(operation_id="comments_unlike", request=None, responses=MessageOut)
    @action(detail=True, methods=["post"])
    def unlike(self, request: Request, pk: int) -> Response:
        """Take a like back."""
        return self._do(pk, "unlike")

    @extend_schema(operation_id="comments_delete", responses=MessageOut)
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete a comment for everybody: for managers. It cannot be undone."""
        return self._do(pk, "delete")


examples.add({}, {"comments": "Comments on social networks: hide them, like them, delete them."})
register("comments", CommentView)
