"""Whether hundreds of screens keep up, and end with what the database holds: `python -m tests.bench load`.

300 agents on two web processes, 3 of them in Chromium, and 30 messages a second for a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psutil

from tests.bench.house import House, table
from tests.bench.live import quantile
from tests.bench.sockets import Client, Web, connect

MODULE = "tests.bench.load"
MOST_LATE = 1.0  # seconds, p95
SETTLE = 15.0  # seconds after the last message within which each screen has to be right
ROW = re.compile(rb'id=\\"row-(\d+)\\" data-number=\\"\d+\\" data-at=\\"([\d.]+)\\"')

SHOWN = """[...document.querySelectorAll("#rows .row")].map(row => [Number(row.dataset.number), row.dataset.at])"""

# What a page shows, and what the server lists now, row by row in their order. Pages of the list are asked for until
# there is none, so that the whole of both is compared.
COMPARED = """async () => {
  const list = document.getElementById("rows")
  const key = row => [row.dataset.number, row.dataset.at, row.dataset.status, row.dataset.assignee,
    ...[".name", ".subject", ".preview"].map(part => row.querySelector(part).textContent.trim())]
  const rows = place => [...place.querySelectorAll(".row")].map(key)
  const found = []
  for (let url = `${list.dataset.url}&again`; url; ) {
    const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
    const page = document.createElement("template")
    page.innerHTML = await answer.text()
    found.push(...rows(page.content))
    url = page.content.querySelector(".more")?.getAttribute("href")
  }
  return { shown: rows(list), listed: found }
}"""


def measure(house: House, *, agents: int = 300, browsers: int = 3, seconds: int = 60, rate: int = 30) -> bool:
    """Print how late screens are under load; returns whether all of them end equal to the database, and soon enough."""
    cookies = house.run(house.fresh("load", "empty"), "tests.bench.live", "people", str(agents))["sessions"]
    webs = [Web("config.asgi:application", house.environment("load")) for _two in range(2)]
    writer = house.start("load", MODULE, str(seconds), str(rate))
    try:
        found = asyncio.run(_under_load(house, webs, cookies, writer, browsers))
    finally:
        for web in webs:
            web.stop()
        if writer.poll() is None:
            writer.kill()
        writer.communicate()
    print(f"\n{agents} agents ({browsers} in Chromium), {rate} messages a second for {seconds} s, two web processes:\n")
    print(table(["", ""], found["table"]))
    soon = found["p95"] <= MOST_LATE
    print(f"\nall equal to the database: {'yes' if found['equal'] else 'NO'}; "
          f"p95 at most {MOST_LATE:.0f} s: {'yes' if soon else 'NO'}")  # fmt: skip
    return bool(found["equal"] and soon)


async def _under_load(
    house: House, webs: list[Web], cookies: list[str], writer: subprocess.Popen[str], browsers: int
) -> dict[str, Any]:
    arrivals: dict[int, list[tuple[float, dict[int, str]]]] = {}

    @lru_cache(200)  # most are told the same; reading it 297 times would slow down the machine that is measured
    def rows_of(body: bytes) -> dict[int, str]:
        return {int(number): at.decode() for number, at in ROW.findall(body)}

    def heard(client: Client, now: float, body: bytes) -> None:
        if rows := rows_of(body):
            client.told.update(rows)
            arrivals.setdefault(id(client), []).append((now, rows))

    clients = []
    for part, web in enumerate(webs):
        clients += await connect(web.port, cookies[browsers:][part :: len(webs)], heard)
    async with _chromium(webs, cookies[:browsers]) as pages:
        spent = _spent(house, webs, writer)
        before = spent()
        assert writer.stdin is not None and writer.stdout is not None
        print("go", file=writer.stdin, flush=True)
        lines = await asyncio.to_thread(writer.stdout.readlines)
        ended = time.monotonic()
        written = [json.loads(line) for line in lines]  # when each message was committed, and in which ticket
        truth: dict[int, str] = {int(number): at for number, at in written.pop()["truth"].items()}
        used = {name: after - before[name] for name, after in spent().items()}
        ordered = sorted(truth.items(), key=lambda one: (float(one[1]), one[0]), reverse=True)
        newest = [[number, at] for number, at in ordered]
        equal = right = 0
        while (equal, right) != (len(clients), len(pages)) and time.monotonic() < ended + SETTLE:
            await asyncio.sleep(0.5)
            equal = sum(client.told == truth and not client.lost for client in clients)
            right = sum([await page.evaluate(SHOWN) == newest for page in pages])
        settled = time.monotonic() - ended
        right = sum(_right(one, newest) for one in await asyncio.gather(*(page.evaluate(COMPARED) for page in pages)))
    for client in clients:
        client.transport.abort()
    late = _lateness(written, arrivals)
    rows = [
        ["messages", f"{len(written)}"],
        ["clients equal to the database", f"{equal} of {len(clients)}"],
        ["Chromiums whose list is the server's and the database's", f"{right} of {len(pages)}"],
        ["found so after the last message", f"{settled:.1f} s"],
        ["commit to frame, p50", f"{quantile(late, 0.5):.3f} s"],
        ["p95", f"{quantile(late, 0.95):.3f} s"],
        ["most", f"{max(late):.3f} s"],
        *([f"CPU seconds: {name}", f"{one:.1f}"] for name, one in used.items()),
        ["peak memory of the web processes, MB", " + ".join(f"{_peak(web.process.pid):.0f}" for web in webs)],
    ]
    good = equal == len(clients) and right == len(pages)
    return {"table": rows, "equal": good, "p95": quantile(late, 0.95)}


def _right(found: dict[str, Any], newest: list[list[Any]]) -> bool:
    """Whether a page shows what the server lists, in its order, and that is what the database holds.

    Says where they part.
    """
    shown, listed = found["shown"], found["listed"]
    good = [[int(row[0]), row[1]] for row in listed] == newest and shown == listed
    if not good:
        pairs = enumerate(zip_longest(shown, listed))
        apart = next(([at, one, two] for at, (one, two) in pairs if one != two), "nowhere")
        print(f"{len(shown)} shown, {len(listed)} listed, {len(newest)} in the database; apart at {apart}",
              file=sys.stderr)  # fmt: skip
    return good


def _lateness(written: list[dict[str, Any]], arrivals: dict[int, list[tuple[float, dict[int, str]]]]) -> list[float]:
    """How long each client waited for each message; a later one of its ticket tells of it, too."""
    late = []
    for heard in arrivals.values():
        by_ticket: dict[int, list[tuple[float, float]]] = {}
        for now, rows in heard:
            for number, at in rows.items():
                by_ticket.setdefault(number, []).append((now, float(at)))
        for one in written:
            came = next((now for now, at in by_ticket.get(one["ticket"], ()) if at >= one["last"]), None)
            late.append(came - one["began"] if came is not None else 3600.0)
    return late


def _spent(house: House, webs: list[Web], writer: subprocess.Popen[str]) -> Any:
    """A function that says how many seconds of CPU each part has used so far."""
    here = psutil.Process()
    chromium = [one for one in here.children(recursive=True) if "chrom" in one.name()]
    parts = {
        **{f"web process {part}": [psutil.Process(web.process.pid)] for part, web in enumerate(webs, 1)},
        "Chromium": chromium,
        "the clients": [here],
        "the writer": [psutil.Process(writer.pid)],
    }

    def used() -> dict[str, float]:
        found = {"PostgreSQL": house.postgres_cpu()}
        for name, processes in parts.items():
            found[name] = 0.0
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):  # what has ended is left out
                    found[name] += sum(process.cpu_times()[:2])
        return found

    return used


def _peak(pid: int) -> float:
    with Path(f"/proc/{pid}/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


class _chromium:  # noqa: N801 - a context manager
    """Pages with the list of open tickets, each logged in as somebody else."""

    def __init__(self, webs: list[Web], cookies: list[str]) -> None:
        self.webs, self.cookies = webs, cookies

    async def __aenter__(self) -> list[Any]:
        self.playwright: Any = None
        if not self.cookies:
            return []
        from playwright.async_api import async_playwright

        self.playwright = await async_playwright().start()
        path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        self.browser = await self.playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        pages = []
        for number, cookie in enumerate(self.cookies):
            url = f"http://localhost:{self.webs[number % len(self.webs)].port}"
            context = await self.browser.new_context()
            await context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
            page = await context.new_page()
            await page.goto(f"{url}/?view=open")
            await page.locator("#live[data-on]").wait_for(state="attached")
            pages.append(page)
        return pages

    async def __aexit__(self, *_error: object) -> None:
        if self.playwright is not None:
            await self.browser.close()
            await self.playwright.stop()


# In a child process -----------------------------------------------------------------------------------------
def mails(seconds: int, rate: int) -> None:
    """Take mails in, as a worker does: every other one answers one from before. Says of each when it was committed."""
    from hashlib import sha256

    from inbox import live
    from inbox.actions import receive
    from inbox.adapters import RawReceipt
    from inbox.models import Channel, Ticket

    committed: dict[int, float] = {}  # when a change of each ticket was last told, right after its commit
    tell = live.announce

    def announce(tickets: Iterable[int], *, messages: Iterable[int] = ()) -> None:
        numbers = list(tickets)
        committed.update(dict.fromkeys(numbers, time.monotonic()))
        tell(numbers, messages=messages)

    live.announce = announce
    channel = Channel.objects.get(slug="support")
    sys.stdin.readline()
    started, sent, said = time.monotonic(), 0, []
    while time.monotonic() - started < seconds:
        due = min(int((time.monotonic() - started) * rate) - sent, 10)
        if due < 1:
            time.sleep(0.02)
            continue
        raw = []
        for number in range(sent, sent + due):
            answers = number - 21 if number % 2 and number > 40 else None
            of = number if answers is None else answers
            head = f"From: C {of} <c{of}@example.com>\nTo: support@desk.example\nSubject: Question {of}\n"
            head += f"Message-ID: <{number}@example.com>\n"
            head += f"In-Reply-To: <{answers}@example.com>\n" if answers is not None else ""
            body = f"{head}\nWhere is parcel {number}?\n".encode()
            raw.append(RawReceipt(body, sha256(body).hexdigest()))
        stored = receive.store(channel, raw, claim=True)
        outcomes = receive.take_in([one.receipt_id for one in stored])
        moments = dict(
            Ticket.objects.filter(pk__in=[one.ticket for one in outcomes]).values_list("pk", "last_message_at")
        )
        for one in outcomes:
            assert one.ticket is not None, one
            number = one.ticket
            said.append({"began": committed[number], "ticket": number, "last": moments[number].timestamp()})
        sent += due
    for fact in said:
        print(json.dumps(fact))
    truth = {number: f"{at.timestamp():.6f}" for number, at in Ticket.objects.values_list("pk", "last_message_at")}
    print(json.dumps({"truth": truth}), flush=True)


def main() -> None:
    import django

    django.setup()
    mails(*map(int, sys.argv[1:]))


if __name__ == "__main__":
    main()
