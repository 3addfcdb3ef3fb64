"""What a request that never left says: why, as far as anybody knows."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import SSLError as TLSError

from channels_social import errors
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
