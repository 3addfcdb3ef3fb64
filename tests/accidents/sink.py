"""The customers' mail server: takes what we send, byte for byte, slowly at times, and remembers when."""

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default as policy

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command at INFO
# How long it thinks before it answers a mail, in seconds, and how often: mostly at once, at times for long.
PACE = [(0.0, 85), (0.3, 10), (1.2, 5)]


@dataclass
class Arrival:
    """One physical mail. Times are time.monotonic(); `ended` is when it was answered or its sender had gone."""

    message_id: str
    raw: bytes
    recipients: list[str]
    begun: float
    ended: float | None = None
    answered: bool = False

    @property
    def automatic(self) -> bool:
        return b"\r\nAuto-Submitted: auto-replied\r\n" in self.raw

    def in_flight(self, moment: float, slack: float) -> bool:
        """Whether its sender can have been waiting for, or writing down, our answer at this moment."""
        return self.begun - slack <= moment <= (self.ended or moment) + slack

    @property
    def reply_to(self) -> str:
        header = message_from_bytes(self.raw, policy=policy)["Reply-To"]
        return str(header.addresses[0].addr_spec)


@dataclass
class Sink:
    """What arrived, in order. `port` is stable over `hidden`."""

    seed: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.loop = asyncio.new_event_loop()
        self.server: asyncio.Server | None = None
        self.sessions: set[asyncio.BaseTransport] = set()

    def by_id(self, *, automatic: bool = False) -> dict[str, list[Arrival]]:
        """The copies of each mail that a person wrote, or of each that Rabta wrote by itself."""
        found: dict[str, list[Arrival]] = {}
        for arrival in list(self.arrivals):
            if arrival.automatic == automatic:
                found.setdefault(arrival.message_id, []).append(arrival)
        return found

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.original_content
        assert isinstance(raw, bytes)
        message_id = str(message_from_bytes(raw, policy=policy)["Message-ID"]).strip("<>")
        arrival = Arrival(message_id, raw, list(envelope.rcpt_tos), session.data_begun)  # type: ignore[attr-defined]
        self.arrivals.append(arrival)
        seconds, weights = zip(*PACE, strict=True)
        try:
            await asyncio.sleep(self.random.choices(seconds, weights)[0])
            arrival.answered = True
            return "250 2.0.0 Yours"
        finally:
            arrival.ended = time.monotonic()

    async def open(self) -> None:
        self.server = await self.loop.create_server(lambda: _Session(self), "127.0.0.1", self.port)
        self.port = int(self.server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None
        for transport in list(self.sessions):
            transport.abort()  # type: ignore[attr-defined]

    def call(self, what: str) -> None:
        """`open` or `close` it, from any thread."""
        asyncio.run_coroutine_threadsafe(getattr(self, what)(), self.loop).result(10)


class _Session(SMTP):
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        super().__init__(sink, enable_SMTPUTF8=True, hostname="customers.example", loop=sink.loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.sink.sessions.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self.sink.sessions.discard(self.transport)
        super().connection_lost(error)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self.session.data_begun = time.monotonic()
        await super().smtp_DATA(arg)


@contextlib.contextmanager
def running(seed: int = 0) -> Iterator[Sink]:
    """A server on a free port of its own while the block runs."""
    sink = Sink(seed)
    thread = threading.Thread(target=sink.loop.run_forever, daemon=True)
    thread.start()
    try:
        sink.call("open")
        yield sink
    finally:
        sink.call("close")
        sink.loop.call_soon_threadsafe(sink.loop.stop)
        thread.join(10)
        sink.loop.close()
