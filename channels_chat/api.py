"""/chats/: chats that are under way or over, and what agents do to them; what is said in one is its ticket's."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.routing import register
from api.serializers.common import (
    BIGGEST_ID,
    AgentRef,
    ChannelRef,
    CustomerRef,
    SeenAgent,
    SeenChannel,
    SeenTeam,
    TeamRef,
)
from api.strict import Choice, Filters, StrictSerializer
from api.views.base import View
from channels_chat import queue
from channels_chat.actions import endings, queueing
from channels_chat.models import LIVE, Chat, ChatEnd, ChatState
from inbox import access
from inbox.models import Agent
from inbox.rights import Right


class ChatOut(serializers.Serializer[Chat]):
    """One live session inside a ticket."""

    id = serializers.IntegerField()
    engagement = serializers.IntegerField(source="engagement_id", help_text="Its id in the log's chat_… events.")
    ticket = serializers.IntegerField(source="engagement.ticket_id")
    channel = ChannelRef()
    customer = CustomerRef(source="engagement.ticket.customer")
    state = serializers.ChoiceField(choices=ChatState.choices)
    agent = AgentRef(source="engagement.agent", allow_null=True, help_text="Who has it.")
    team = TeamRef(allow_null=True, help_text="Whose queue it is, or was, in.")
    topic = serializers.CharField()
    language = serializers.CharField()
    place = serializers.SerializerMethodField(help_text="In its line, from 1, while it waits.")
    requested_at = serializers.DateTimeField(source="engagement.requested_at")
    accepted_at = serializers.DateTimeField(source="engagement.accepted_at", allow_null=True)
    answered_at = serializers.DateTimeField(source="first_human_at", allow_null=True)
    ended_at = serializers.DateTimeField(source="engagement.ended_at", allow_null=True)
    end = serializers.ChoiceField(choices=ChatEnd.choices, allow_blank=True, help_text="How it ended.")
    score = serializers.IntegerField(allow_null=True, help_text="1 to 5, where the visitor gave one.")

    def get_place(self, chat: Chat) -> int | None:
        places: dict[int, int] = self.context["places"]
        return places.get(chat.pk)


class ChatFilters(Filters):
    state = Choice(choices=[*ChatState.values, "live"])
    channel = SeenChannel()
    agent = SeenAgent(none="none")
    team = SeenTeam(none="none")
    ticket = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)

    @classmethod
    def apply(cls, chats: QuerySet[Chat], chosen: dict[str, Any]) -> QuerySet[Chat]:
        chosen = dict(chosen)
        if chosen.get("state") == "live":
            del chosen["state"]
            chats = chats.filter(LIVE)
        names = {"agent": "engagement__agent", "ticket": "engagement__ticket"}
        return chats.filter(**{names.get(name, name): value for name, value in chosen.items()}).order_by("-pk")


class TransferIn(StrictSerializer):
    agent = SeenAgent(required=False)
    team = SeenTeam(required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=10_000, help_text="For colleagues alone.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("agent") and not attrs.get("team"):
            raise serializers.ValidationError({"agent": [_("Name an agent or a team.")]})
        return attrs


def seen(agent: Agent) -> QuerySet[Chat]:
    """Chats of tickets that this agent sees, with all that is told of them."""
    beside = ("engagement__ticket__customer", "engagement__agent", "channel", "team")
    return Chat.objects.filter(engagement__ticket__in=access.tickets(agent)).select_related(*beside)


class ChatView(View):
    queries = {"list": ChatFilters}

    def sees(self, name: Any) -> None:
        self._chat(name)

    def _chat(self, pk: int) -> Chat:
        found = seen(self.agent).filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "places": getattr(self, "places", {})}

    def _told(self, pk: int) -> Response:
        """The chat as it is now; handed over, it may be out of its former agent's sight."""
        chat = Chat.objects.select_related("engagement__ticket__customer", "engagement__agent", "channel", "team")
        row = chat.get(pk=pk)
        self.places = queue.places([row])
        return Response(ChatOut(row, context=self.get_serializer_context()).data)

    @extend_schema(operation_id="chats_list", responses=ChatOut(many=True))
    def list(self, request: Request) -> Response:
        """Chats, newest first; `state=live` are those under way."""
        found = ChatFilters.apply(seen(self.agent), self.filters)
        rows = self.paginate_queryset(found) or []
        self.places = queue.places(rows)
        shape: type[serializers.BaseSerializer[Any]] = ChatOut
        return self.get_paginated_response(shape(rows, many=True, context=self.get_serializer_context()).data)

    @extend_schema(operation_id="chats_get", responses=ChatOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One chat."""
        return self._told(self._chat(pk).pk)

    @extend_schema(operation_id="chats_accept", request=None, responses=ChatOut)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: int) -> Response:
        """Take a chat that nobody has; 409 `taken` says who was faster."""
        chat = self._chat(pk)
        self.require(Right.ANSWER)
        queueing.accept(chat, by=self.agent)
        return self._told(pk)

    @extend_schema(operation_id="chats_transfer", request=TransferIn, responses=ChatOut)
    @action(detail=True, methods=["post"])
    def transfer(self, request: Request, pk: int) -> Response:
        """Hand it to a colleague, who is asked first, or to a team; the visitor goes on writing meanwhile."""
        chat = self._chat(pk)
        self.require(Right.ANSWER)
        asked = self.taken(TransferIn)
        queueing.transfer(
            chat, by=self.agent, to=asked.get("agent"), team=asked.get("team"), note=asked.get("note", "")
        )
        return self._told(pk)

    @extend_schema(operation_id="chats_end", request=None, responses=ChatOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """End it; its ticket stays as it is. One that is over stays over."""
        chat = self._chat(pk)
        self.require(Right.ANSWER)
        endings.end(chat, why=ChatEnd.AGENT, by=self.agent)
        return self._told(pk)


CHAT = {
    "id": 88,
    "engagement": 140,
    "ticket": 4711,
    "channel": {"id": 5, "slug": "shop", "kind": "chat"},
    "customer": examples.CUSTOMER,
    "state": "waiting",
    "agent": None,
    "team": examples.TEAM,
    "topic": "delivery",
    "language": "ur",
    "place": 2,
    "requested_at": examples.AT,
    "accepted_at": None,
    "answered_at": None,
    "ended_at": None,
    "end": "",
    "score": None,
}
examples.add(
    {"Chat": CHAT, "TransferIn": {"agent": 3, "note": "She asks about customs."}},
    {"chats": "Live sessions inside tickets: take them, hand them on, end them."},
)
register("chats", ChatView)
