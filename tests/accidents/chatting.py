"""Visitors and an agent who chat through whatever happens: each connects again, asks for what it missed, and says again
what was not acknowledged, as the widget and the desk do. For many at once, in one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

AGAIN_AFTER = 0.1  # seconds; real ones wait longer, and each another while
SAID = re.compile(r'class="line-text[^>]*>(.*?)</div>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
LOST = (OSError, EOFError, TimeoutError, WebSocketException)


@dataclass
class Speaker:
    """One end of a connection. `seen` is what it was told, by message id, in the order of being told first."""

    GREETED: ClassVar[str] = ""  # kind of the frame that answers the first one; empty: none does

    url: str
    seen: dict[int, str] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)  # by client id: said, and not acknowledged yet
    took: dict[str, int] = field(default_factory=dict)
    doubled: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    welcome_after: list[float] = field(default_factory=list)  # seconds from each connect to being greeted
    line: ClientConnection | None = None
    ended: bool = False
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    headers: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Until `end`; never raises for a connection that is lost or refused."""
        while not self.ended:
            self.greeted.clear()
            with contextlib.suppress(*LOST):
                began = time.monotonic()
                async with connect(
                    self.url, additional_headers=self.headers, open_timeout=30, ping_interval=None, compression=None
                ) as line:
                    self.line = line
                    await line.send(json.dumps(self.greeting()))
                    if not self.GREETED:
                        await self.say_again()
                    async for text in line:
                        told = json.loads(text)
                        await self.hear(told)
                        if told["t"] == self.GREETED:
                            self.welcome_after.append(time.monotonic() - began)
                            await self.say_again()
            self.line = None
            if not self.ended:
                await asyncio.sleep(AGAIN_AFTER)

    async def say_again(self) -> None:
        """The connection is ready for words: those that are not acknowledged go first."""
        assert self.line is not None
        self.connections += 1
        self.greeted.set()
        for frame in list(self.waiting.values()):
            await self.line.send(json.dumps(frame))

    async def put(self, frame: dict[str, Any]) -> None:
        """Say it now and, until it is acknowledged, after each reconnect."""
        self.waiting[frame["cid"]] = frame
        if self.line is not None and self.greeted.is_set():
            with contextlib.suppress(*LOST):
                await self.line.send(json.dumps(frame))

    async def hang_up(self) -> None:
        """The connection breaks, without a word."""
        if self.line is not None:
            self.line.transport.abort()

    async def end(self) -> None:
        self.ended = True
        if self.line is not None:
            await self.line.close()

    def greeting(self) -> dict[str, Any]:
        raise NotImplementedError

    async def hear(self, told: dict[str, Any]) -> None:
        if told["t"] == "took":
            self.waiting.pop(told["cid"], None)
            self.took[told["cid"]] = told["id"]
        elif told["t"] == "no":
            asyncio.get_running_loop().call_later(told.get("after", 1), self._again, told["cid"])

    def _again(self, cid: str) -> None:
        if cid in self.waiting:
            asyncio.get_running_loop().create_task(self.put(self.waiting[cid]))


@dataclass
class Guest(Speaker):
    """A visitor of the channel with this token."""

    GREETED: ClassVar[str] = "welcome"

    visit: str = field(default_factory=lambda: uuid.uuid4().hex)
    key: str = ""

    async def say(self, text: str) -> None:
        await self.put({"t": "say", "cid": str(uuid.uuid4()), "text": text})

    def greeting(self) -> dict[str, Any]:
        since = max([*self.seen, *self.took.values()], default=0)
        return {"t": "hi", "visit": self.visit, "key": self.key, "since": since}

    async def hear(self, told: dict[str, Any]) -> None:
        said = self.waiting.get(told.get("cid", ""))
        await super().hear(told)
        if told["t"] == "took" and said is not None:
            self.seen.setdefault(told["id"], said["text"])
        if told["t"] == "key":
            self.key = told["key"]
        for one in told.get("messages", ()):
            if self.seen.setdefault(one["id"], one["text"]) != one["text"]:
                self.doubled.append(one)


@dataclass
class Host(Speaker):
    """An agent at the desk, who answers by `answers(text)` each line of a visitor that they see for the first time."""

    tickets: list[int] = field(default_factory=list)
    answers: Callable[[str], str] = str
    lines: dict[int, dict[int, str]] = field(default_factory=dict)  # by ticket

    def greeting(self) -> dict[str, Any]:
        since = {str(one): max(self.lines.get(one, {}), default=0) for one in self.tickets}
        return {"t": "watch", "tickets": self.tickets, "since": since}

    async def watch(self, tickets: list[int]) -> None:
        self.tickets = tickets
        if self.line is not None:
            with contextlib.suppress(*LOST):
                await self.line.send(json.dumps(self.greeting()))

    async def hear(self, told: dict[str, Any]) -> None:
        said = self.waiting.get(told.get("cid", ""))
        await super().hear(told)
        if told["t"] == "took" and said is not None:
            self.lines.setdefault(said["ticket"], {})[told["id"]] = said["text"]
        if told["t"] != "said":
            return
        here = self.lines.setdefault(told["ticket"], {})
        for one in told["messages"]:
            found = SAID.search(one["html"])
            text = TAG.sub("", found.group(1)).strip() if found else ""
            known = one["id"] in here
            here[one["id"]] = text
            answer = "" if known or one["dir"] != "in" else self.answers(text)
            if answer:
                frame = {"t": "say", "ticket": told["ticket"], "text": answer}
                # Named after what it answers: whoever answers it again after an accident says nothing new.
                await self.put({**frame, "cid": f"answer-to-{one['id']}"})


async def until(true: Callable[[], object], what: str | Callable[[], str], *, seconds: float = 30) -> None:
    """Wait until `true()` is, while others go on."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what if isinstance(what, str) else what()}")
        await asyncio.sleep(0.05)
