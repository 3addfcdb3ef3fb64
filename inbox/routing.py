"""Addresses of the websocket."""

from typing import Any

from django.urls import path

from inbox.consumers import LiveConsumer

websocket_urlpatterns: list[Any] = [path("ws/", LiveConsumer.as_asgi())]  # type: ignore[arg-type]  # Channels routes ASGI applications by path()
