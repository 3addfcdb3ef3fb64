"""Webhooks: what one web process takes in, beside a bare view on the same machine in the same run.

    python -m tests.bench hooks

An open loop of 150 events a second (each is due at its moment, whether the one before was answered or not), then as
many as sixteen connections get through. The bare view checks a signature and inserts one row, once with Rabta's own
middleware around it, once with none. Then 10,000 events of 20 channels in any order, and a flood on one channel.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from tests.bench.bare_hook import SECRET, TABLE
from tests.bench.house import House, table
from tests.bench.live import quantile
from tests.bench.sockets import Web

MODULE = "tests.bench.hooks"
RATE, CONNECTIONS = 150, 16
MOST_RATIO, LEAST_SHARE, MOST_DELAY = 2.0, 0.7, 2.0
KINDS = ("ours", "same", "plain")
EVENTS, CHANNELS = 10_000, 20


def measure(house: House, *, runs: int = 3, seconds: int = 8) -> bool:
    """Print the figures; returns whether the bounds hold against the bare view in the same surroundings."""
    ready = house.run(house.fresh("hooks", "empty"), MODULE, "channel")
    with house.sql("hooks") as connection:
        connection.execute(TABLE)
    late: dict[str, list[float]] = {kind: [] for kind in KINDS}
    most: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _run in range(runs):
        for kind in KINDS:
            environment = {**house.environment("hooks"), "RABTA_PROCESS": "web"}
            if kind == "ours":
                web = Web("config.asgi:application", environment, bare=False)
            else:
                web = Web("tests.bench.bare_hook:application", {**environment, "BENCH_BARE": kind}, bare=True)
            try:
                found = asyncio.run(_load(web.port, kind, ready, seconds))
            finally:
                web.stop()
            late[kind].append(quantile(found["late"], 0.95) * 1000)
            most[kind].append(found["rate"])
    rows = [[kind, f"{statistics.median(late[kind]):.1f}", f"{statistics.median(most[kind]):.0f}"] for kind in KINDS]
    print(f"\nOne web process; {RATE} a second for {seconds} s, then {CONNECTIONS} connections; {runs} runs:\n")
    print(table(["", "p95, ms", "most a second"], rows))
    ratio = statistics.median(ours / bare for ours, bare in zip(late["ours"], late["same"], strict=True))
    share = statistics.median(ours / bare for ours, bare in zip(most["ours"], most["same"], strict=True))
    print(
        f"\np95 to the bare view: {ratio:.2f} (at most {MOST_RATIO}); throughput: {share:.2f} (at least {LEAST_SHARE})"
    )
    plain = statistics.median(ours / bare for ours, bare in zip(most["ours"], most["plain"], strict=True))
    print(f"throughput to the bare view without any middleware: {plain:.2f}")
    order = house.run(house.fresh("order", "empty"), MODULE, "order", str(EVENTS), str(CHANNELS))
    print(
        f"\n{EVENTS} events of {CHANNELS} channels: {order['in_order']:.0f} s in order, {order['mixed']:.0f} s mixed, "
        f"a tenth repeated, a twentieth late; the same state: {'yes' if order['same'] else 'NO'}"
    )
    delay = house.run(house.fresh("flood", "empty"), MODULE, "flood", "10000")
    print(
        f"a flood of 10,000 on one channel, a message on another: taken in after {delay['seconds']:.2f} s "
        f"(at most {MOST_DELAY}), the flood after {delay['flood']:.0f} s"
    )
    good = ratio <= MOST_RATIO and share >= LEAST_SHARE
    return good and bool(order["same"]) and delay["seconds"] <= MOST_DELAY


def _request(kind: str, number: int, ready: dict[str, Any]) -> tuple[str, bytes, dict[str, str]]:
    """Path, body and headers of one event."""
    said = {
        "message_id": number, "from": {"id": 5550000 + number % 500, "is_bot": False, "first_name": "Ana"},
        "chat": {"id": 5550000 + number % 500, "type": "private"}, "date": 1760000000, "text": "Is order 12 shipped?",
    }  # fmt: skip
    body = json.dumps({"update_id": number, "message": said}).encode()
    if kind == "ours":
        return ready["path"], body, {"X-Telegram-Bot-Api-Secret-Token": ready["secret"]}
    return "/hook/", body, {"X-Signature": hmac.new(SECRET, body, hashlib.sha256).hexdigest()}


async def _load(port: int, kind: str, ready: dict[str, Any], seconds: int) -> dict[str, Any]:
    numbers = iter(range(time.monotonic_ns() // 1000, 2**62))
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(f"http://localhost:{port}", connector=connector) as session:

        async def call() -> None:
            path, body, headers = _request(kind, next(numbers), ready)
            async with session.post(path, data=body, headers=headers) as response:
                await response.read()
                assert response.status == 200, response.status

        await asyncio.gather(*(call() for _ in range(200)))  # what is made once has been made
        late: list[float] = []

        async def due(at: float) -> None:
            await call()
            late.append(time.monotonic() - at)

        began, calls = time.monotonic() + 0.1, []
        for number in range(RATE * seconds):
            at = began + number / RATE
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            calls.append(asyncio.create_task(due(at)))
        await asyncio.gather(*calls)
        done = 0
        until = time.monotonic() + seconds

        async def keep_on() -> None:
            nonlocal done
            while time.monotonic() < until:
                await call()
                done += 1

        await asyncio.gather(*(keep_on() for _ in range(CONNECTIONS)))
        return {"late": late, "rate": done / seconds}


# In child processes -----------------------------------------------------------------------------------------


def channel() -> None:
    """A Telegram bot by webhook."""
    from inbox.models import Channel
    from lib import signing

    made = Channel(kind="telegram", slug="bot", name="Bot", settings={"mode": "webhook"})
    made.secrets = {"token": "1:x"}
    made.save()
    secret = signing.sign("telegram webhook", made.token)
    print(json.dumps({"path": f"/hooks/telegram/{made.token}/", "secret": secret}))


def order(events: int, channels: int) -> None:
    """The same history in order and mixed, each on channels of its own: seconds, and whether both come to the same."""
    import random

    from inbox.actions import receive
    from inbox.models import Channel, Ticket
    from tests import chatter

    history = chatter.history(events, channels, seed=7)
    found, took = [], []
    for mixed in (False, True):
        rows = chatter.make_channels(channels)
        began = time.monotonic()
        if mixed:
            chance = random.Random(7)
            shuffled = chance.sample(history, len(history))
            late = {number for number in range(len(shuffled)) if chance.random() < 0.05}
            early = [one for number, one in enumerate(shuffled) if number not in late]
            chatter.bring(rows, early, copies=0.1, seed=7)
            receive.take_in_waiting(10_000)
            chatter.bring(rows, [one for number, one in enumerate(shuffled) if number in late])
        else:
            for place in range(0, len(history), 100):
                chatter.bring(rows, history[place : place + 100])
                receive.take_in_waiting(10_000)
        chatter.settle()
        took.append(time.monotonic() - began)
        found.append(chatter.told(rows))
        for row in rows:  # out of the way of the next
            row.slug = f"done-{row.pk}"
            row.save()
        Ticket.objects.filter(channel__in=rows).update(thread_key="done")
    same = found[0] == found[1]
    if not same:
        for noun in found[0]:
            wrong = {key for key in found[0][noun] if found[1][noun].get(key) != found[0][noun][key]}
            print(noun, len(wrong), sorted(wrong)[:3], file=sys.stderr)
    assert Channel.objects.count() > channels
    print(json.dumps({"in_order": took[0], "mixed": took[1], "same": same}))


def flood(events: int) -> None:
    """How long a message on another channel waits behind so many, with one worker."""
    import threading

    from inbox.actions import receive
    from inbox.models import Message
    from tests import chatter

    flooded, quiet = chatter.make_channels(2)
    at = chatter.BEGAN.isoformat()
    many = [(0, {"id": f"f{n}", "who": f"u{n % 50}", "at": at, "what": "says", "text": f"{n}"}) for n in range(events)]
    chatter.bring([flooded, quiet], many)
    worker = threading.Thread(target=receive.take_in_waiting, args=(10_000,))
    began = time.monotonic()
    worker.start()
    time.sleep(1)
    receive.put(quiet, [chatter.receipt({**many[0][1], "id": "q"})])
    came = time.monotonic()
    while not Message.objects.filter(channel=quiet).exists() and worker.is_alive():
        time.sleep(0.01)
    waited = time.monotonic() - came
    worker.join()
    assert Message.objects.count() == events + 1
    print(json.dumps({"seconds": waited, "flood": time.monotonic() - began}))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    what, *numbers = sys.argv[1:]
    deeds: dict[str, Callable[..., None]] = {"channel": channel, "order": order, "flood": flood}
    deeds[what](*map(int, numbers))


if __name__ == "__main__":
    main()
