"""Outgoing HTTP: time-outs always, no redirects, no proxies of the environment, and private networks refused.

The checked address is the one connected to (`lib.net`), so that a second answer of the DNS cannot lead inside; TLS
still verifies the host's name. `ALLOW_PRIVATE_NETWORKS` lifts the ban. `net.cut_after` bounds a whole exchange.

What platforms' adapters share is here, too: whether a request can have arrived, how long a token must rest, downloads.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.exceptions import SSLError as TLSError

from lib import net

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
MOST_BYTES = 1024 * 1024
TRIES = 2
AGAIN_SECONDS = 0.3
LONGEST_WAIT = 24 * 3600.0  # that a receiver can ask for with Retry-After


class TooLarge(OSError):
    """The answer is larger than the caller takes."""


def _connect(connection: HTTPConnection) -> socket.socket:
    """As urllib3 does it: what fails here has not left, and its errors say so."""
    try:
        return net.connect(connection.host, connection.port or connection.default_port, _seconds(connection.timeout))
    except net.Refused:
        raise
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


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


def _below(error: BaseException | None, kinds: tuple[type[BaseException], ...], depth: int = 0) -> Any:
    """The first error of these kinds somewhere below the wrappings of urllib3 and requests; None for none."""
    if error is None or depth > 8:
        return None
    if isinstance(error, kinds):
        return error
    inner = [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    return next(
        (found for one in inner if isinstance(one, BaseException) and (found := _below(one, kinds, depth + 1))), None
    )


def _refusal(error: BaseException) -> net.Refused | None:
    found: net.Refused | None = _below(error, (net.Refused,))
    return found


def never_left(error: BaseException) -> bool:
    """Whether a request that failed with this error cannot have reached the other side: no connection came about."""
    return _below(error, (net.Refused, NewConnectionError, ConnectTimeoutError, TLSError)) is not None


def why_unreached(error: BaseException) -> str:
    """Why no connection came about, as far as it is told: "name", "refused", "time", "certificate"; else empty."""
    reasons: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
        ("name", (socket.gaierror,)),
        ("refused", (ConnectionRefusedError,)),
        ("time", (TimeoutError,)),
        ("certificate", (TLSError, ssl.SSLError)),
    )
    return next((name for name, kinds in reasons if _below(error, kinds) is not None), "")


def opened(url: object) -> str:
    """The address if a page of ours may lead there, else empty: by https, and by http where private networks are
    allowed, since a demo's platforms have no certificates.
    """
    schemes = ("https://", "http://") if settings.ALLOW_PRIVATE_NETWORKS else ("https://",)
    return url if isinstance(url, str) and url.startswith(schemes) else ""


class Rates:
    """Until when a platform wants to hear nothing from a token, as this process was told. Kept are digests."""

    MOST = 1000

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, token: str, seconds: float) -> None:
        """The platform said: not before so many seconds are over. No token rests for more than a day."""
        seconds = min(seconds, LONGEST_WAIT)
        with self._lock:
            if len(self._until) >= self.MOST:
                now = time.monotonic()
                self._until = {key: until for key, until in self._until.items() if until > now}
            key = self._key(token)
            self._until[key] = max(self._until.get(key, 0.0), time.monotonic() + seconds)

    def wait(self, token: str) -> float:
        """Seconds until this token may be used again; 0 for now."""
        return max(0.0, self._until.get(self._key(token), 0.0) - time.monotonic())

    @staticmethod
    def _key(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()


rates = Rates()


def retry_after(value: str) -> float:
    """Seconds from a Retry-After header, a number or a date (RFC 9110, 10.2.3); 0 for anything else."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    if until.tzinfo is None:
        return 0.0
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)


def fetch(session: requests.Session, url: str, **options: Any) -> requests.Response:
    """GET, once more after a moment where the other side was away or stumbled: asking twice does no harm.

    Raises as `Session.request`.
    """
    for attempt in range(TRIES):
        last = attempt == TRIES - 1
        try:
            response = session.get(url, **options)
        except (requests.ConnectionError, requests.Timeout):
            if last:
                raise
        else:
            if response.status_code < 500 or last:
                return response
            response.close()
        time.sleep(AGAIN_SECONDS)
    raise AssertionError("never reached")


def download(
    session: requests.Session, url: str, *, most: int, seconds: float, headers: dict[str, str] | None = None
) -> tuple[int, bytes, str]:
    """Fetch a file of at most `most` bytes within so many seconds in all: (status, content, content type).

    A redirect is followed once, as file stores do it, without the headers. Raises TooLarge, net.Refused,
    requests.RequestException, TimeoutError.
    """
    with net.cut_after(seconds) as deadline:
        try:
            response = session.get(url, stream=True, headers=headers)
            target = response.headers.get("Location", "")
            if response.status_code in {301, 302, 303, 307, 308} and target:
                response.close()
                response = session.get(urljoin(url, target), stream=True)
            length = response.headers.get("Content-Length", "")
            if length.isdecimal() and int(length[:20]) > most:
                response.close()
                raise TooLarge(f"more than {most} bytes")
            content = body(response, most)
        except (requests.RequestException, ValueError) as error:
            if deadline.cut:
                raise TimeoutError(f"not there within {seconds:.0f} s") from error
            raise
        if deadline.cut:
            raise TimeoutError(f"not there within {seconds:.0f} s")
        return response.status_code, content, response.headers.get("Content-Type", "")


def body(response: requests.Response, most: int = MOST_BYTES) -> bytes:
    """The body of a response asked for with `stream=True`, at most so many bytes. Raises TooLarge beyond."""
    read = bytearray()
    for piece in response.iter_content(16 * 1024):
        read += piece
        if len(read) > most:
            response.close()
            raise TooLarge(f"more than {most} bytes")
    return bytes(read)
