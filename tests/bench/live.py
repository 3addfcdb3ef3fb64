"""How fast a change is on hundreds of screens, and whether all of them end up with what the database holds.

python -m tests.bench live      # one message to 500 agents on one web process, beside a bare ASGI websocket
python -m tests.bench load      # 300 agents, 3 of them in Chromium, 30 messages a second on two web processes
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from tests.bench.house import House, table
from tests.bench.sockets import Client, Web, connect

MODULE = "tests.bench.live"
MOST_RATIO = 2.0
MOST_LATE = 1.0  # seconds, p95
ROW = re.compile(rb'id=\\"row-(\d+)\\" data-number=\\"\d+\\" data-at=\\"([\d.]+)\\"')


def measure(house: House, *, agents: int = 500, rounds: int = 25) -> bool:
    """Print what one message costs; returns whether its median is at most twice the bare one."""
    cookies = house.run(house.fresh("live", "empty"), MODULE, "people", str(agents))["sessions"]
    writer = house.start("live", MODULE, "write")
    web = Web("config.asgi:application", house.environment("live"))
    try:
        ours, text = asyncio.run(_rounds(web, cookies, writer, rounds))
    finally:
        web.stop()
        writer.kill()
        writer.communicate()
    web = Web("tests.bench.sockets:bare", dict(os.environ))
    try:
        plain, _text = asyncio.run(_rounds(web, cookies, text, rounds))
    finally:
        web.stop()
    rows = []
    for name, found in (("Rabta, commit to frame", ours), ("bare, frame to frame", plain)):
        rows.append(
            [name, *(f"{_quantile(found[part], q) * 1000:.1f}" for part in ("each", "last") for q in (0.5, 0.95))]
        )
    print(f"\nOne message to {agents} sockets on one process, {rounds} rounds, frames of {len(text)} bytes, ms:\n")
    print(table(["", "p50 of sockets", "p95", "last socket, p50", "p95"], rows))
    ratio = statistics.median(ours["last"]) / statistics.median(plain["last"])
    print(f"\nlast socket, p50 to the bare one: {ratio:.2f} (at most {MOST_RATIO:.0f})")
    return ratio <= MOST_RATIO


def _quantile(values: list[float], q: float) -> float:
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * q))]


async def _rounds(
    web: Web, cookies: list[str], source: subprocess.Popen[str] | str, rounds: int
) -> tuple[dict[str, list[float]], str]:
    """Times from the commit, or from the frame that set the bare server going, to each socket and to the last one."""
    arrived: list[float] = []
    everybody = asyncio.Event()
    text = ""

    def heard(_client: Client, now: float, body: bytes) -> None:
        nonlocal text
        if b'"rows"' in body:
            arrived.append(now)
            if len(arrived) == len(cookies):
                text = body.decode()
                everybody.set()

    clients = await connect(web.port, cookies, heard)
    await asyncio.sleep(4)  # what newcomers are told has been told
    found: dict[str, list[float]] = {"each": [], "last": []}
    for number in range(rounds + 3):
        arrived.clear()
        everybody.clear()
        if isinstance(source, str):
            began = time.monotonic()
            clients[0].say(source)
        else:
            began = await asyncio.to_thread(_written, source)
        await asyncio.wait_for(everybody.wait(), 20)
        if number >= 3:
            found["each"] += [at - began for at in arrived]
            found["last"].append(max(arrived) - began)
        await asyncio.sleep(0.7)
    for client in clients:
        client.transport.abort()
    return found, text


def _written(writer: subprocess.Popen[str]) -> float:
    assert writer.stdin is not None and writer.stdout is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()
    return float(writer.stdout.readline())


# The load ---------------------------------------------------------------------------------------------------


def load(house: House, *, agents: int = 300, browsers: int = 3, seconds: int = 60, rate: int = 30) -> bool:
    """Print how late screens are under load; returns whether all of them end equal to the database, and soon enough."""
    cookies = house.run(house.fresh("load", "empty"), MODULE, "people", str(agents))["sessions"]
    webs = [Web("config.asgi:application", house.environment("load")) for _two in range(2)]
    writer = house.start("load", MODULE, "mails", str(seconds), str(rate))
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
    good = found["equal"] and found["p95"] <= MOST_LATE
    print(f"\nall equal to the database: {'yes' if found['equal'] else 'NO'}; p95 at most {MOST_LATE:.0f} s: "
          f"{'yes' if found['p95'] <= MOST_LATE else 'NO'}")  # fmt: skip
    return bool(good)


async def _under_load(
    house: House, webs: list[Web], cookies: list[str], writer: subprocess.Popen[str], browsers: int
) -> dict[str, Any]:
    arrivals: dict[int, list[tuple[float, int, str]]] = {}

    def heard(client: Client, now: float, body: bytes) -> None:
        for number, at in ROW.findall(body):
            client.told[int(number)] = at.decode()
            arrivals.setdefault(id(client), []).append((now, int(number), at.decode()))

    plain = cookies[browsers:]
    clients = []
    for part, web in enumerate(webs):
        clients += await connect(web.port, plain[part :: len(webs)], heard)
    async with _chromium(webs, cookies[:browsers]) as pages:
        before = [psutil.Process(web.process.pid).cpu_times() for web in webs]
        assert writer.stdin is not None and writer.stdout is not None
        await asyncio.to_thread(_go, writer)
        lines = await asyncio.to_thread(writer.stdout.readlines)
        await asyncio.sleep(3)
        after = [psutil.Process(web.process.pid).cpu_times() for web in webs]
        written = [json.loads(line) for line in lines]  # when each message was committed, and in which ticket
        truth = written.pop()["truth"]
        wanted = {int(number): at for number, at in truth.items()}
        equal = sum(client.told == wanted and not client.lost for client in clients)
        newest = sorted(wanted, key=lambda number: -float(wanted[number]))[:40]
        shown = [
            await page.evaluate(
                "[...document.querySelectorAll('#rows .row')].slice(0, 40).map(row => Number(row.dataset.number))"
            )
            for page in pages
        ]
    late = _lateness(written, arrivals)
    peaks = [_peak(web.process.pid) for web in webs]
    spent = [now.user + now.system - was.user - was.system for was, now in zip(before, after, strict=True)]
    right = sum(one == newest for one in shown)
    if right < len(shown):
        print("newest:", newest, "shown:", *shown, sep="\n", file=sys.stderr)
    for client in clients:
        client.transport.abort()
    rows = [
        ["messages", f"{len(written)}"],
        ["clients equal to the database", f"{equal} of {len(clients)}"],
        ["Chromiums whose first 40 rows are right", f"{right} of {len(pages)}"],
        ["commit to frame, p50", f"{_quantile(late, 0.5):.3f} s"],
        ["p95", f"{_quantile(late, 0.95):.3f} s"],
        ["most", f"{max(late):.3f} s"],
        ["CPU seconds of the web processes", " + ".join(f"{one:.1f}" for one in spent)],
        ["their peak memory, MB", " + ".join(f"{one:.0f}" for one in peaks)],
    ]
    return {"table": rows, "equal": equal == len(clients) and right == len(pages), "p95": _quantile(late, 0.95)}


def _go(writer: subprocess.Popen[str]) -> None:
    assert writer.stdin is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()


def _lateness(written: list[dict[str, Any]], arrivals: dict[int, list[tuple[float, int, str]]]) -> list[float]:
    """How long each client waited for each message; a later one of its ticket tells of it, too."""
    late = []
    for heard in arrivals.values():
        by_ticket: dict[int, list[tuple[float, float]]] = {}
        for now, number, at in heard:
            by_ticket.setdefault(number, []).append((now, float(at)))
        for one in written:
            came = next((now for now, at in by_ticket.get(one["ticket"], ()) if at >= one["last"]), None)
            late.append(came - one["began"] if came is not None else 3600.0)
    return late


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


# In child processes -----------------------------------------------------------------------------------------


def people(count: int) -> None:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from inbox.models import Agent, LogIn, Team

    team = Team.objects.create(name="Orders", slug="orders")
    made = Agent.objects.bulk_create(
        [Agent(email=f"a{n}@desk.example", name=f"Agent {n}", password="!") for n in range(count)]
    )
    team.members.add(*made)
    sessions = []
    for agent in made:
        session = SessionStore()
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session.create()
        LogIn.objects.create(agent=agent, session=session.session_key)
        sessions.append(session.session_key)
    print(json.dumps({"sessions": sessions}))


def write() -> None:
    """A message for each line of standard input; says when its transaction was committed."""
    from django.db import transaction

    from inbox.actions import tickets
    from inbox.adapters import Party
    from inbox.models import Channel

    channel = Channel.objects.get(slug="support")
    for number, _line in enumerate(sys.stdin):
        with transaction.atomic():
            transaction.on_commit(lambda: print(time.monotonic(), flush=True))
            who = Party("email", f"c{number}@example.com", f"Customer {number}")
            tickets.open_ticket(
                by=None, channel=channel, identity=who, subject=f"Question {number}", text="Where is it?"
            )


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
    what, *numbers = sys.argv[1:]
    {"people": people, "write": write, "mails": mails}[what](*map(int, numbers))  # type: ignore[operator]


if __name__ == "__main__":
    main()
