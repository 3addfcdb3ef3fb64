"""Milliseconds and queries of the pages that agents look at all day, with a thousand and a hundred thousand tickets.

    python -m tests.bench pages [--tickets 1000 100000] [--runs 20]

The history is `manage.py seed`'s. Pages are asked for through the whole stack of middleware, without a network.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from tests.bench.house import House, table

MOST_QUERIES = 15
MESSAGES = 50  # of the conversation that is looked at


def measure(house: House, *, sizes: Sequence[int] = (1_000, 100_000), runs: int = 20) -> bool:
    """Print the table; returns whether each page takes the same queries at every size, and few enough."""
    found: list[dict[str, Any]] = []
    for size in sizes:
        name = house.seeded(size)
        found.append(house.run(name, "tests.bench.pages", "look", str(runs)))
    small, big = found[0], found[-1]
    rows, good = [], True
    for page in small:
        queries = [one[page]["queries"] for one in found]
        good &= len(set(queries)) == 1 and queries[0] <= MOST_QUERIES
        cells = [f"{one[page]['p50']:.1f} / {one[page]['p95']:.1f}" for one in found]
        ratio = big[page]["p50"] / small[page]["p50"]
        rows.append([page, *cells, f"{ratio:.2f}", " = ".join(map(str, queries))])
    print(f"\nPages, p50 / p95 ms of {runs}:\n")
    print(table(["page", *(f"{size:,} tickets" for size in sizes), "large to small", "queries"], rows))
    print(f"\nthe same queries at every size, at most {MOST_QUERIES}: {'yes' if good else 'NO'}")
    return good


def long_conversation() -> int:
    """The newest open ticket of the first agent, made fifty messages long."""
    from inbox import bulk
    from inbox.models import Agent, Message, Ticket

    ticket = Ticket.objects.filter(status="open", spam=False, channel__slug="support").order_by("-last_message_at")[0]
    agent = Agent.objects.order_by("pk")[0]
    said = "A line of what was said, about as long as such lines are.\n" * 6
    bulk.insert_rows(
        Message,
        [
            {
                "ticket_id": ticket.pk, "first_ticket_id": ticket.pk, "direction": "out" if number % 2 else "in",
                "channel_id": ticket.channel_id, "author_kind": "agent" if number % 2 else "customer",
                "agent_id": agent.pk if number % 2 else None, "author_name": "Somebody", "text": said,
                "customer_id": None if number % 2 else ticket.customer_id, "visible_text": said,
                "html": "" if number % 2 else f"<p>{said}</p>", "state": "sent" if number % 2 else "",
                "created_at": ticket.last_message_at + timedelta(seconds=number),
                "received_at": ticket.last_message_at + timedelta(seconds=number),
            }
            for number in range(MESSAGES - ticket.message_count)
        ],
    )  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(message_count=MESSAGES)
    return int(ticket.pk)


def look(runs: int) -> dict[str, dict[str, float]]:
    from django.db import connection
    from django.db.models import Count
    from django.test import Client

    from api.models import ApiToken
    from inbox import lists
    from inbox.models import Agent, Ticket

    agent = Agent.objects.order_by("pk")[0]
    _token, secret = ApiToken.objects.issue(agent, "read")
    number = long_conversation()
    busiest = (
        Ticket.objects.filter(channel__slug="support")
        .values_list("customer")
        .annotate(n=Count("pk"))
        .order_by("-n")[0][0]
    )
    browser, program = Client(), Client(headers={"Authorization": f"Bearer {secret}"})
    browser.force_login(agent)
    asked = {f"list: {view.key}": (browser, view.url) for view in lists.VIEWS.values()}
    asked |= {
        "list: team": (browser, "/?team=orders"),
        "list: channel": (browser, "/?channel=support"),
        "list: filtered": (browser, "/?view=open&priority=high"),
        f"conversation of {MESSAGES}": (browser, f"/tickets/{number}/"),
        "customer": (browser, f"/customers/{busiest}/"),
        "API: tickets": (program, "/api/v1/tickets/"),
        "API: tickets by status": (program, "/api/v1/tickets/?status=solved&page_size=100"),
        "API: messages": (program, f"/api/v1/tickets/{number}/messages/"),
    }
    found = {}
    counted: list[str] = []

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        counted.append(sql)
        return execute(sql, *rest)

    for page, (client, url) in asked.items():
        with connection.execute_wrapper(count):
            for _again in range(3):  # warm: templates, plans, the session
                counted.clear()
                answer = client.get(url)
        assert answer.status_code == 200, (url, answer.status_code, answer.content[:500])
        queries, times = len(counted), []
        for _run in range(runs):
            started = time.perf_counter()
            client.get(url)
            times.append((time.perf_counter() - started) * 1000)
        times.sort()
        found[page] = {
            "p50": statistics.median(times),
            "p95": times[min(runs - 1, int(runs * 0.95))],
            "queries": queries,
        }
    return found


def main() -> None:
    from config import asgi  # noqa: F401 (all is loaded as in the web process)

    print(json.dumps(look(int(sys.argv[2]))))


if __name__ == "__main__":
    main()
