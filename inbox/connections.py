"""What all of Rabta's websockets share: how a connection begins, and how what comes over it is handed on."""

from __future__ import annotations

from typing import Any, TypeVar, cast
from urllib.parse import parse_qs

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from inbox import second_factor
from inbox.models import Agent
from inbox.sockets import LOGGED_OUT, Socket
from lib.websocket import WRITE

S = TypeVar("S", bound=Socket)


class Connection(AsyncWebsocketConsumer):
    channel_layer_alias = "none"  # one listens for all sockets of the process: no subscription of its own for each

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does it, but for its turn to a thread with each frame, to close connections to the database that
        are too old: who asks the database here does it in threads that give theirs back by themselves.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)

    def ways(self) -> tuple[Any, Any]:
        """How frames leave: the way of ASGI, and the short one where the server has it (lib/websocket.py)."""
        return cast(Any, self.base_send), (self.scope.get("extensions") or {}).get(WRITE, {}).get("write")


class AgentConnection(Connection):
    """A connection of somebody who is logged in."""

    async def admit(self, kind: type[S], **more: Any) -> S | None:
        """Open it, and return the page of this kind at its other end; None for those who may be told nothing, who are
        told so on the open socket: a page cannot read the status of a refusal.
        """
        await self.accept()
        agent = self.scope.get("user")
        if agent is None or not agent.is_authenticated or not agent.is_active:
            await self.close(LOGGED_OUT)
            return None
        if await database_sync_to_async(second_factor.is_missing)(cast(Agent, agent)):
            return None  # they set up their second factor before they are told anything
        asked = parse_qs(self.scope.get("query_string", b"").decode(errors="replace")).get("language", [""])[0]
        language = asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        return kind(agent.pk, self.scope["session"].session_key or "", language, *self.ways(), **more)
