"""Replies a second through delivery, beside a bare smtplib loop that hands the same bytes to the same Postfix.

    python -m tests.bench deliver [--replies 400] [--runs 3]

Postfix (from Debian) runs on loopback in a folder of its own and throws away what it took. Ours claims, renders, sends,
and records each outcome before the next; the bare loop has rendered everything before its clock starts.
Both wait for the same disk, and ours commits once for each mail: measure on a machine that does nothing else.
"""

from __future__ import annotations

import json
import smtplib
import statistics
import sys
import time
from collections import defaultdict

import pytest

from tests.bench.house import SLUG, House, spread, table

FLOOR = 0.4
MODULE = "tests.bench.deliver"
DOMAIN = "customers.example"


def measure(house: House, *, replies: int = 400, runs: int = 3) -> bool:
    """Print the table; returns whether the floor holds. Without Postfix it says so and holds."""
    from tests.servers import postfix

    try:
        with postfix.running({DOMAIN: "discard:"}, certificate=False) as server:
            return _measure(house, server, replies, runs)
    except pytest.skip.Exception as reason:
        print(f"\nDelivery was not measured: {reason}")
        return True


def _measure(house: House, server: object, replies: int, runs: int) -> bool:
    from tests.servers.postfix import Postfix

    assert isinstance(server, Postfix)
    rates: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, list[float]] = defaultdict(list)
    house.fresh("replies", "empty")
    house.run("replies", MODULE, "write", str(replies), str(server.port))
    for _run in range(runs):
        for way in ("bare", "ours"):
            done = house.run(house.fresh("leaving", "replies"), MODULE, way, str(replies), str(server.port))
            server.wait_until_empty(120)
            rates[way].append(replies / done["seconds"])
            spent[way].append(done["cpu"] / replies * 1000)
    middle = {way: statistics.median(values) for way, values in rates.items()}
    names = {"bare": "bare smtplib loop", "ours": "delivery"}
    print(f"\nDelivery of {replies} replies to one Postfix, median of {runs} (least-most):\n")
    rows = [
        [names[way], spread(values), f"{middle[way] / middle['bare']:.2f}", spread(spent[way], 2)]
        for way, values in rates.items()
    ]
    print(table(["way", "mails/s", "of the bare loop", "ms of CPU a mail in Python"], rows))
    ratio = middle["ours"] / middle["bare"]
    print(f"\nof the bare loop: {ratio:.2f} (floor {FLOOR})")
    return ratio >= FLOOR


def write(replies: int, port: int) -> dict[str, float]:
    """So many tickets, each answered by an agent; every fourth reply carries a small file."""
    from inbox.actions import reply, tickets, uploads
    from inbox.adapters import Party
    from inbox.models import Agent, Channel

    channel = Channel.objects.get(slug=SLUG)
    channel.settings = {**channel.settings, "smtp": {"host": "127.0.0.1", "port": port, "security": "none"}}
    channel.save()
    agent = Agent.objects.create_user("nida@desk.example", name="Nida Raza", signature="Nida Raza\nSupport")
    for number in range(replies):
        who = Party("email", f"customer{number}@{DOMAIN}", f"Customer {number}")
        ticket = tickets.open_ticket(
            by=None, channel=channel, identity=who, subject=f"Order {number}", text="Where is it?", direction="in"
        )
        files = []
        if number % 4 == 0:
            content = b"id;amount\n" + b"".join(b"%d;%d.00\n" % (row, row * number) for row in range(1500))
            name = f"invoice {number}.csv"
            files = [uploads.upload(by=agent, name=name, content_type="text/csv", content=content).pk]
        text = f"Hello,\n\norder {number} left us this morning; it will be with you tomorrow.\n\n" + "آپ کا شکریہ\n" * 5
        reply.reply(ticket, by=agent, text=text, attachments=files, client_id=f"bench-{number}")
    return {"replies": replies}


def ours(replies: int, _port: int) -> dict[str, float]:
    from channels_email.render import render
    from inbox import delivery
    from inbox.models import Channel, Message

    channel = Channel.objects.get(slug=SLUG)
    render(Message.objects.filter(state="queued")[0])  # a worker that has run for a while has loaded its code
    Message.objects.filter(state="queued").update(next_attempt_at="2025-01-01T00:00:00Z")  # undo-send is over
    started, used, left = time.perf_counter(), time.process_time(), 0
    while left < replies and (count := delivery.deliver(channel.pk)):
        left += count
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    assert left == replies, f"{left} of {replies} left"
    assert Message.objects.filter(direction="out", state="sent").count() == replies
    return {"seconds": seconds, "cpu": cpu}


def bare(replies: int, port: int) -> dict[str, float]:
    from channels_email.render import recipients, render
    from inbox.models import Message

    queued = Message.objects.filter(state="queued").order_by("pk")
    mails = [(one.payload["from"]["address"], recipients(one), render(one)) for one in queued]
    assert len(mails) == replies
    started, used = time.perf_counter(), time.process_time()
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for sender, to, content in mails:
            refused = connection.sendmail(sender, to, content)
            assert not refused, refused
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}


def main() -> None:
    import django

    django.setup()
    way, replies, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({"write": write, "ours": ours, "bare": bare}[way](replies, port)))


if __name__ == "__main__":
    main()
