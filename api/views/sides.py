"""/sides/: a side conversation, and what is said in it; a ticket's are at /tickets/{number}/sides/."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers.messages import MessageOut
from api.serializers.sides import SideMessageIn, SideOut, SidePatch
from api.views.base import View
from inbox import access
from inbox.actions import side
from inbox.models import Message
from inbox.rights import Right


class SideView(View):
    def sees(self, name: Any) -> None:
        access.get_side(self.agent, name)

    @extend_schema(operation_id="sides_get", responses=SideOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One side conversation."""
        return Response(SideOut(access.get_side(self.agent, pk)).data)

    @extend_schema(operation_id="sides_change", request=SidePatch, responses=SideOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Close it, or open it again; whatever is said in it opens it by itself."""
        held = access.get_side(self.agent, pk)
        self.require(Right.ANSWER)
        asked = self.taken(SidePatch)
        if "closed" in asked:
            side.set_closed(held, asked["closed"], by=self.agent)
        return Response(SideOut(access.get_side(self.agent, pk)).data)

    @extend_schema(operation_id="sides_messages_list", responses=MessageOut(many=True))
    @action(detail=True, methods=["get"])
    def messages(self, request: Request, pk: int) -> Response:
        """What was said in it, oldest first."""
        held = access.get_side(self.agent, pk)
        return self.page(MessageOut.with_all(Message.objects.filter(side=held).order_by("pk")), MessageOut)

    @extend_schema(operation_id="sides_messages_add", request=SideMessageIn, responses={201: MessageOut})
    @messages.mapping.post
    def add_message(self, request: Request, pk: int) -> Response:
        """Write to the third party; it is queued at once."""
        held = access.get_side(self.agent, pk)
        self.require(Right.ANSWER)
        message = side.answer(held, by=self.agent, **self.taken(SideMessageIn))
        made = MessageOut.with_all(Message.objects.all()).get(pk=message.pk)
        return self.made(MessageOut(made).data, f"messages/{made.pk}/")
