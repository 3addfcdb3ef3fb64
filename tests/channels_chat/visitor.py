"""A visitor's page without a browser: speaks the widget's wire over a real websocket."""

from __future__ import annotations

import json
import uuid
from typing import Any

from websockets.sync.client import connect

from inbox.models import Channel


class VisitorPage:
    """One page of a visitor, connected to a web process at `url` (http://…). Frames that nobody waited for are kept."""

    def __init__(
        self, server: str, channel: Channel, *, key: str = "", visit: str = "", origin: str = "", **hi: Any
    ) -> None:
        self.server, self.channel, self.key, self.origin, self.hi = server, channel, key, origin, hi
        self.visit = visit or uuid.uuid4().hex
        self.frames: list[dict[str, Any]] = []
        self.messages: dict[int, dict[str, Any]] = {}
        self.open()

    def open(self) -> None:
        """Connect, or connect again: as a page does that lost its connection."""
        address = f"{self.server.replace('http', 'ws')}/chat/{self.channel.token}/ws/"
        self.socket = connect(address, origin=self.origin or None, max_size=None, legacy=True)  # type: ignore[call-overload]
        since = max(self.messages, default=0)
        self.put(t="hi", visit=self.visit, key=self.key, since=since, **self.hi)
        self.welcome = self.wait("welcome")

    def put(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def hear(self, seconds: float = 10) -> dict[str, Any]:
        """The next frame. Raises TimeoutError."""
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        if frame["t"] == "key":
            self.key = frame["key"]
        for message in frame.get("messages", ()):
            self.messages[message["id"]] = message
        return frame

    def wait(self, kind: str, seconds: float = 10, **fields: Any) -> dict[str, Any]:
        """The next frame of this kind with these fields."""
        while True:
            frame = self.hear(seconds)
            if frame["t"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame
            self.frames.append(frame)

    def wait_for(self, text: str) -> dict[str, Any]:
        """The message with this text, as soon as the page has it."""
        while not (found := [one for one in self.messages.values() if one["text"] == text]):
            self.frames.append(self.hear())
        return found[0]

    def say(self, text: str, cid: str = "", **more: Any) -> dict[str, Any]:
        """Say it, and wait until it is acknowledged; returns the acknowledgement."""
        cid = cid or str(uuid.uuid4())
        self.put(t="say", cid=cid, text=text, **more)
        while True:
            frame = self.hear()
            if frame["t"] in {"took", "no"} and frame.get("cid") == cid:
                if frame["t"] == "took":
                    self.messages.setdefault(frame["id"], {"id": frame["id"], "text": text, "dir": "in", "cid": cid})
                return frame
            self.frames.append(frame)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> VisitorPage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
