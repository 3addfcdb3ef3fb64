"""Whether a worker's memory stays flat: resident MB while it takes in many mails, and at the peak of one huge mail.

    python -m tests.bench memory [--mails 50000] [--megabytes 30]

Mails are made and stored while the worker takes them in, never more than a few thousand ahead of it.
"""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

from tests.bench.corpus import SUPPORT, Corpus
from tests.bench.house import SLUG, House, table

FLAT = 1.15  # the most that the last reading may be above the one at a fifth of the way
AHEAD = 2000
MODULE = "tests.bench.memory"


def measure(house: House, *, mails: int = 50_000, megabytes: int = 30) -> bool:
    """Print the readings; returns whether memory is flat and the huge mail's peak bounded."""
    readings = list(_many(house, mails))
    print(f"\nMemory of one worker over {mails} mails:\n")
    print(
        table(
            ["taken in", "resident MB", "mails/s so far"],
            [[f"{n:,}", f"{mb:.0f}", f"{rate:.0f}"] for n, mb, rate in readings],
        )
    )
    settled = readings[max(0, len(readings) // 5 - 1)][1]
    flat = readings[-1][1] / settled
    print(f"\nthe last over that at a fifth of the way: {flat:.2f} (at most {FLAT})")
    before, peak = _huge(house, megabytes)
    print(f"one mail of {megabytes} MB: {before:.0f} MB before, {peak:.0f} MB at the peak")
    return flat <= FLAT and peak < before + 10 * megabytes


def _many(house: House, mails: int) -> Iterator[tuple[int, float, float]]:
    house.fresh("many", "empty")
    feeder = house.start("many", MODULE, "feed", str(mails))
    worker = house.start("many", MODULE, "work", str(mails), str(max(mails // 10, 1)))
    assert worker.stdout is not None
    try:
        for line in worker.stdout:
            told = json.loads(line)
            yield told["mails"], told["mb"], told["rate"]
        if worker.wait() or feeder.wait():
            raise RuntimeError("the worker or its feeder failed")
    finally:
        for process in (worker, feeder):
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


def _huge(house: House, megabytes: int) -> tuple[float, float]:
    told = house.run(house.fresh("huge", "empty"), MODULE, "huge", str(megabytes))
    return told["before"], told["peak"]


def resident() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def feed(mails: int) -> None:
    from channels_email.management.commands.receive_email import batches
    from channels_email.receipts import raw_receipt, received_at
    from inbox.actions import receive
    from inbox.models import Channel, Receipt

    channel = Channel.objects.get(slug=SLUG)
    made = ((str(number), raw_receipt(one.raw, at=received_at(one.raw))) for number, one in enumerate(Corpus(mails, 7)))
    for batch in batches(made):
        while Receipt.objects.filter(state="new").count() > AHEAD:
            time.sleep(0.1)
        receive.store(channel, [raw for _number, raw in batch])


def work(mails: int, every: int) -> None:
    from inbox.actions import receive
    from inbox.models import Receipt

    done, shown, started = 0, 0, time.perf_counter()
    quiet_since = time.monotonic()
    while done < mails:
        receive.take_in_waiting(batches=5)
        now = Receipt.objects.exclude(state="new").count()
        if now > done:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > 120:
            raise RuntimeError(f"nothing came for two minutes; {done} of {mails} are taken in")
        else:
            time.sleep(0.05)
        done = now
        if done >= shown + every or done == mails:
            shown = done
            rate = done / (time.perf_counter() - started)
            print(json.dumps({"mails": done, "mb": resident(), "rate": rate}), flush=True)


def huge_mail(megabytes: int) -> bytes:
    content = base64.encodebytes(random.Random(1).randbytes(megabytes * 2**20 * 3 // 4 * 76 // 77))
    return (
        (
            f"From: Someone <someone@mail.example>\nTo: {SUPPORT}\nSubject: A film\nMessage-ID: <huge@mail.example>\n"
            'Date: Mon, 3 Mar 2025 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nSee the film.\n--b\nContent-Type: video/mp4\n"
            'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="film.mp4"\n\n'
        ).encode()
        + content
        + b"--b--\n"
    )


def huge(megabytes: int) -> dict[str, float]:
    """The mail is stored by a process of its own, so that its bytes do not count here."""
    import resource

    subprocess.run([sys.executable, "-m", MODULE, "store", str(megabytes)], check=True)
    from inbox.actions import receive
    from inbox.models import Attachment, Message

    Message.objects.exists()
    before = resident()
    assert receive.take_in_waiting() == 1
    assert Message.objects.count() == 1
    assert Attachment.objects.get().size > megabytes * 2**20 * 0.7
    return {"before": before, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def store(megabytes: int) -> None:
    from channels_email.receipts import raw_receipt
    from inbox.actions import receive
    from inbox.models import Channel

    receive.store(Channel.objects.get(slug=SLUG), [raw_receipt(huge_mail(megabytes))])


def main() -> None:
    import django

    django.setup()
    what, *numbers = sys.argv[1:]
    if what == "huge":
        print(json.dumps(huge(int(numbers[0]))))
    else:
        {"feed": feed, "work": work, "store": store}[what](*map(int, numbers))  # type: ignore[operator]


if __name__ == "__main__":
    main()
