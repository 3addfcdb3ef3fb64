"""Milliseconds, queries, bytes and rows read of the pages that agents look at, at two sizes in one run.

    python -m tests.bench pages [--tickets 10000 1000000] [--looks 40] [--keep FOLDER] [--explain] [--only PATTERN]

The history is `manage.py seed`'s. Pages are asked for through the whole stack of middleware, without a network, in turn
at either size, so that whatever else the machine does slows both, and with full lists at both (tests/bench/full.py).
What a page breaks is said behind it:

- `slower`: its p95 grew by more than GROWTH (and FEW ms, where it is none of the views, tickets and counts);
- `queries`: more than MOST_QUERIES, or not the same number at both sizes;
- `reads`: a query reads more rows than it gives and SPARE more; a count may read SPARE for each view it counts. Search
  is left out: it looks through as much as it is given time for;
- `bytes`: the answer is larger, gzipped, than what its page may be.
"""

from __future__ import annotations

import gzip
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.bench import full, reads
from tests.bench.house import House, table

GROWTH = 1.5
FEW = 10.0
MOST_QUERIES = 15
SPARE = 3_500  # rows: a count stops at 1,001 that its agent sees, an own list puts its newest 1,000 in order
MESSAGES = 50  # of the conversation that is looked at
MOST_BYTES = {"ticket of 50, opened from the list": 60_000}
AT_ONCE = 5  # looks at one size, then at the other
DEEP = 20_000  # rows before the page that somebody scrolled to; in a small list half of it
STRICT = ("view:", "ticket", "counts")
SEARCHES = ("search", "tickets like", "suggested")


def measure(
    house: House,
    *,
    sizes: Sequence[int] = (10_000, 1_000_000),
    runs: int = 40,
    explain: bool = False,
    only: str = "",
) -> bool:
    """Print the table; returns whether no page breaks a limit. `only` is a pattern of the names of pages."""
    names = [house.seeded(size) for size in sizes]
    lookers = [house.start(name, "tests.bench.pages", "look", "explain" if explain else "") for name in names]
    try:
        pages = [ask(looker) for looker in lookers]
        rows, good = [], True
        for page in [page for page in pages[0] if re.search(only, page)]:
            found = [ask(looker, f"plan {page}") for looker in lookers]
            times: list[list[float]] = [[] for _ in lookers]
            for _turn in range(max(1, runs // AT_ONCE)):
                for kept, looker in zip(times, lookers, strict=True):
                    kept += ask(looker, f"time {page}")
            row, broken = judged(page, found, [sorted(one) for one in times])
            rows.append(row)
            good &= not broken
            print(" ".join(row), file=sys.stderr, flush=True)
    finally:
        for looker in lookers:
            assert looker.stdin is not None
            looker.stdin.close()
            looker.wait()
    print(f"\nPages, p50 / p95 ms of {runs}; rows read and given, of all queries at {sizes[-1]:,}:\n")
    sized = [f"{size:,} tickets" for size in sizes]
    print(table(["page", *sized, "p95 grew", "queries", "gz bytes", "rows read", "given", "breaks"], rows))
    print(f"\nevery page within its limits: {'yes' if good else 'NO'}")
    return good


def ask(looker: Any, question: str = "") -> Any:
    if question:
        looker.stdin.write(question + "\n")
        looker.stdin.flush()
    line = looker.stdout.readline()
    if not line:
        raise RuntimeError(f"{looker.args!r} ended at {question!r}")
    return json.loads(line)


def p95(times: Sequence[float]) -> float:
    return times[min(len(times) - 1, int(len(times) * 0.95))]


def judged(page: str, found: Sequence[Any], times: Sequence[Sequence[float]]) -> tuple[list[str], bool]:
    """The row of a page, and whether it breaks a limit."""
    small, big = p95(times[0]), p95(times[-1])
    growth, queries = big / small, [one["queries"] for one in found]
    broken = []
    searching = page.startswith(SEARCHES)
    if growth > GROWTH and not searching and (page.startswith(STRICT) or big - small > FEW):
        broken.append("slower")
    if max(queries) > MOST_QUERIES or (len(set(queries)) > 1 and not searching):
        broken.append("queries")
    if found[-1]["over"] and not searching:
        broken.append("reads")
    if found[-1]["bytes"] > MOST_BYTES.get(page, 10**9):
        broken.append("bytes")
    cells = [f"{statistics.median(one):.1f} / {p95(one):.1f}" for one in times]
    said = " = ".join(map(str, dict.fromkeys(queries)))
    what = [f"{found[-1][key]:,}" for key in ("bytes", "read", "gave")]
    return [page, *cells, f"{growth:.2f}", said, *what, f"FAIL: {', '.join(broken)}" if broken else ""], bool(broken)


# Below: in the child process, which works on one database.


@dataclass(frozen=True)
class Asked:
    client: Any
    url: str
    part: bool = False  # as htmx asks

    def get(self) -> Any:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"} if self.part else {}
        return self.client.get(self.url, headers=headers)


def long_conversation() -> int:
    """The newest open ticket of the support mailbox, made fifty messages long."""
    from inbox import bulk
    from inbox.models import Agent, Message, Ticket

    newest = Ticket.objects.filter(status="open", spam=False, trashed_at=None, channel__slug="support")
    ticket = newest.order_by("-last_message_at", "-number")[0]
    agent = Agent.objects.order_by("pk")[0]
    texts = Message.objects.exclude(ticket=ticket).order_by("-pk").values_list("text", flat=True)
    said = list(texts[:MESSAGES])
    bulk.insert_rows(
        Message,
        [
            {
                "ticket_id": ticket.pk, "first_ticket_id": ticket.pk, "direction": "out" if number % 2 else "in",
                "channel_id": ticket.channel_id, "author_kind": "agent" if number % 2 else "customer",
                "agent_id": agent.pk if number % 2 else None, "author_name": "Somebody", "text": said[number],
                "customer_id": None if number % 2 else ticket.customer_id, "visible_text": said[number],
                "html": "" if number % 2 else f"<p>{said[number]}</p>", "state": "sent" if number % 2 else "",
                "created_at": ticket.last_message_at + timedelta(seconds=number),
                "received_at": ticket.last_message_at + timedelta(seconds=number),
            }
            for number in range(MESSAGES - ticket.message_count)
        ],
    )  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(message_count=max(MESSAGES, ticket.message_count))
    return int(ticket.pk)


def deep(agent: Any, query: dict[str, str]) -> str:
    """The address of the rows behind those that somebody scrolled over."""
    from inbox import lists

    listing = lists.of(agent, query)
    found = listing.sort.ordered(listing.tickets)
    most = min(DEEP, found.count() // 2)
    return f"{listing.url}&before={listing.sort.cursor(found[most])}"


def busiest(field: str, **narrowed: Any) -> Any:
    """Who or what most tickets are of."""
    from django.db.models import Count

    from inbox.models import Ticket

    found = Ticket.objects.filter(**narrowed, **{f"{field}__isnull": False}).values_list(field)
    return found.annotate(n=Count("pk")).order_by("-n", field)[0][0]


def addresses() -> Iterator[tuple[str, Asked]]:
    """Every page, by its name."""
    from django.test import Client

    from api.models import ApiToken
    from inbox import default_views
    from inbox.models import Agent, Customer, Ticket

    agent = Agent.objects.order_by("pk")[0]
    _token, secret = ApiToken.objects.issue(agent, "read")
    browser, program = Client(), Client(headers={"Authorization": f"Bearer {secret}"})
    browser.force_login(agent)
    full.fill(agent)
    long = long_conversation()
    whose = busiest("customer", channel__slug="support")
    newest = Ticket.objects.current().filter(channel__slug="support").order_by("-last_message_at", "-number")
    plain = newest.filter(status="open", message_count__lt=4).exclude(pk=long)[0].pk
    crowded = newest.filter(customer=whose)[0].pk
    for view in default_views.VIEWS.values():
        yield f"view: {view.key}", Asked(browser, view.url)
    yield "view: open, switched to", Asked(browser, "/?view=open", part=True)
    yield "view: team", Asked(browser, "/?team=orders")
    yield "view: channel", Asked(browser, "/?channel=support")
    yield "saved views, counted", Asked(browser, "/views/counts/", part=True)
    yield "ticket", Asked(browser, f"/tickets/{plain}/")
    yield "ticket of 50", Asked(browser, f"/tickets/{long}/")
    yield "ticket of 50, opened from the list", Asked(browser, f"/tickets/{long}/", part=True)
    yield "ticket of a customer of hundreds", Asked(browser, f"/tickets/{crowded}/", part=True)
    for number, which in ((plain, "it"), (crowded, "theirs")):
        yield f"tickets like {which}", Asked(browser, f"/tickets/{number}/similar/", part=True)
    for view in default_views.VIEWS.values():
        for sort in view.sorts[1:]:
            yield f"sorted: {view.key}, {sort}", Asked(browser, f"{view.url}&sort={sort}", part=True)
    for key, sort in (("open", "newest"), ("closed", "newest"), ("closed", "oldest"), ("closed", "priority"),
                      ("all", "newest"), ("all", "created"), ("all", "waiting"), ("spam", "newest"),
                      ("trash", "newest")):  # fmt: skip
        url = deep(agent, {"view": key, "sort": sort})
        yield f"scrolled far: {key}, {sort}", Asked(browser, url, part=True)
    firm = busiest("organisation")
    order = newest.filter(attributes__has_key="order")[0].attributes["order"]
    filters = {
        "team": "team=billing", "channel": "channel=support", "tag": "tag=vip", "no tag": "tag_none=delivery",
        "assignee": "assignee=me", "nobody's": "assignee=none", "priority": "priority=urgent,high",
        "organisation": f"organisation={firm}", "customer": f"customer={whose}", "own field": f"field.order={order}",
        "type": "type=complaint", "topic": "topic=Press", "language": "language=ur", "attachment": "attachment=yes",
        "waiting": "waiting=2d", "created": "created=30d", "due, sorted": "priority=low&sort=due",
    }  # fmt: skip
    for name, query in filters.items():
        for key in ("open", "all"):
            yield f"filter: {name} of {key}", Asked(browser, f"/?view={key}&{query}", part=True)
    middle = Customer.objects.order_by("name", "pk")[Customer.objects.count() // 2]
    yield "customers", Asked(browser, "/customers/")
    people = {
        "by name": "sort=name", "newest": "sort=new", "of an organisation": f"f_organisation={firm}",
        "leads": "f_stage=lead", "tag": "f_tag=vip", "with open tickets": "f_open=yes", "language": "f_language=ur",
        "seen lately": "f_seen=7", "seen long ago": "f_seen=older", "attribute": "f_attribute=plan:plus",
        "name, scrolled far": f"sort=name&before=x-{middle.pk}",
    }  # fmt: skip
    for name, query in people.items():
        yield f"customers: {name}", Asked(browser, f"/customers/?{query}")
    yield "customer", Asked(browser, f"/customers/{whose}/")
    yield "customer's tickets", Asked(browser, f"/customers/{whose}/tickets/", part=True)
    yield "customer's journey", Asked(browser, f"/customers/{whose}/journey/", part=True)
    yield "organisation", Asked(browser, f"/organisations/{firm}/")
    yield "new ticket", Asked(browser, "/tickets/new/")
    yield "palette", Asked(browser, "/palette/", part=True)
    yield "notifications", Asked(browser, "/notifications/")
    yield "bell", Asked(browser, "/notifications/bell/", part=True)
    yield "jobs", Asked(browser, "/jobs/", part=True)
    yield "suggested people", Asked(browser, "/people/?q=ayesha", part=True)
    yield "suggested tickets", Asked(browser, f"/tickets/suggestions/?q={plain}", part=True)
    yield "suggested topics", Asked(browser, "/topics/?q=de", part=True)
    yield "macros of a ticket", Asked(browser, f"/tickets/{plain}/macros/", part=True)
    yield "API: tickets", Asked(program, "/api/v1/tickets/")
    yield "API: tickets by status", Asked(program, "/api/v1/tickets/?status=solved&page_size=100")
    yield "API: messages", Asked(program, f"/api/v1/tickets/{long}/messages/")
    yield "search: a common word", Asked(browser, "/?view=open&q=order")
    yield "search: typed", Asked(browser, "/?view=open&q=order+invoice", part=True)
    yield "search: of the palette", Asked(browser, "/palette/?q=order", part=True)
    yield "search: of customers", Asked(browser, "/customers/?q=ayesha")


def plan(page: str, asked: Asked, explain: bool) -> dict[str, int]:
    """Look a few times, and tell what the last look asked for and read."""
    from django.db import connection

    for _again in range(3):  # warm: templates, plans, the session
        captured = reads.Captured()
        with connection.execute_wrapper(captured):
            answer = asked.get()
    assert answer.status_code == 200, (asked.url, answer.status_code, answer.content[:500])
    found = reads.read(captured)
    over = [one for one in found if one.rows > one.gave + SPARE * max(1, one.counts)]
    if explain:
        for one in over:
            print(f"\n{page}: {one.rows} rows\n{one.sql}\n{reads.outline(one.plan)}", file=sys.stderr)
    return {
        "queries": len(captured.statements),
        "bytes": len(gzip.compress(answer.content, 6)),
        "read": sum(one.rows for one in found),
        "gave": sum(one.gave for one in found),
        "over": len(over),
    }


def look(explain: bool) -> None:
    """Answer what the parent asks, a line for a line."""
    pages = dict(addresses())
    print(json.dumps(list(pages)), flush=True)
    for line in sys.stdin:
        what, _space, page = line.strip().partition(" ")
        if what == "plan":
            print(json.dumps(plan(page, pages[page], explain)), flush=True)
            continue
        times = []
        for _run in range(AT_ONCE):
            started = time.perf_counter()
            pages[page].get()
            times.append((time.perf_counter() - started) * 1000)
        print(json.dumps(times), flush=True)


def main() -> None:
    from config import asgi  # noqa: F401 (all is loaded as in the web process)
    from lib import processes

    processes.keep_loaded()
    look(sys.argv[2] == "explain")


if __name__ == "__main__":
    main()
