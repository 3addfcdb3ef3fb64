"""The cache that all web processes share: Redis, or while Redis is away each process's own memory.

Only log-in attempts are counted in it. They have to be counted across processes, and nobody may be kept out because
Redis is down.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

AWAY_FOR = 5.0  # seconds until Redis is asked again after it failed: a person waits for at most one refusal
QUICK = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}

T = TypeVar("T")


class RedisOrMemory(RedisCache):
    """Django's Redis cache whose every call falls back to memory when Redis does not answer. Nothing is raised."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        params = {**params, "OPTIONS": {**QUICK, **params.get("OPTIONS", {})}}
        super().__init__(server, params)
        self.memory = LocMemCache(server, {})
        self.away_until = 0.0

    def _either(self, ask: Callable[[RedisCache | LocMemCache], T]) -> T:
        if time.monotonic() >= self.away_until:
            try:
                return ask(super())  # type: ignore[arg-type]
            except (RedisError, OSError) as error:
                self.away_until = time.monotonic() + AWAY_FOR
                logger.warning("the cache's Redis is away, counting in memory: %r", error)
        return ask(self.memory)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._either(lambda cache: cache.get(key, default, version))

    def add(self, key: str, value: Any, *args: Any, **more: Any) -> bool:
        return self._either(lambda cache: cache.add(key, value, *args, **more))

    def set(self, key: str, value: Any, *args: Any, **more: Any) -> None:
        self._either(lambda cache: cache.set(key, value, *args, **more))

    def touch(self, key: str, *args: Any, **more: Any) -> bool:
        return self._either(lambda cache: cache.touch(key, *args, **more))

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._either(lambda cache: cache.delete(key, version))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return self._either(lambda cache: cache.has_key(key, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self._either(lambda cache: cache.incr(key, delta, version))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return {key: value for key in keys if (value := self.get(key, self, version)) is not self}

    def set_many(self, data: Mapping[Any, Any], *args: Any, **more: Any) -> list[Any]:
        for key, value in data.items():
            self.set(key, value, *args, **more)
        return []

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        for key in keys:
            self.delete(key, version)

    def clear(self) -> None:
        """Refused: this Redis also carries Celery's queues, and Django would empty all of it."""
        raise NotImplementedError("delete keys one by one")
