"""The SMTP and LMTP server that takes mail for our channels.

250 is said only once the receipts are committed; while the store is away it says 451, and the sender tries again.
Database work runs on a few threads, and what is being received stays within a budget of memory.
"""

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.utils import timezone

from channels_email.directory import Directory
from channels_email.receipts import raw_receipt
from inbox.actions import receive
from inbox.models import Channel

logger = logging.getLogger(__name__)
logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command at INFO

THREADS = 4
MAX_SESSIONS = 100
MAX_RECIPIENTS = 200
MAX_LINE = 1024 * 1024  # mail programs that send a whole paragraph, or a whole mail, as one line
MODEST = 256 * 1024  # bytes set aside for a mail whose size is not told beforehand
SILENT_FOR = 10.0  # seconds without a byte after which room that was set aside is anybody's again
GRACE_SECONDS = 3.0
BUSY = "452 4.3.1 Too many mails at once, try again soon"
STORE_AWAY = "451 4.3.0 The store is away, try again later"
Result = TypeVar("Result")


@dataclass(slots=True)
class Incoming:
    """A mail on its way in, from DATA until it is stored."""

    promised: int
    received: int = 0
    heard_at: float = field(default_factory=time.monotonic)

    def held(self) -> int:
        """The bytes of memory it has, or is going to have."""
        return self.received if time.monotonic() - self.heard_at > SILENT_FOR else max(self.promised, self.received)


class Budget:
    """How many bytes all mails on their way in may have together. A session that sends no mail costs nothing."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.mails: dict[SMTP, Incoming] = {}

    def begin(self, session: SMTP, promised: int) -> bool:
        """Whether there is room for a mail of this session; a mail that is alone always has it."""
        if self._others(session) and self._others(session) + promised > self.limit:
            return False
        self.mails[session] = Incoming(promised)
        return True

    def add(self, session: SMTP, count: int, most: int) -> bool:
        """Count what has come, up to `most`, behind which nothing is kept; whether there is still room for it."""
        mail = self.mails.get(session)
        if mail is None:
            return True  # commands
        mail.received, mail.heard_at = min(mail.received + count, most), time.monotonic()
        others = self._others(session)
        return not others or others + mail.held() <= self.limit

    def end(self, session: SMTP) -> None:
        self.mails.pop(session, None)

    def _others(self, session: SMTP) -> int:
        return sum(mail.held() for owner, mail in self.mails.items() if owner is not session)


class Handler:
    """aiosmtpd's hooks: who is known, and the storing."""

    def __init__(self, executor: ThreadPoolExecutor, max_bytes: int) -> None:
        self.executor = executor
        self.directory = Directory()
        self.max_bytes = max_bytes
        self.sessions: set[SMTP] = set()
        self.budget = Budget(max(4 * max_bytes, 200 * 1024 * 1024))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.executor, _with_database, work)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            channel = await self._in_thread(lambda: self.directory.find(address))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("cannot look up a recipient: %s", error)
            return STORE_AWAY
        if channel is None:
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.append(str(channel))
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.content
        assert isinstance(raw, bytes)
        envelope.content = envelope.original_content = None
        by_channel: dict[int, list[str]] = {}
        for address, channel in zip(envelope.rcpt_tos, envelope.rcpt_options, strict=True):
            by_channel.setdefault(int(channel), []).append(address)
        meta = {"mail_from": (envelope.mail_from or "").strip("<>"), "peer": str((session.peer or ("",))[0])}
        try:
            await self._in_thread(lambda: store(raw, by_channel, meta))
            answer = "250 2.0.0 Stored"
        except Exception as error:  # noqa: BLE001  # whatever keeps it from being stored, the sender must try again
            logger.warning("a mail could not be stored: %r", error)
            answer = STORE_AWAY
        # LMTP wants one answer a recipient (RFC 2033 4.2).
        return "\r\n".join([answer] * (len(envelope.rcpt_tos) if isinstance(server, LMTP) else 1))

    async def handle_exception(self, error: Exception) -> str:
        logger.error("receiver: %r", error)
        return "451 4.3.0 Internal error, try again later"


def _with_database(work: Callable[[], Result]) -> Result:
    """Run in a thread of ours: a dead connection is dropped before and after, so that a store that returns is found."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError):
        connection.close()
        raise
    finally:
        close_old_connections()


def store(raw: bytes, by_channel: dict[int, list[str]], meta: dict[str, Any]) -> None:
    """One receipt for each channel, all or none."""
    now = timezone.now()
    channels = Channel.objects.in_bulk(by_channel)
    with transaction.atomic():
        for pk, addresses in sorted(by_channel.items()):
            receive.store(channels[pk], [raw_receipt(raw, at=now, meta={**meta, "recipients": addresses})])


class _Limits(SMTP):
    line_length_limit = MAX_LINE

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        handler: Handler = self.event_handler
        handler.sessions.add(self)
        if len(handler.sessions) > MAX_SESSIONS and isinstance(transport, asyncio.Transport):
            transport.write(b"421 4.3.2 Too many connections, try again soon\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        handler: Handler = self.event_handler
        handler.sessions.discard(self)
        handler.budget.end(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        handler: Handler = self.event_handler
        transport = self.transport
        room = handler.budget.add(self, len(data), handler.max_bytes)
        if not room and isinstance(transport, asyncio.Transport):
            if not transport.is_closing():
                transport.write(BUSY.encode() + b"\r\n")
                transport.close()
            return
        super().data_received(data)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        handler: Handler = self.event_handler
        options = self.envelope.mail_options if self.envelope else []
        told = next((int(one[5:]) for one in options if one.startswith("SIZE=") and one[5:].isdigit()), MODEST)
        if not handler.budget.begin(self, told):
            await self.push(BUSY)
            return
        try:
            await super().smtp_DATA(arg)
        finally:
            handler.budget.end(self)


class SMTPSession(_Limits, SMTP):
    """One SMTP connection."""


class LMTPSession(_Limits, LMTP):
    """One LMTP connection."""


class Receiver:
    """The listeners of one process. Start and stop inside a running event loop."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        lmtp_port: int | None = None,
        max_bytes: int | None = None,
        certificate: str = "",
        key: str = "",
    ) -> None:
        self.host = host
        self.smtp_port = smtp_port  # 0: any free port; the one taken after `start`
        self.lmtp_port = lmtp_port  # None: no LMTP
        self.max_bytes = max_bytes or settings.SMTP_IN_MAX_BYTES
        self.tls = _tls(certificate, key) if certificate else None
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="receiver")
        self.handler = Handler(self.executor, self.max_bytes)
        self.servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Open the ports. Raises OSError when one is taken."""
        self.smtp_port = await self._listen(SMTPSession, self.smtp_port)
        if self.lmtp_port is not None:
            self.lmtp_port = await self._listen(LMTPSession, self.lmtp_port)

    async def _listen(self, session: type[SMTP], port: int) -> int:
        loop = asyncio.get_running_loop()

        def made() -> SMTP:
            return session(
                self.handler,
                data_size_limit=self.max_bytes,
                enable_SMTPUTF8=True,
                hostname=urlsplit(settings.BASE_URL).hostname or "localhost",
                ident="ESMTP",
                tls_context=self.tls,
                loop=loop,
            )

        server = await loop.create_server(made, self.host, port)
        self.servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the ports and sessions, let what is being stored end."""
        for server in self.servers:
            server.close()
        for session in list(self.handler.sessions):
            if isinstance(session.transport, asyncio.Transport):
                session.transport.write(b"421 4.3.2 Shutting down, try again soon\r\n")
                session.transport.close()
        await asyncio.to_thread(self._release_threads)

    def _release_threads(self) -> None:
        everyone = threading.Barrier(THREADS)  # a job for each thread, so that each closes its own connection

        def leave() -> None:
            with contextlib.suppress(threading.BrokenBarrierError):
                everyone.wait(GRACE_SECONDS)
            connection.close()

        for _thread in range(THREADS):
            self.executor.submit(leave)
        self.executor.shutdown()


def _tls(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Path(certificate), Path(key) if key else None)
    return context
