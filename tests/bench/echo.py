"""A bare chat to hold Rabta's against: two people talk over Channels and its Redis layer, and nothing is kept."""

from __future__ import annotations

import json
import os
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["BENCH_REDIS"]], "prefix": "bare"},
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 (it reads the settings)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402


class Visitor(AsyncWebsocketConsumer):
    ticket = 0

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        said = json.loads(text_data or "{}")
        if said["t"] == "hi":
            self.ticket = said["ticket"]
            await self.channel_layer.group_add(f"visitor-{self.ticket}", self.channel_name)
        else:
            told = {"type": "said", "ticket": self.ticket, "dir": "in", "text": said["text"]}
            await self.channel_layer.group_send(f"agents-{self.ticket}", told)

    async def said(self, event: dict[str, Any]) -> None:
        told = {"t": "said", "messages": [{"id": 1, "dir": event["dir"], "text": event["text"]}]}
        await self.send(json.dumps(told))


class Agent(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        said = json.loads(text_data or "{}")
        if said["t"] == "watch":
            for ticket in said["tickets"]:
                await self.channel_layer.group_add(f"agents-{ticket}", self.channel_name)
        else:
            told = {"type": "said", "dir": "out", "text": said["text"]}
            await self.channel_layer.group_send(f"visitor-{said['ticket']}", told)

    async def said(self, event: dict[str, Any]) -> None:
        messages = [{"id": 1, "dir": "in", "html": event["text"]}]
        await self.send(json.dumps({"t": "said", "ticket": event["ticket"], "messages": messages}))


async def pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


sockets: list[Any] = [path("ws/chats/", Agent.as_asgi()), path("chat/<str:token>/ws/", Visitor.as_asgi())]  # type: ignore[arg-type]
application = ProtocolTypeRouter({"http": pages, "websocket": URLRouter(sockets)})
