"""A server that is told by webhook: keeps what comes, gives back challenges, and fails when asked to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class FarEnd:
    """`got` is (body, headers) of each POST; `status` what they are answered; `files` what GET gives by path."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, Any]] = []
        self.asked: list[dict[str, list[str]]] = []
        self.status = 200
        self.verify_token = "verify-me"
        self.files: dict[str, tuple[str, bytes]] = {"/a.png": ("image/png", PNG)}
        self.url = ""
        self.on_post: Callable[[], None] | None = None  # done before a POST is answered


@contextmanager
def far_end() -> Iterator[FarEnd]:
    end = FarEnd()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            kind, content = end.files.get(url.path, ("text/plain", b""))
            if url.path == "/hook":
                query = parse_qs(url.query)
                end.asked.append(query)
                good = query.get("hub.verify_token") == [end.verify_token]
                self._answer(200 if good else 403, "text/plain", query["hub.challenge"][0].encode() if good else b"no")
            else:
                self._answer(200 if content else 404, kind, content)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            end.got.append((content, self.headers))
            if end.on_post is not None:
                end.on_post()
            self._answer(end.status, "text/plain", b"")

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    end.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield end
    finally:
        server.shutdown()
        server.server_close()
