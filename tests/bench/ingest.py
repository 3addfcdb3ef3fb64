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
from collections.abc import Sequence
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
    with tempfile.TemporaryDirectory(prefix="rabta-corpus-") as name:
        folder = Path(name)
        facts = corpus.write(folder, mails, seed)
        for _run in range(runs):
            bare = house.run(house.fresh("bare"), BARE, str(folder))
            assert bare["mails"] == mails
            note(rates, spent, "bare loop", mails, bare["seconds"], bare["cpu"])
            ours = house.run(house.fresh("pipe", "empty"), TAKING, "pipe", str(folder))
            check(house, "pipe", facts)
            note(rates, spent, "receive_email", mails, ours["seconds"], ours["cpu"])
            house.fresh("stored", "empty")
            stored = house.run("stored", TAKING, "store", str(folder))
            note(rates, spent, "receipts alone", mails, stored["seconds"], stored["cpu"])
            for count, name in ((1, "one worker"), (2, "two workers")):
                done = workers(house, house.fresh(f"workers{count}", "stored"), count)
                check(house, f"workers{count}", facts)
                note(rates, spent, name, mails, done["seconds"], done["cpu"])
            both = stored["seconds"] + mails / rates["one worker"][-1]
            note(rates, spent, "receipts, then one worker", mails, both, 0)
    middle = {way: statistics.median(values) for way, values in rates.items()}
    rows = [
        [way, spread(values), f"{middle[way] / middle['bare loop']:.2f}", spread(spent[way], 2)]
        for way, values in rates.items()
    ]
    print(f"\nIngestion of {mails} mails, median of {runs} (least-most):\n")
    print(table(["way", "mails/s", "of the bare loop", "CPU s in Python"], rows))
    pair = middle["two workers"] / middle["one worker"]
    least = min(middle["receive_email"], middle["receipts, then one worker"]) / middle["bare loop"]
    print(
        f"\nof the bare loop: {least:.2f} (goal {GOAL}, floor {FLOOR}); two workers over one: {pair:.2f} (goal {PAIR})"
    )
    return least >= FLOOR


def note(
    rates: dict[str, list[float]], spent: dict[str, list[float]], way: str, mails: int, seconds: float, cpu: float
) -> None:
    rates[way].append(mails / seconds)
    spent[way].append(cpu)
