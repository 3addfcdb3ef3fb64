"""The websocket: checks who it is, joins the hub, hears what the page says. Sockets only hint; pages ask."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from inbox import focus, hub, sockets
from inbox.connections import AgentConnection
from inbox.presence import DOING

LONGEST = 500  # characters of what a page says
BURST, PER_SECOND = 20, 4  # of messages; a page says two things when a ticket is opened, and one every four seconds
MOST_IN_VAIN = 200  # messages beyond that, after which the page is shut out
MOST_BEFORE = 20  # tickets that a page shows side by side
FLOODS = 4429  # close code
HIGHEST = 2**63


def number(value: object) -> int | None:
    """An id, or None for whatever is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < HIGHEST else None


def moment(value: object) -> datetime | None:
    """Seconds since 1970 as a time; None for what is none. What lies ahead of us is now: a server's clock was wrong."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        return None
    return datetime.fromtimestamp(min(float(value), time.time()), UTC)


class LiveConsumer(AgentConnection):
    socket: sockets.Socket | None = None
    allowance = float(BURST)
    counted_at = 0.0
    in_vain = 0

    async def connect(self) -> None:
        self.socket = await self.admit(sockets.Socket)
        if self.socket is not None:
            hub.current().join(self.socket)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What the page says of itself. What cannot be understood, or is too much, is left unread."""
        if self.socket is None or self.socket.closed:
            return
        if not self._may_speak():
            if self.in_vain > MOST_IN_VAIN:
                self.socket.close(FLOODS)
            return
        if not text_data or len(text_data) > LONGEST:
            return
        try:
            said = json.loads(text_data)
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict):
            self._hear(self.socket, said)

    def _may_speak(self) -> bool:
        now = time.monotonic()
        self.allowance = min(float(BURST), self.allowance + (now - self.counted_at) * PER_SECOND)
        self.counted_at = now
        if self.allowance < 1:
            self.in_vain += 1
            return False
        self.allowance -= 1
        return True

    def _hear(self, socket: sockets.Socket, said: dict[str, Any]) -> None:
        here = hub.current()
        if "since" in said:
            sight = said.get("sight")
            here.catch_up(socket, moment(said["since"]), sight if isinstance(sight, str) else None)
        if "shows" in said:
            doing = said.get("doing")
            doing = doing if doing in DOING else DOING[0]
            given = said.get("before")
            numbers = map(number, given[:MOST_BEFORE]) if isinstance(given, list) else ()
            before = frozenset(one for one in numbers if one is not None)
            here.marks.hear(socket, number(said["shows"]), doing, said.get("away") is True, before)
        if "focus" in said:
            focus.heard(socket.agent, said["focus"])
        match said.get("seen"):
            case [ticket, message] if (known := number(ticket)) is not None:
                here.read(socket, known, number(message))

    async def disconnect(self, code: int) -> None:
        if self.socket is not None:
            hub.current().leave(self.socket)
