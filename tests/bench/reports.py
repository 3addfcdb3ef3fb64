"""Figures at two sizes in one run: milliseconds of each card and of all, how facts follow the log, and how fast they
are made again from zero, with the memory of it.

    python -m tests.bench reports [--report-tickets 10000 1000000] [--looks 20] [--keep FOLDER]

The history is `manage.py seed`'s over a year, of which 90 days are asked for. A card is what it asks of the engine: the
figure, the period before, and its days. What misses a floor is said:

- the first card at the largest size within FIRST ms at p95, all cards within ALL ms, MOST_QUERIES queries together;
- facts at most LAG seconds behind a log that grows by RATE events a second;
- a million tickets made again within REBUILD minutes, and no more memory at the end than at a fifth of the way.

That all cards together take at most GROWTH times as long at the largest size is a goal, which is told and not judged.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psutil

from tests.bench.house import House, report, table
from tests.bench.pages import ask, p95

MODULE = "tests.bench.reports"
CARDS = tuple(
    "first_response resolution_first fcr one_touch reopen_rate aht csat nps ces backlog volume abandonment".split()
)
DAYS = 90
FIRST, ALL, MOST_QUERIES = 300.0, 2_500.0, 25
GROWTH = 3.0
RATE, LASTS, LAG = 100, 20, 2.0
LOADS = 10  # seconds for the writer to be loaded, and for the reader to end
REBUILD = 15.0
SAMPLE = 100  # ranges of a thousand tickets that are made again
FLAT = 1.15


def measure(house: House, *, sizes: Sequence[int] = (10_000, 1_000_000), runs: int = 20) -> bool:
    """Print the tables; returns whether no floor is missed."""
    names = [house.seeded(size, days=365) for size in sizes]
    for name in names:
        house.run(name, MODULE, "facts")
    good = cards(house, names, sizes, runs)
    good &= following(house, names[0])
    return rebuilding(house, names[-1], sizes[-1]) and good


def cards(house: House, names: Sequence[str], sizes: Sequence[int], runs: int) -> bool:
    lookers = [house.start(name, MODULE, "look") for name in names]
    times: dict[str, list[list[float]]] = {}
    queries: dict[str, int] = {}
    try:
        shown = [ask(looker) for looker in lookers]
        shared = ask(lookers[-1], "queries together")
        for card in shown[0]:
            queries[card] = ask(lookers[-1], f"queries {card}")
            found: list[list[float]] = [[] for _ in lookers]
            for _turn in range(runs):
                for kept, looker in zip(found, lookers, strict=True):
                    kept.append(ask(looker, f"time {card}"))
            times[card] = [sorted(one) for one in found]
    finally:
        for looker in lookers:
            assert looker.stdin is not None
            looker.stdin.close()
            looker.wait()
    rows = [
        [
            card,
            *(f"{statistics.median(one):.0f} / {p95(one):.0f}" for one in of),
            f"{p95(of[-1]) / p95(of[0]):.1f}",
            str(queries[card]),
        ]
        for card, of in times.items()
    ]
    together = [sum(p95(of[place]) for of in times.values()) for place in range(len(names))]
    first = p95(next(iter(times.values()))[-1])
    print(f"\nCards of {DAYS} days, p50 / p95 ms of {runs}:\n")
    print(table(["card", *(f"{size:,} tickets" for size in sizes), "p95 grew", "queries"], rows))
    print(f"\nfirst card {first:.0f} ms (at most {FIRST:.0f}); all, one after the other, {together[-1]:.0f} ms at p95"
          f" (at most {ALL:.0f}), {together[-1] / together[0]:.1f} times the smaller size (goal {GROWTH:.0f});"
          f" {shared} queries where all are asked together (at most {MOST_QUERIES})")  # fmt: skip
    return bool(first <= FIRST and together[-1] <= ALL and shared <= MOST_QUERIES)


def following(house: House, name: str) -> bool:
    """How late facts are while the log grows, on a copy."""
    house.fresh("followed", name)
    reader = house.start("followed", MODULE, "follow")
    ask(reader)  # it is loaded, and has read what was there
    wrote = house.run("followed", MODULE, "write")
    late = report(reader)
    print(
        f"\nfacts at {wrote['rate']:.0f} events/s over {LASTS} s: {late['p50']:.2f} s behind at p50,"
        f" {late['p95']:.2f} s at p95, {late['most']:.2f} s at most (at most {LAG:.0f})"
    )
    return bool(late["p95"] <= LAG and wrote["rate"] >= RATE * 0.9)


def rebuilding(house: House, name: str, tickets: int) -> bool:
    """Tickets a second and memory of making facts again, over a sample of ranges."""
    process = house.start(name, MODULE, "rebuild")
    top, readings = psutil.Process(process.pid), []
    while process.poll() is None:
        try:
            family = [top, *top.children(recursive=True)]
            readings.append(sum(one.memory_info().rss for one in family) / 2**20)
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.5)
    told = report(process)
    minutes = tickets / told["rate"] / 60
    working = readings[len(readings) // 5 :] or readings
    flat = max(working[-max(1, len(working) // 4) :]) / max(working[: max(1, len(working) // 4)])
    print(f"\nfacts of {told['tickets']:,} tickets made again: {told['rate']:.0f} tickets/s, so {tickets:,} take"
          f" {minutes:.1f} min (at most {REBUILD:.0f} for a million); memory of all processes {max(readings):.0f} MB at"
          f" most, the end over the beginning {flat:.2f} (at most {FLAT})")  # fmt: skip
    return 1_000_000 / told["rate"] / 60 <= REBUILD and flat <= FLAT


# Below: in the child process, which works on one database.


def asked() -> Any:
    from zoneinfo import ZoneInfo

    from django.utils import timezone

    from reports.engine import Question

    now = timezone.now()
    today = now.date()
    return Question(today - timedelta(days=DAYS), today, ZoneInfo("Asia/Karachi"), now)


def show(card: str, question: Any) -> None:
    """All that one card asks; `together`: all of them."""
    from reports import engine

    keys = list(CARDS) if card == "together" else [card]
    engine.figures(keys, question)
    engine.figures(keys, question.before())
    engine.grouped(keys, question, "day")


def look() -> None:
    """Answer what the parent asks, a line for a line."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    print(json.dumps(CARDS), flush=True)
    for line in sys.stdin:
        what, card = line.split()
        question = asked()
        if what == "queries":
            with CaptureQueriesContext(connection) as found:
                show(card, question)
            print(json.dumps(len(found)), flush=True)
            continue
        started = time.perf_counter()
        show(card, question)
        print(json.dumps((time.perf_counter() - started) * 1000), flush=True)


def write() -> None:
    """Let the log grow: priorities are changed, each an event that has its ticket counted anew."""
    from django.db.models import Max

    from inbox import log
    from inbox.models import Agent, Ticket

    agent = Agent.objects.filter(is_bot=False).order_by("pk")[0]
    last = Ticket.objects.aggregate(last=Max("pk"))["last"]
    tickets = list(Ticket.objects.filter(pk__gt=last - 5_000).order_by("pk"))
    started, done = time.monotonic(), 0
    while (spent := time.monotonic() - started) < LASTS:
        for _event in range(int(spent * RATE) - done):
            ticket = tickets[done * 37 % len(tickets)]
            log.record(ticket, "priority_changed", by=agent, **{"from": ticket.priority, "to": "high"})
            done += 1
        time.sleep(0.02)
    print(json.dumps({"rate": done / LASTS}))


def follow() -> None:
    """Read on like a worker, and look how far behind the newest events are."""
    from inbox import log
    from reports.facts import follower

    while log.follow(follower.NAME, follower.keep):
        pass
    late: list[float] = []
    print(json.dumps("ready"), flush=True)
    until = time.monotonic() + LASTS + LOADS
    while time.monotonic() < until:
        late.append(log.lag()[follower.NAME])
        while log.follow(follower.NAME, follower.keep):
            pass
        time.sleep(0.1)
    late.sort()
    print(json.dumps({"p50": statistics.median(late), "p95": p95(late), "most": late[-1]}))


def facts() -> None:
    """Make those that are missing: a small history leaves them to the follower."""
    from lib import processes
    from reports.facts import rebuilding as making
    from reports.models import TicketFact

    if not TicketFact.objects.exists():
        making.everything(processes.sensible(), lambda *_step: None)
    print("{}")


def rebuild() -> None:
    from django.db.models import Max

    from inbox.models import Ticket
    from lib import processes
    from reports.facts import rebuilding as making

    last = Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
    ranges = range(1, last + 1, making.RANGE)
    jobs = [(first, min(first + making.RANGE - 1, last)) for first in ranges[:: max(1, len(ranges) // SAMPLE)]]
    started, found = time.perf_counter(), 0
    for made in processes.do(making.count_range, jobs, processes.sensible()):
        found += made
    for _told in processes.do(making.compare_range, jobs, processes.sensible()):
        pass
    told = sum(1 + end - first for first, end in jobs)
    print(json.dumps({"tickets": found, "rate": told / (time.perf_counter() - started)}))


def main() -> None:
    import django

    django.setup()
    {"look": look, "write": write, "follow": follow, "facts": facts, "rebuild": rebuild}[sys.argv[1]]()


if __name__ == "__main__":
    main()
