"""The websocket: checks who it is, joins the hub, relays its frames. Sockets only hint; pages ask for the rest."""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from inbox import hub, second_factor
from inbox.models import Agent


class LiveConsumer(AsyncWebsocketConsumer):
    socket: hub.Socket | None = None
    relay: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        agent = self.scope.get("user")
        if agent is None or not agent.is_authenticated or not agent.is_active:
            await self.close(hub.LOGGED_OUT)  # said on an open socket: the page cannot read a refusal's status
            return
        if await database_sync_to_async(second_factor.is_missing)(cast(Agent, agent)):
            return  # they set up their second factor before they are told anything
        asked = parse_qs(self.scope.get("query_string", b"").decode()).get("language", [""])[0]
        language = asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        self.socket = hub.Socket(agent.pk, self.scope["session"].session_key or "", language)
        hub.current().join(self.socket)
        self.relay = asyncio.get_running_loop().create_task(self._relay(self.socket))

    async def _relay(self, socket: hub.Socket) -> None:
        while True:
            frame = await socket.frames.get()
            if isinstance(frame, int):
                await self.close(frame)
                return
            await self.send(text_data=frame)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here; what they send is left unread."""

    async def disconnect(self, code: int) -> None:
        if self.socket is not None:
            hub.current().leave(self.socket)
        if self.relay is not None:
            self.relay.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.relay
