"""Sockets of visitors and of agents at the desk without a web process: the room is the test's own, and can be set."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from channels_chat import room, routing
from channels_chat.intake import give_back
from inbox.models import Agent, Channel, LogIn

call = sync_to_async


class Socket(ApplicationCommunicator):
    """The browser's end of a websocket at `path`; `scope` is what the server would say of it."""

    def __init__(self, path: str, **scope: Any) -> None:
        found = {"type": "websocket", "path": path, "query_string": b"", "headers": [], **scope}
        super().__init__(URLRouter([*routing.visitors, *routing.agents]), found)  # type: ignore[no-untyped-call]
        self.frames: list[dict[str, Any]] = []
        self.key = ""

    async def open(self) -> None:
        await self.send_input({"type": "websocket.connect"})  # type: ignore[no-untyped-call]
        assert (await self.receive_output(5))["type"] == "websocket.accept"  # type: ignore[no-untyped-call]

    async def put(self, **frame: Any) -> None:
        text = json.dumps(frame)
        await self.send_input({"type": "websocket.receive", "text": text})  # type: ignore[no-untyped-call]

    async def hear(self, kind: str, seconds: float = 10, **fields: Any) -> dict[str, Any]:
        """The next frame of this kind with these fields; others are kept in `frames`."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            left = until - asyncio.get_running_loop().time()
            output = await self.receive_output(max(left, 0.01))  # type: ignore[no-untyped-call]
            if output["type"] == "websocket.close":
                return {"t": "close", "code": output["code"]}
            frame: dict[str, Any] = json.loads(output["text"])
            self.key = frame["key"] if frame["t"] == "key" else self.key
            if frame["t"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame
            self.frames.append(frame)

    async def hear_any(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these kinds."""
        while True:
            output = await self.receive_output(10)  # type: ignore[no-untyped-call]
            frame: dict[str, Any] = json.loads(output["text"])
            self.key = frame["key"] if frame["t"] == "key" else self.key
            if frame["t"] in kinds:
                return frame

    async def said(self, text: str) -> dict[str, Any]:
        """The next message that says this, in a visitor's frame or in HTML at the desk."""
        while True:
            for one in (await self.hear("said"))["messages"]:
                if text in one.get("html", one.get("text", "")):
                    return dict(one)

    async def close(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})  # type: ignore[no-untyped-call]
        await self.wait(5)  # type: ignore[no-untyped-call]


async def visitor(channel: Channel, *, key: str = "", visit: str = "", address: str = "192.0.2.1", **hi: Any) -> Socket:
    """A page of the site with the widget in it, greeted."""
    socket = Socket(f"/chat/{channel.token}/ws/", client=[address, 5000])
    await socket.open()
    await socket.put(t="hi", visit=visit or uuid.uuid4().hex, key=key, **hi)
    await socket.hear("welcome")
    await asyncio.wait_for(room.current().listening.wait(), 8)
    return socket


async def desk(agent: Agent, *tickets: int) -> Socket:
    """An agent's page with these chats before them."""
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
    await call(session.create)()
    await call(LogIn.objects.create)(agent=agent, session=session.session_key)
    socket = Socket("/ws/chats/", user=agent, session=session)
    await socket.open()
    await socket.put(t="watch", tickets=list(tickets), since={})
    await asyncio.wait_for(room.current().listening.wait(), 8)
    return socket


async def quiet() -> None:
    """Wait until the room has handed out what it has: what it still reads would get in the way of emptying tables."""
    here = room.current()
    while here.teller is not None:
        await asyncio.wait({here.teller})
    for task in here.tasks:
        task.cancel()
    here.tasks = []
    for batcher in (here.intake, here.answers):
        if batcher.resting is not None:
            batcher.resting.cancel()
        await asyncio.get_running_loop().run_in_executor(batcher.thread, give_back)
    await asyncio.to_thread(here.threads.submit(int).result)
