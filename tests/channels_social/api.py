"""What the tests of the generic channel share: an integrator's software, and what it posts, signed."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from standardwebhooks import Webhook as Verifier

from inbox.actions import channels, receive
from inbox.models import Agent, Channel, Receipt, Role

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


class Far:
    """An integrator's software: remembers what came, and answers in turn; the last answer again and again."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers) or [(200, {})]
        self.came: list[tuple[dict[str, str], str]] = []
        self.headers: dict[str, str] = {}
        far = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                far.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, said = far.answers.pop(0) if len(far.answers) > 1 else far.answers[0]
                content = (said if isinstance(said, str) else json.dumps(said)).encode()
                if status == 0:  # it took it, and the answer is lost
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in far.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/rabta"

    def told(self) -> list[Any]:
        """What came, each proven with the public library."""
        return [Verifier(SECRET).verify(body, headers) for headers, body in self.came]


@contextlib.contextmanager
def far_side(*answers: tuple[int, Any]) -> Iterator[Far]:
    far = Far(*answers)
    thread = threading.Thread(target=far.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield far
    finally:
        far.server.shutdown()
        far.server.server_close()


@pytest.fixture
def far(transactional_db: None) -> Iterator[Far]:
    with far_side() as found:
        yield found


def connect(url: str = "", **settings: Any) -> Channel:
    given = {"webhook_url": url, "signing_secret": SECRET, **settings}
    return channels.create("api", "reviews", given, by=None)


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)


@pytest.fixture
def channel(db: None) -> Channel:
    return connect()


def said(identifier: str, text: str = "Too small", who: str = "ali", **more: Any) -> dict[str, Any]:
    return {"type": "message.created", "id": identifier, "from": {"id": who, "name": who.title()}, "text": text, **more}


def post(channel: Channel, told: Any, *, call: str = "call-1", at: datetime | None = None, **wrong: Any) -> Any:
    """As an integrator does it, signed by the public library."""
    body = told if isinstance(told, str) else json.dumps(told)
    at = at or datetime.now(UTC)
    headers = {
        "webhook-id": call,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Verifier(wrong.get("secret", SECRET)).sign(call, at, wrong.get("signed", body)),
        **wrong.get("headers", {}),
    }
    url = f"/hooks/api/{channel.token}/"
    return Client().post(url, body, content_type="application/json", headers=headers)


def take(channel: Channel, told: Any, **more: Any) -> None:
    assert post(channel, told, **more).status_code == 200
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
