"""One open page as the hub knows it, and how it is told something without anybody waiting for a slow connection."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import datetime
from types import coroutine
from typing import Any

from inbox import frames
from lib.websocket import framed

logger = logging.getLogger(__name__)

MOST_FRAMES = 60  # waiting for one slow socket before it is given up

Message = dict[str, Any]  # of ASGI
LOGGED_OUT = 4401  # close code: log in again
TOO_SLOW = 4408


def frame(content: dict[str, Any]) -> Message:
    """A frame as it goes to however many sockets: made once, as text and as the bytes that are written."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return {"type": "websocket.send", "text": text, "framed": framed(text)}


@coroutine
def _handed_on(waiting_for: Any) -> Generator[Any, None, None]:
    yield waiting_for


@dataclass(eq=False)
class Socket:
    """One open page: whose it is, in which language, what it said of itself, and what still has to be sent to it."""

    agent: int
    session: str
    language: str
    send: Callable[[Message], Awaitable[None]]
    write: Callable[[bytes], bool] | None = None  # the short way, where the server has it (lib/websocket.py)
    rights: frames.Rights | None = None  # what decided the last frame; a change of it makes the page start over
    counts: dict[str, str] = field(default_factory=dict)  # as last sent
    since: datetime | None = None  # it knows nothing of what happened after that
    sight: str | None = None  # by which rights it was told what it knows
    shows: int | None = None  # the ticket before the agent
    allowed: int | None = None  # the ticket that was found to be theirs to see
    before: frozenset[int] = frozenset()  # tickets that stand there side by side
    doing: str = "view"
    away: bool = False
    spoke: float = 0.0
    waiting: deque[Message] | None = None  # frames of a socket that does not keep up
    relay: asyncio.Task[None] | None = None
    closed: bool = False

    def put(self, message: Message) -> None:
        """Send, or queue behind what is still being sent. Who does not keep up is closed; the page asks again.

        Writing to a socket that keeps up waits for nothing, so that no task is needed for it: at hundreds of sockets
        switching between tasks would cost more than the sending.
        """
        if self.closed:
            return
        if self.waiting is not None:
            self.waiting.append(message)
            if len(self.waiting) > MOST_FRAMES:
                self.waiting.clear()
                self.close(TOO_SLOW)
            return
        if self.write is not None and "framed" in message and self.write(message["framed"]):
            return
        sending = self.send(message)
        assert isinstance(sending, Coroutine)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - whatever a broken connection raises; its consumer hears of it
            logger.debug("a socket is gone: %r", error)
            self.closed = True
            return
        self.waiting = deque()
        self.relay = asyncio.get_running_loop().create_task(self._rest(sending, waits_for))

    def close(self, code: int) -> None:
        self.put({"type": "websocket.close", "code": code})
        self.closed = True

    async def _rest(self, sending: Coroutine[Any, Any, None], waits_for: Any) -> None:
        """Finish what began to be sent, then send what has come meanwhile."""
        try:
            while True:
                await _handed_on(waits_for)
                try:
                    waits_for = sending.send(None)
                except StopIteration:
                    break
            while self.waiting:
                await self.send(self.waiting.popleft())
        except Exception as error:  # noqa: BLE001
            logger.debug("a socket is gone: %r", error)
            self.closed = True
        finally:
            sending.close()
            self.waiting = None
