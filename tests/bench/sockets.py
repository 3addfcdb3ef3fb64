"""Many light websocket clients in one process, and a bare ASGI application to hold Rabta's against."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

from tests.bench.house import BASE_DIR
from tests.servers.ports import free_port

Heard = Callable[["Client", float, bytes], None]


class Client(asyncio.Protocol):
    """Just enough of RFC 6455: text frames both ways, pings answered. No compression is offered."""

    def __init__(self, path: str, port: int, cookie: str, heard: Heard) -> None:
        self.path, self.port, self.cookie, self.heard = path, port, cookie, heard
        self.buffer = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.told: dict[int, str] = {}  # what the frames said of each ticket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: localhost:{self.port}\r\nOrigin: http://localhost:{self.port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: sessionid={self.cookie}\r\n\r\n".encode()
        )

    def say(self, text: str) -> None:
        self._write(1, text.encode())

    def _write(self, kind: int, body: bytes) -> None:
        length = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
        self.transport.write(bytes([0x80 | kind]) + length + bytes(4) + body)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        data = self.buffer + data
        if not self.ready.done():
            if b"\r\n\r\n" not in data:
                self.buffer = data
                return
            head, data = data.split(b"\r\n\r\n", 1)
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.ready.set_exception(RuntimeError(head.decode(errors="replace")[:200]))
                return
            self.ready.set_result(None)
        while len(data) >= 2:
            start, length = 2, data[1] & 127
            if length > 125:
                start = 4 if length == 126 else 10
                length = int.from_bytes(data[2:start], "big")
            if len(data) < start + length:
                break
            kind, body, data = data[0] & 15, data[start : start + length], data[start + length :]
            if kind == 1:
                self.heard(self, now, body)
            elif kind == 8:
                self.lost = True
            elif kind == 9:
                self._write(10, body)
        self.buffer = data

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("refused"))


async def connect(port: int, cookies: list[str], heard: Heard) -> list[Client]:
    """So many clients as cookies, fifty at a time."""
    loop, clients = asyncio.get_running_loop(), []
    for at in range(0, len(cookies), 50):
        made = []
        for cookie in cookies[at : at + 50]:
            one = Client("/ws/?language=en", port, cookie, heard)
            await loop.create_connection(lambda one=one: one, "localhost", port)
            made.append(one)
        await asyncio.gather(*(one.ready for one in made))
        for one in made:
            one.say(json.dumps({"since": time.time()}))
        clients += made
    return clients


class Web:
    """One uvicorn with the options of the Procfile; `bare` without those that are ours."""

    def __init__(self, application: str, environment: dict[str, str], *, bare: bool = False) -> None:
        self.port = free_port()
        options = ["--lifespan", "off", "--no-access-log", "--log-level", "error", "--ws-per-message-deflate", "false"]
        options += [] if bare else ["--ws", "lib.websocket:Protocol"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", application, "--port", str(self.port), *options],
            cwd=BASE_DIR,
            env={**environment, "RABTA_PROCESS": "web"},
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://localhost:{self.port}/accounts/login/", timeout=10)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


peers: set[Callable[[dict[str, Any]], Awaitable[None]]] = set()


async def bare(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
    """What the server alone costs: whatever one socket says goes to all of them."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept"})
    peers.add(send)
    try:
        while (said := await receive())["type"] == "websocket.receive":
            if '"rows"' in said["text"]:
                for peer in list(peers):
                    await peer({"type": "websocket.send", "text": said["text"]})
    finally:
        peers.discard(send)
