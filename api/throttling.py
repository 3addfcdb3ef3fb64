"""How many requests a token may make in a minute, and how many wrong tokens an address may try: 429 beyond that.

Counted in the cache, which all web processes share: Redis, or each process's own memory while Redis is away, so that
nobody is locked out for it (`config.cache`). A window is a whole minute of the clock; what is left of it stands in
`RateLimit-*` headers on every answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import time as clock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.models import ApiToken

WINDOW = 60  # seconds


@dataclass(frozen=True, slots=True)
class Count:
    """How one window stands. `reset` is the seconds until the next begins."""

    limit: int
    used: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.reset),
        }


def count(name: str, limit: int, by: int = 1) -> Count:
    """Add `by` to this window's count of `name`; 0 only looks."""
    now = clock()
    window, reset = int(now // WINDOW), WINDOW - int(now % WINDOW)
    key = f"api:{name}:{window}"
    if not by:
        return Count(limit, int(cache.get(key, 0)), reset)
    cache.add(key, 0, WINDOW * 2)
    try:
        used = cache.incr(key, by)
    except ValueError:  # it was forgotten in between: a window's end, or Redis went away
        cache.set(key, by, WINDOW * 2)
        used = by
    return Count(limit, used, reset)


class PerToken(BaseThrottle):
    """Reads and writes of a token, counted apart (API_RATE_READ, API_RATE_WRITE; 0 is no limit)."""

    found: Count | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        reading = request.method in SAFE_METHODS
        limit = settings.API_RATE_READ if reading else settings.API_RATE_WRITE
        if not limit:
            return True
        self.found = count(f"{'read' if reading else 'write'}:{request.auth.pk}", limit)
        request._request.rate_limit = self.found  # type: ignore[attr-defined]  # for the answer's headers
        return self.found.used <= limit

    def wait(self) -> float | None:
        return float(self.found.reset) if self.found else None


def refuse_guessing(request: HttpRequest) -> None:
    """Raises Throttled for an address that has tried too many wrong tokens in this minute (API_RATE_FAILED)."""
    limit = settings.API_RATE_FAILED
    if limit:
        found = count(f"failed:{address_of(request)}", limit, by=0)
        if found.used >= limit:
            raise Throttled(wait=found.reset)


def guessed(request: HttpRequest) -> None:
    """Count a wrong token."""
    if settings.API_RATE_FAILED:
        count(f"failed:{address_of(request)}", settings.API_RATE_FAILED)


def address_of(request: HttpRequest) -> str:
    """The client's address: as our own proxies tell it (TRUST_PROXY of them), else who is connected."""
    told = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",") if one.strip()]
    if settings.TRUST_PROXY and told:
        return told[-min(settings.TRUST_PROXY, len(told))]
    return str(request.META.get("REMOTE_ADDR", ""))
