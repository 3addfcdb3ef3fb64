"""A receiver of webhooks on loopback: remembers what came, and behaves by the path: well, or as badly as any."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Came:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: str
    at: float


@dataclass
class Receiver:
    """`url(path)` is where to send to; the path says how it behaves (`be_…` below): /ok, /status/500, /late/429?120."""

    port: int
    came: list[Came] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)  # ends everybody's sleep
    sent: int = 0  # bytes of floods

    def url(self, path: str = "/ok") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Came]:
        return [one for one in self.came if one.path.partition("?")[0] == path]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that cuts the connection is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.close_connection = True
        receiver = self.server.receiver
        receiver.came.append(Came(self.path, dict(self.headers.items()), body, time.monotonic()))
        _, behaviour, *rest = self.path.partition("?")[0].split("/")
        getattr(self, f"be_{behaviour}")(*rest)

    def answer(self, status: int, said: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def be_ok(self, *_rest: str) -> None:
        self.answer(200, b"thanks")

    def be_status(self, status: str) -> None:
        self.answer(int(status), b"\0no\xff" + b"x" * 5000)

    def be_late(self, status: str) -> None:
        self.answer(int(status), b"", Retry_After=self.path.partition("?")[2])

    def be_redirect(self) -> None:
        self.answer(302, b"", Location="http://10.0.0.1/inside")

    def be_sleep(self) -> None:
        self.server.receiver.release.wait(60)
        self.answer(200)

    def be_drip(self) -> None:
        """Headers that never end, a byte now and then."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.receiver.release.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def be_hang(self) -> None:
        """An answer that stops in the middle of its body."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half of it")
        self.wfile.flush()
        self.server.receiver.release.wait(60)

    def be_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nthank\r\n1\r\ns\r\n0\r\n\r\n")

    def be_flood(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(8 * 1024**3))
        self.end_headers()
        piece = b"x" * 65536
        with contextlib.suppress(OSError):
            while self.server.receiver.sent < 8 * 1024**3:
                self.wfile.write(piece)
                self.server.receiver.sent += len(piece)

    def be_close(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()


@contextlib.contextmanager
def running() -> Iterator[Receiver]:
    server = Server(("127.0.0.1", 0), Handler)
    server.receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.receiver
    finally:
        server.receiver.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
