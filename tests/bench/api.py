"""Milliseconds and queries of the API's lists and details with ten thousand tickets and with a million.

    python -m tests.bench api [--search-tickets 10000 1000000] [--keep FOLDER]

The history is `manage.py seed`'s. Answers are asked for through the whole stack of middleware, without a network.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.house import House, table

SMALL, BIG = 10_000, 1_000_000
MOST_RATIO = 1.5  # of the p95 at the larger size to that at the smaller one
TURNS = 5
LEAST_MS = 15.0  # below this the machine's own noise is larger than what is measured


def measure(house: House, *, sizes: Sequence[int] = (SMALL, BIG), runs: int = 40) -> bool:
    """Print the table; returns whether all p95 stay within MOST_RATIO and the queries are the same."""
    found = _by_turns(house, [house.seeded(size) for size in sizes], runs)
    small, big = found[0], found[-1]
    rows, good = [], True
    for asked in small:
        queries = [one[asked].queries for one in found]
        ratio = big[asked].p95 / small[asked].p95
        fits = len(set(queries)) == 1 and (ratio <= MOST_RATIO or big[asked].p95 <= LEAST_MS)
        good &= fits
        cells = [f"{one[asked].p50:.1f} / {one[asked].p95:.1f}" for one in found]
        blocks = " → ".join(f"{one[asked].blocks:.0f}" for one in found)
        said = f"{ratio:.2f}{'' if fits else ' TOO MUCH'}"
        many = " = ".join(str(one[asked].rows) for one in found)
        rows.append([asked, *cells, said, " = ".join(map(str, queries)), many, blocks])
    print(f"\nAPI, p50 / p95 ms of {runs}; blocks are those PostgreSQL looks at, whatever else the machine does:\n")
    head = ["request", *(f"{size:,} tickets" for size in sizes), "p95, large to small", "queries", "rows", "blocks"]
    print(table(head, rows))
    print(f"\nthe same queries, p95 at most {MOST_RATIO} times: {'yes' if good else 'NO'}")
    return good


@dataclass
class Found:
    """Of one request at one size."""

    queries: int
    blocks: int
    rows: int
    times: list[float]  # ms

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * 0.95))]


def _by_turns(house: House, names: Sequence[str], runs: int) -> list[dict[str, Found]]:
    """What each database gives. They take turns, for a machine is faster at one minute than at the next.

    Pages have as many rows at each size: where a small desk has ten of something, ten are asked for of a large one.
    """
    found: list[dict[str, Found]] = [{} for _name in names]
    for turn in range(TURNS):
        looks = runs // TURNS + (turn < runs % TURNS)
        for name, known in zip(names, found, strict=True):
            rows_of = {asked: one.rows for asked, one in found[0].items()}
            told = house.run(name, "tests.bench.api", "ask", str(looks), json.dumps(rows_of))
            for asked, one in told.items():
                if asked in known:
                    known[asked].times += one["times"]
                else:
                    known[asked] = Found(**one)
    return found


def requests_of(agent: Any) -> dict[str, str]:
    """What is asked, by a name; ids are of things in the middle of the history."""
    from inbox.models import Message, Tag, Ticket

    seen = Ticket.objects.filter(channel__slug="support")
    ticket = seen.order_by("-number")[seen.count() // 2 : seen.count() // 2 + 1].get()
    message = Message.objects.filter(ticket=ticket)[0]
    tag = Tag.objects.order_by("pk")[0].name
    day = "2026-01-01T00:00:00Z"
    lists = {
        "all": "",
        "open": "?status=open",
        "solved": "?status=solved",
        "open or pending": "?status=open,pending",
        "urgent and open": "?priority=urgent&status=open",
        "high or urgent, open or pending": "?priority=high,urgent&status=open,pending",
        "urgent": "?priority=urgent",
        "mine": "?assignee=me&status=open",
        "nobody's": "?assignee=none&status=open",
        "a team's": "?team=orders&status=open",
        "a channel's": "?channel=support&status=open",
        "a customer's": f"?customer={ticket.customer_id}",
        "a tag's": f"?tag={tag}",
        "of an external id": "?external_id=nothing",
        "spam": "?spam=true",
        "changed since": f"?updated_after={day}&order=updated_at",
        "by creation": "?order=created_at",
        "by number": "?order=-number",
    }
    asked = {f"tickets: {name}": f"tickets/{query}" for name, query in lists.items()}
    asked |= {
        "one ticket": f"tickets/{ticket.number}/",
        "its messages": f"tickets/{ticket.number}/messages/",
        "its events": f"tickets/{ticket.number}/events/",
        "one message": f"messages/{message.pk}/",
        "customers": "customers/",
        "customers: by address": f"customers/?identity={ticket.participants.all()[0].identity.value}",
        "one customer": f"customers/{ticket.customer_id}/",
        "their timeline": f"customers/{ticket.customer_id}/timeline/",
        "tags": "tags/",
    }
    return asked


def ask(runs: int, rows_of: dict[str, int]) -> dict[str, dict[str, Any]]:
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from api.models import ApiToken
    from inbox.models import Agent

    settings.API_RATE_READ = 0
    agent = Agent.objects.order_by("pk")[0]
    _token, secret = ApiToken.objects.issue(agent, "read")
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    counted: list[tuple[str, Any]] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        counted.append((sql, params))
        return execute(sql, params, *rest)

    found = {}
    for name, path in requests_of(agent).items():
        url = f"/api/v1/{path}"
        if rows := rows_of.get(name):
            url += f"{'&' if '?' in url else '?'}page_size={rows}"
        with connection.execute_wrapper(count):
            for _again in range(3):  # warm: plans, caches, the use of the token noted
                counted.clear()
                answer = program.get(url)
        assert answer.status_code == 200, (url, answer.status_code, answer.content[:500])
        queries, blocks, times = len(counted), blocks_of(counted), []
        gc.collect()  # what earlier requests left is not for this one to clear away
        for _run in range(runs):
            started = time.perf_counter()
            program.get(url)
            times.append((time.perf_counter() - started) * 1000)
        rows = len(answer.json().get("results", ()))
        found[name] = {"queries": queries, "blocks": blocks, "rows": rows, "times": times}
    return found


def blocks_of(asked: Sequence[tuple[str, Any]]) -> int:
    """How many blocks of 8 KB PostgreSQL looks at for these queries, in its cache or beyond."""
    from django.db import connection

    found = 0
    with connection.cursor() as cursor:
        for sql, params in asked:
            if sql.lstrip().startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
                told = cursor.fetchone()[0]
                plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
                found += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return found


def main() -> None:
    from config import asgi  # noqa: F401 (all is loaded as in the web process)

    print(json.dumps(ask(int(sys.argv[2]), json.loads(sys.argv[3]))))


if __name__ == "__main__":
    main()
