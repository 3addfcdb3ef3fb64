"""Who is on the site: what processes say to Redis, and what is read of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from channels_chat import memory, site, trails

CHANNEL, OTHER = 7, 8


@pytest.fixture(autouse=True)
def line() -> Iterator[redis.Redis]:
    line = redis.Redis.from_url(settings.REDIS_URL)
    for key in line.scan_iter(f"{site.PARTS}*"):
        line.delete(key)
    yield line
    line.close()


def entry(channel: int = CHANNEL, **told: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "page": "https://shop.example/cart",
        "since": 1_790_000_000,
        "at": 1_790_000_010,
        **told,
    }


@asynccontextmanager
async def telling(*sites: site.Site) -> Any:
    tasks = [asyncio.create_task(one.run()) for one in sites]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in sites:
            await one.close()


async def until(what: Callable[[], Any]) -> Any:
    async with asyncio.timeout(10):
        while not (found := await sync_to_async(what, thread_sensitive=False)()):  # noqa: ASYNC110 - it lies in Redis
            await asyncio.sleep(0.02)
    return found


async def test_visits_of_all_processes_are_read_and_go_when_they_leave() -> None:
    one, two = site.Site("one"), site.Site("two")
    async with telling(one, two):
        one.put(
            "a" * 20,
            entry(title="Cart", lang="ur", visits=3, visitor=5, journeys={"checkout": 1_790_000_000, "signup": "done"}),
        )
        two.put("b" * 20, entry(since=1_790_000_100))
        two.put("c" * 20, entry(OTHER))
        await until(lambda: site.count(CHANNEL, OTHER) == 3)
        found = await sync_to_async(site.now)(CHANNEL)
        assert [here.visit[0] for here in found] == ["b", "a"]
        assert (found[1].title, found[1].lang, found[1].visits, found[1].visitor) == ("Cart", "ur", 3, 5)
        assert found[1].stalled == ["checkout"]
        assert found[1].since.timestamp() == 1_790_000_000
        assert (await sync_to_async(site.find)(OTHER, "c" * 20)).channel == OTHER
        assert await sync_to_async(site.find)(CHANNEL, "c" * 20) is None
        one.drop("a" * 20)
        await until(lambda: site.count(CHANNEL) == 1)
    assert await sync_to_async(site.count)(CHANNEL, OTHER) == 0


async def test_a_visit_that_moved_to_another_process_is_named_once() -> None:
    one, two = site.Site("one"), site.Site("two")
    async with telling(one, two):
        one.put("a" * 20, entry(page="https://shop.example/old"))
        two.put("a" * 20, entry(page="https://shop.example/new", at=1_790_000_500))
        await until(lambda: site.count(CHANNEL) == 2)
        (found,) = await sync_to_async(site.now)(CHANNEL)
        assert found.page.endswith("/new")


async def test_an_emptied_redis_is_told_again(line: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "RENEW", 0.2)
    one = site.Site("one")
    async with telling(one):
        for number in range(5):
            one.put(f"visit-{number}", entry())
        await until(lambda: site.count(CHANNEL) == 5)
        line.delete(*line.scan_iter(f"{site.PARTS}*"))
        one.put("visit-5", entry())  # what is written then is not taken for all there is
        await until(lambda: site.count(CHANNEL) == 6)


async def test_pages_are_remembered_until_somebody_writes() -> None:
    one, visit = site.Site("one"), "v" * 20
    trails.forget(CHANNEL, visit)
    async with telling(one):
        one.put(visit, entry(page="https://shop.example/", title="Shop"))
        one.put(visit, entry(page="https://shop.example/cart", title="Cart"))
        one.put(visit, entry(page="https://shop.example/cart", title="Cart (1)"))
        steps = await until(lambda: trails.of(CHANNEL, visit))
        one.put(visit, entry(page="https://shop.example/pay", visitor=5))
    assert [step["title"] for step in steps] == ["Shop", "Cart"]
    assert len(await sync_to_async(trails.of)(CHANNEL, visit)) == 2


async def test_what_did_not_change_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    one = site.Site("one")
    one.put("a", entry())
    one._dirty.clear()
    one.put("a", entry(at=1_790_000_015))
    assert not one._dirty
    one.put("a", entry(page="https://shop.example/other"))
    assert one._dirty
    one._dirty.clear()
    one.put("a", entry(page="https://shop.example/other", at=1_790_000_100))
    assert one._dirty


async def test_what_is_kept_has_bounds_and_no_address(line: redis.Redis) -> None:
    one = site.Site("one")
    async with telling(one):
        one.put(
            "a",
            entry(
                page="x" * 5000,
                ip="192.0.2.1",
                visits="7",
                chat={"x": 1},
                journeys={str(n): "started" for n in range(50)},
            ),
        )
        (found,) = await until(lambda: site.now(CHANNEL))
        assert len(found.page) == 500
        assert len(found.journeys) == site.JOURNEYS
        assert (found.visits, found.chat) == (1, None)
        assert "192.0.2.1" not in str(line.hget(f"{site.PARTS}:one:{CHANNEL}", "a"))
        line.hset(f"{site.PARTS}:one:{CHANNEL}", "b", "no json")
        line.hset(f"{site.PARTS}:one:{CHANNEL}", "c", '{"surprise": 1}')
        assert [here.visit for here in await sync_to_async(site.now)(CHANNEL)] == ["a"]


def test_nobody_is_there_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    away = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(memory, "line", lambda: away)
    assert site.now(CHANNEL) == []
    assert site.count(CHANNEL) == 0
    assert site.find(CHANNEL, "a") is None


async def test_two_thousand_visits_take_few_round_trips(line: redis.Redis) -> None:
    """All of them coming at once are a handful of commands, not one each."""
    one = site.Site("one")
    for number in range(2000):
        one.put(f"visit-{number:016}", entry(title="A page of the shop", ref="https://search.example/?q=shop"))
    before = line.info("commandstats")
    async with telling(one):
        await until(lambda: site.count(CHANNEL) == 2000)
    after = line.info("commandstats")
    assert after["cmdstat_hset"]["calls"] - before.get("cmdstat_hset", {"calls": 0})["calls"] <= 2
