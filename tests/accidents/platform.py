"""A messenger's server that outlives whatever is killed: keeps what it was asked to send, and has news to fetch.

It speaks as much of Telegram's Bot API as the tests need: a poll that gives what lies behind its offset, and sends that
it takes before it answers, slowly, so that there is somebody to be killed in between.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "700123:AAabcdefghijklmnopqrstuvwxyz0123456"


@dataclass
class Server:
    """`updates` are told to whoever polls; `sent` is (chat, text) of every send that was taken, in its order."""

    port: int = 0
    slow: float = 0.05  # seconds between taking a send and answering it
    updates: list[dict[str, Any]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def says(self, who: int, text: str) -> None:
        """Somebody writes to the bot."""
        with self.lock:
            number = 1000 + len(self.updates)
            said = {
                "message_id": number,
                "from": {"id": who, "is_bot": False, "first_name": f"P{who}"},
                "chat": {"id": who, "type": "private"},
                "date": int(time.time()),
                "text": text,
            }
            self.updates.append({"update_id": number, "message": said})

    def answer(self, method: str, asked: dict[str, Any]) -> Any:
        match method:
            case "getUpdates":
                offset = asked.get("offset") or 0
                until = time.monotonic() + min(float(asked.get("timeout") or 0), 1)
                while True:
                    with self.lock:
                        found = [one for one in self.updates if one["update_id"] >= offset][:20]
                    if found or time.monotonic() > until:
                        return found
                    time.sleep(0.05)
            case "sendMessage":
                with self.lock:
                    self.sent.append((str(asked["chat_id"]), asked["text"]))
                    number = 100_000 + len(self.sent)
                time.sleep(self.slow)
                return {"message_id": number, "chat": {"id": int(asked["chat_id"])}, "date": int(time.time())}
            case "getMe":
                return {"id": 700123, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}
            case "getWebhookInfo":
                return {"url": "", "pending_update_count": 0}
        return True


@contextmanager
def running() -> Iterator[Server]:
    """A server on a port of its own while the block runs."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            result = server.answer(self.path.rpartition("/")[2], json.loads(body or b"{}"))
            told = json.dumps({"ok": True, "result": result}).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)
            except OSError:
                pass  # who asked was killed

        def log_message(self, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.port = http.server_port
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
