"""A line to Redis for synchronous code that reads and notes what lives there for a while only."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT = 1.0


@cache
def line() -> redis.Redis:
    """It gives up soon: whatever is asked for here can be done without."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1)
    )
