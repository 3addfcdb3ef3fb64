"""Mails a second through ingestion, beside the bare loop on the same machine in the same run.

    python -m tests.bench ingest [--mails 2000] [--runs 3]

Four ways over one corpus, in turn: the bare loop; `receive_email` over the folder (receipts committed in batches, then
taken in); the same with a worker process between (stored by one process, taken in by another afterwards); two workers
on one backlog. After each, every mail must be exactly one message in the thread it belongs to.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import corpus
from tests.bench.house import House, report, spread, table

BARE, TAKING = "tests.bench.bare", "tests.bench.taking"
GOAL, FLOOR, PAIR = 1.0, 0.5, 1.3


def check(house: House, database: str, facts: Sequence[corpus.Mail]) -> None:
    """Every mail is one message with its files, and two mails share a ticket when they share a thread."""
    with house.sql(database) as connection:
        rows = connection.execute(
            "SELECT m.external_id, m.ticket_id, m.author_address, m.text, m.kind,"
            " array(SELECT a.digest FROM inbox_attachment a WHERE a.message_id = m.id ORDER BY a.digest)"
            " FROM inbox_message m"
        ).fetchall()
        row = connection.execute("SELECT count(*) FROM inbox_receipt WHERE state <> 'done'").fetchone()
    assert row == (0,), f"{row} receipts are not done"
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for external_id, *rest in rows:
        found[external_id].append(tuple(rest))
    threads: dict[str, set[int]] = defaultdict(set)
    wrong = []
    for fact in facts:
        messages = found.pop(fact.message_id, [])
        if len(messages) != 1:
            wrong.append(f"{fact.message_id}: {len(messages)} messages")
            continue
        ticket, address, text, kind, digests = messages[0]
        threads[fact.thread].add(ticket)
        same = address == fact.sender and kind == fact.kind and digests == sorted(fact.files)
        if not same or " ".join(fact.phrase.split()) not in " ".join(text.split()):
            wrong.append(f"{fact.message_id}: {address} {kind} {digests} {text[:80]!r}")
    tickets = [ticket for numbers in threads.values() for ticket in numbers]
    wrong += [f"thread {root} lies in {numbers}" for root, numbers in threads.items() if len(numbers) != 1]
    assert not wrong and not found, f"{len(wrong)} wrong, {len(found)} unknown: {wrong[:5]}"
    assert len(tickets) == len(set(tickets)), "two threads share a ticket"


def workers(house: House, database: str, count: int) -> dict[str, float]:
    """So many worker processes on one backlog; the clock runs from their common start to the end of the last."""
    children = [house.start(database, TAKING, "work") for _ in range(count)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready"
    started = time.perf_counter()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    reports = [report(child) for child in children]
    return {
        "seconds": max(one["seconds"] for one in reports),
        "wall": time.perf_counter() - started,
        "cpu": sum(one["cpu"] for one in reports),
        "mails": sum(one["mails"] for one in reports),
    }


def measure(house: House, *, mails: int = 2000, runs: int = 3, seed: int = 1) -> bool:
    """Print the table; returns whether the floors hold."""
    rates: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, list[float]] = defaultdict(list)
    served: dict[str, list[float]] = defaultdict(list)

    def note(way: str, run: Callable[[], dict[str, float]]) -> dict[str, float]:
        before = house.postgres_cpu()
        done = run()
        served[way].append((house.postgres_cpu() - before) / mails * 1000)
        rates[way].append(mails / done["seconds"])
        spent[way].append(done["cpu"] / mails * 1000)
        return done

    with tempfile.TemporaryDirectory(prefix="rabta-corpus-") as name:
        facts = corpus.write(Path(name), mails, seed)
        for _run in range(runs):
            house.fresh("bare")
            note("bare loop", partial(house.run, "bare", BARE, name))
            house.fresh("pipe", "empty")
            note("receive_email", partial(house.run, "pipe", TAKING, "pipe", name))
            check(house, "pipe", facts)
            house.fresh("stored", "empty")
            stored = note("receipts alone", partial(house.run, "stored", TAKING, "store", name))
            for count, way in ((1, "one worker"), (2, "two workers")):
                house.fresh(f"workers{count}", "stored")
                note(way, partial(workers, house, f"workers{count}", count))
                check(house, f"workers{count}", facts)
            both = stored["seconds"] + mails / rates["one worker"][-1]
            rates["receipts, then one worker"].append(mails / both)
    middle = {way: statistics.median(values) for way, values in rates.items()}
    rows = [
        [
            way,
            spread(values),
            f"{middle[way] / middle['bare loop']:.2f}",
            *(spread(cost[way], 2) if way in cost else "" for cost in (spent, served)),
        ]
        for way, values in rates.items()
    ]
    print(f"\nIngestion of {mails} mails, median of {runs} (least-most):\n")
    print(table(["way", "mails/s", "of the bare loop", "ms of CPU a mail in Python", "in PostgreSQL"], rows))
    pair = middle["two workers"] / middle["one worker"]
    least = min(middle["receive_email"], middle["receipts, then one worker"]) / middle["bare loop"]
    print(
        f"\nof the bare loop: {least:.2f} (goal {GOAL}, floor {FLOOR}); two workers over one: {pair:.2f} (goal {PAIR})"
    )
    return least >= FLOOR
