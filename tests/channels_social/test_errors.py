"""What a request that never left says: why, as far as anybody knows."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import SSLError as TLSError

from channels_social import checks, errors, graph
from channels_social.sms.api import Twilio
from channels_social.telegram.api import Telegram
from channels_social.whatsapp.api import refusal
from inbox.adapters import DeliveryError
from inbox.models import Channel
from lib import http


def wrapped(cause: Exception, outer: type[Exception] | None = None) -> requests.ConnectionError:
    """As requests wraps what urllib3 raised because of `cause`."""
    inner: Exception = NewConnectionError(None, "x") if outer is None else outer("x")  # type: ignore[arg-type]
    inner.__cause__ = cause
    return requests.ConnectionError(inner)


@pytest.mark.parametrize(
    ("error", "why", "said"),
    [
        (wrapped(socket.gaierror(-2, "Name or service not known")), "name", "no server of that name"),
        (wrapped(ConnectionRefusedError(111, "refused")), "refused", "refused the connection"),
        (wrapped(TimeoutError("timed out"), ConnectTimeoutError), "time", "in time"),
        (wrapped(ssl.SSLCertVerificationError("self-signed"), TLSError), "certificate", "certificate"),
        (wrapped(OSError(113, "No route to host")), "", "cannot be reached. It"),
    ],
)
def test_why_nobody_was_reached(error: Exception, why: str, said: str) -> None:
    assert http.why_unreached(error) == why
    found = errors.of_request(error, "Telegram")
    assert said in str(found.reason) and str(found.reason).startswith("Telegram cannot be reached")
    assert found.channel and not found.unknown and not found.permanent


def test_a_closed_port_for_real() -> None:
    with http.Session() as session, pytest.raises(requests.ConnectionError) as caught:
        session.get("http://127.0.0.1:9/")
    assert http.why_unreached(caught.value) == "refused"


class Far(http.Session):
    """Answers every request with this."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__()
        self.told = requests.Response()
        self.told.status_code, self.told._content = status, content

    def request(self, *_args: Any, **_options: Any) -> requests.Response:
        return self.told


APIS: list[Callable[[requests.Session], Any]] = [
    lambda far: Telegram(far, "https://t", "1:x").probe(),
    lambda far: graph.Graph(far, "https://g", "x", "", "WhatsApp", refusal).get("me"),
    lambda far: Twilio(far, Channel(kind="sms", settings={"account_sid": "AC1"})).probe(),
]


@pytest.mark.parametrize("ask", APIS)
@pytest.mark.parametrize("content", [b"<html>", b"\xff", b"[" * 100_000, b"[1]"])
def test_an_answer_that_cannot_be_read_is_trouble_that_passes(
    ask: Callable[[requests.Session], Any], content: bytes
) -> None:
    with pytest.raises(DeliveryError) as caught:
        ask(Far(502, content))
    assert not caught.value.permanent and not caught.value.unknown and not caught.value.fault


def test_what_a_connection_test_finds_no_more_is_no_longer_so(db: None) -> None:
    """As when a channel is looked after: what an adapter keeps for itself stays, and what others wrote there."""
    row = Channel(kind="telegram", slug="bot", name="Bot")
    row.condition = {"trouble": "Connection refused", "waiting": 3, "_expires_at": "x", "tended_at": "t", "error": "e"}
    row.save()
    checks.run(lambda: {"waiting": 0}, lambda _found, _channel: [], row)
    row.refresh_from_db()
    assert row.condition == {"waiting": 0, "_expires_at": "x", "tended_at": "t", "error": "e"}
