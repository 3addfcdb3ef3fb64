"""Outgoing HTTP: time-outs always, no redirects, no proxies of the environment, and private networks refused.

The checked address is the one connected to (`lib.net`), so that a second answer of the DNS cannot lead inside; TLS
still verifies the host's name. `ALLOW_PRIVATE_NETWORKS` lifts the ban. `net.cut_after` bounds a whole exchange.
"""

from __future__ import annotations

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from lib import net

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
MOST_BYTES = 1024 * 1024


class TooLarge(OSError):
    """The answer is larger than the caller takes."""


def _connect(host: str, port: int, timeout: Any) -> socket.socket:
    return net.connect(host, port, _seconds(timeout))


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port or self.default_port, self.timeout)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port or self.default_port, self.timeout)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def _seconds(timeout: Any) -> float:
    return float(timeout) if isinstance(timeout, int | float) else CONNECT_SECONDS


class GuardedAdapter(HTTPAdapter):
    """requests' adapter over `net.connect`."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
        self.poolmanager = manager


def guard(session: requests.Session) -> requests.Session:
    """Make any session of requests (an OAuth2Session, too) keep to the rules above."""
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, GuardedAdapter())
    return session


class Session(requests.Session):
    """A guarded session. Redirects are answered as they are: who wants to follow one asks anew.

    Raises net.Refused for private networks, requests.RequestException for all else that goes wrong on the way.
    """

    def __init__(self) -> None:
        super().__init__()
        guard(self)

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        try:
            return super().request(*args, **kwargs)
        except requests.ConnectionError as error:
            if refused := _refusal(error):
                raise refused from error
            raise

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: what `requests` takes for "no redirect"."""
        return None


def _refusal(error: BaseException | None, depth: int = 0) -> net.Refused | None:
    """The Refused somewhere below the wrappings of urllib3 and requests."""
    if error is None or depth > 8:
        return None
    if isinstance(error, net.Refused):
        return error
    inner = [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    return next(
        (found for one in inner if isinstance(one, BaseException) and (found := _refusal(one, depth + 1))), None
    )


def body(response: requests.Response, most: int = MOST_BYTES) -> bytes:
    """The body of a response asked for with `stream=True`, at most so many bytes. Raises TooLarge beyond."""
    read = bytearray()
    for piece in response.iter_content(16 * 1024):
        read += piece
        if len(read) > most:
            response.close()
            raise TooLarge(f"more than {most} bytes")
    return bytes(read)
