"""Too many requests: 429 with Retry-After, per token and kind, and per address for wrong tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from redis.exceptions import ConnectionError as RedisAway

from api import throttling
from inbox.models import Agent
from tests.api.conftest import Api, problem


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The clock stands still, at a minute that no other test counts in."""
    now = [60.0 * random.randrange(10**9)]
    monkeypatch.setattr("api.throttling.clock", lambda: now[0])
    yield now


def test_reads_and_writes_are_counted_apart(as_sana: Api, settings: Any, one_minute: list[float]) -> None:
    settings.API_RATE_READ, settings.API_RATE_WRITE = 3, 1
    one_minute[0] += 20
    for left in (2, 1, 0):
        answer = as_sana.get("/tags/")
        assert answer.status_code == 200
        assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"], answer["RateLimit-Reset"]) == (
            "3", str(left), "40",
        )  # fmt: skip
    refused = as_sana.get("/tags/")
    assert "40 seconds" in problem(refused, 429, "throttled")["detail"]
    assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("40", "0")
    assert as_sana.post("/customers/", {"name": "a"}).status_code == 201
    problem(as_sana.post("/customers/", {"name": "b"}), 429)
    one_minute[0] += 40
    assert as_sana.get("/tags/").status_code == 200


def test_a_token_is_not_held_back_for_another(as_sana: Api, sana: Agent, settings: Any) -> None:
    settings.API_RATE_READ = 1
    as_sana.get("/tags/")
    problem(as_sana.get("/tags/"), 429)
    assert Api(sana).get("/tags/").status_code == 200


def test_zero_is_no_limit(as_sana: Api, settings: Any) -> None:
    settings.API_RATE_READ = 0
    assert "RateLimit-Limit" not in as_sana.get("/tags/")


def test_whoever_guesses_tokens_is_held_back(as_sana: Api, client: Any, settings: Any) -> None:
    settings.API_RATE_FAILED = 3
    wrong = {"Authorization": "Bearer rabta_wrong"}
    for _again in range(3):
        problem(client.get("/api/v1/tags/", headers=wrong, REMOTE_ADDR="192.0.2.1"), 401)
    refused = client.get("/api/v1/tags/", headers=wrong, REMOTE_ADDR="192.0.2.1")
    problem(refused, 429, "throttled")
    assert int(refused["Retry-After"]) == 60
    problem(client.get("/api/v1/tags/", headers=as_sana.headers, REMOTE_ADDR="192.0.2.1"), 429)
    # From elsewhere, and without a token, nothing has changed.
    assert client.get("/api/v1/tags/", headers=as_sana.headers, REMOTE_ADDR="192.0.2.2").status_code == 200
    problem(client.get("/api/v1/tags/", REMOTE_ADDR="192.0.2.1"), 401)


def test_an_address_is_what_our_own_proxies_say(rf: Any, settings: Any) -> None:
    asked = rf.get("/", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 3.3.3.3"}, REMOTE_ADDR="10.0.0.1")
    for proxies, address in ((0, "10.0.0.1"), (1, "3.3.3.3"), (2, "2.2.2.2"), (9, "1.1.1.1")):
        settings.TRUST_PROXY = proxies
        assert throttling.address_of(asked) == address
    settings.TRUST_PROXY = 1
    assert throttling.address_of(rf.get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1"


def test_it_goes_on_counting_while_redis_is_away(as_sana: Api, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_RATE_READ = 2

    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisAway("gone")

    for name in ("add", "incr", "get", "set"):
        monkeypatch.setattr(f"django.core.cache.backends.redis.RedisCache.{name}", away)
    vars(caches["default"])["away_until"] = 0.0
    assert as_sana.get("/tags/").status_code == 200
    assert as_sana.get("/tags/").status_code == 200
    problem(as_sana.get("/tags/"), 429)
    vars(caches["default"])["away_until"] = 0.0


def test_a_count_that_was_forgotten_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.cache.RedisOrMemory.add", lambda *args: True)
    assert throttling.count("forgotten", 5).used == 1
