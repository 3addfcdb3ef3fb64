"""Addresses of the chat's websockets: the widget's, which stands on other people's pages, and the desk's."""

from typing import Any

from django.urls import path

from channels_chat.consumers import WidgetConsumer
from channels_chat.desk import DeskConsumer

visitors: list[Any] = [path("chat/<str:token>/ws/", WidgetConsumer.as_asgi())]  # type: ignore[arg-type]
agents: list[Any] = [path("ws/chats/", DeskConsumer.as_asgi())]  # type: ignore[arg-type]
