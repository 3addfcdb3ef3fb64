"""One signed request to a receiver. Knows nothing of the database: it runs in threads.

Signed as Standard Webhooks: `lib.standard_webhooks`.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from lib import http, net, standard_webhooks

logger = logging.getLogger(__name__)

MOST_SECONDS = 20.0  # of one request in all, however the receiver dawdles
MOST_READ = 64 * 1024
MOST_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent: `secrets` newest first."""

    url: str
    message_id: str
    body: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `error` in words, empty for success; `retry_after` in seconds, 0 where nothing was asked for."""

    headers: dict[str, str]
    duration_ms: int
    status: int | None = None
    response: str = ""
    error: str = ""
    retry_after: float = 0.0

    @property
    def gone(self) -> bool:
        return self.status == 410


def headers_of(request: Request, timestamp: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Accept-Encoding": "identity",  # what is read is never unpacked
        "User-Agent": f"Rabta-Webhooks/1 (+{settings.BASE_URL})",
        **standard_webhooks.headers(request.secrets, request.message_id, timestamp, request.body),
    }


def send(request: Request) -> Answer:
    """Post it, once. Never raises for what a receiver or the network does."""
    headers = headers_of(request, int(time.time()))
    began = time.monotonic()

    def answer(status: int | None = None, response: str = "", error: str = "", retry_after: float = 0.0) -> Answer:
        spent = int((time.monotonic() - began) * 1000)
        return Answer(headers, spent, status, response, error, retry_after)

    if not allowed(request.url):
        return answer(error=_("The address has to begin with https://."))
    try:
        with (
            net.cut_after(MOST_SECONDS),
            http.Session() as session,
            session.post(request.url, data=request.body.encode(), headers=headers, stream=True) as response,
        ):
            if time.monotonic() - began >= MOST_SECONDS:  # cut off in the middle of its headers
                raise TimeoutError
            said = _read(response)
            return answer(response.status_code, said, *_judged(response))
    except (requests.RequestException, OSError, ValueError) as error:
        return answer(error=_words(request.url, error, time.monotonic() - began))
    except Exception as error:
        logger.exception("the request of %s failed in an unforeseen way", request.message_id)
        return answer(error=f"{type(error).__name__}: {error}"[:300])


def allowed(url: str) -> bool:
    """Only https leaves this place, unless private networks are allowed (for development and inside a company)."""
    schemes = {"https", "http"} if settings.ALLOW_PRIVATE_NETWORKS else {"https"}
    return urlsplit(url).scheme in schemes


def _read(response: requests.Response) -> str:
    """The beginning of the answer's body. A receiver that stops in the middle has answered all the same."""
    read = bytearray()
    try:
        while len(read) < MOST_READ and (piece := response.raw.read1(8 * 1024, decode_content=False)):
            read += piece
    except Exception:  # noqa: BLE001, S110 (urllib3 and the socket raise all sorts; the status line is what counts)
        pass
    return bytes(read[:MOST_KEPT]).decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _judged(response: requests.Response) -> tuple[str, float]:
    """(error in words or nothing, seconds that the receiver asks us to wait)."""
    status = response.status_code
    if 200 <= status < 300:
        return "", 0.0
    wait = http.retry_after(response.headers.get("Retry-After", "")) if status in {429, 503} else 0.0
    if 300 <= status < 400:
        to = response.headers.get("Location", "")[:300]
        return _("It redirects (%(status)s) to %(to)s. Redirects are not followed: enter the final address.") % {
            "status": status,
            "to": to or "?",
        }, wait
    if status == 410:
        return _("It answered 410 Gone: it wants nothing more."), wait
    return _("It answered %(status)s.") % {"status": status}, wait


def _words(url: str, error: Exception, seconds: float) -> str:
    """Why there was no answer, for whoever set the webhook up."""
    host = urlsplit(url).hostname or url
    causes = list(_causes(error))

    def is_a(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in causes)

    if is_a(net.Refused):
        return str(next(one for one in causes if isinstance(one, net.Refused)))
    if seconds >= MOST_SECONDS - 0.5:
        return _("It did not finish its answer within %(n)d seconds.") % {"n": MOST_SECONDS}
    if is_a(socket.gaierror):
        return _("There is no host called %(host)s.") % {"host": host}
    if is_a(ssl.SSLError, requests.exceptions.SSLError):
        return _("There is no safe connection to %(host)s: %(error)s") % {"host": host, "error": _innermost(causes)}
    if is_a(ConnectionRefusedError):
        return _("%(host)s refused the connection.") % {"host": host}
    if is_a(requests.ReadTimeout):
        return _("It did not answer within %(n)d seconds.") % {"n": http.READ_SECONDS}
    if is_a(requests.ConnectTimeout, TimeoutError):
        return _("%(host)s could not be reached within %(n)d seconds.") % {"host": host, "n": http.CONNECT_SECONDS}
    if is_a(ConnectionResetError, BrokenPipeError) or "closed connection" in str(error):
        return _("%(host)s closed the connection without an answer.") % {"host": host}
    return _("No answer: %(error)s") % {"error": _innermost(causes)}


def _innermost(causes: Sequence[BaseException]) -> str:
    return (str(causes[-1]) or type(causes[-1]).__name__)[:300]


def _causes(error: BaseException | None, depth: int = 0) -> list[BaseException]:
    """The error and what is wrapped in it, outermost first."""
    if error is None or depth > 8:
        return []
    inner = [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    found = next((_causes(one, depth + 1) for one in inner if isinstance(one, BaseException)), [])
    return [error, *found]
