"""What a worker does, measured from inside it; run as a child of tests.bench.ingest.

python -m tests.bench.taking pipe FOLDER      as `receive_email` does: store a batch, take it in
python -m tests.bench.taking store FOLDER     receipts alone, committed in batches
python -m tests.bench.taking work             take in what waits; starts at a line on standard input
"""

from __future__ import annotations

import cProfile
import io
import json
import os
import pstats
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from channels_email.management.commands.receive_email import batches  # noqa: E402
from channels_email.receipts import raw_receipt, received_at  # noqa: E402
from inbox.actions import receive  # noqa: E402
from inbox.models import Channel, Receipt  # noqa: E402
from tests.bench.house import SLUG  # noqa: E402


class Lines(io.StringIO):
    """Standard output of `receive_email`: counted, not kept."""

    count = 0

    def write(self, text: str) -> int:
        self.count += text.count("\n")
        return len(text)


def pipe(folder: str) -> int:
    lines = Lines()
    call_command("receive_email", folder, channel=SLUG, stdout=lines)
    return lines.count


def store(folder: str) -> int:
    channel = Channel.objects.get(slug=SLUG)
    count = 0
    files = ((str(path), path.read_bytes()) for path in sorted(Path(folder).glob("*.eml")))
    for batch in batches((path, raw_receipt(raw, at=received_at(raw))) for path, raw in files):
        count += len(receive.store(channel, [raw for _path, raw in batch]))
    return count


def work() -> int:
    """Until nothing waits any more, also what another worker holds."""
    count = 0
    waiting = Receipt.objects.filter(state="new")
    while True:
        count += receive.take_in_waiting()
        if not waiting.filter(next_attempt_at__lte=timezone.now() + timedelta(seconds=1)).exists():
            return count
        time.sleep(0.02)  # what waits for the mail it answers


def main() -> None:
    what, *arguments = sys.argv[1:]
    Channel.objects.exists()  # the connection stands before the clock starts
    if what == "work":
        print("ready", flush=True)
        sys.stdin.readline()
    run: Callable[[], int] = {
        "pipe": lambda: pipe(*arguments),
        "store": lambda: store(*arguments),
        "work": work,
    }[what]
    profile = cProfile.Profile() if os.environ.get("BENCH_PROFILE") else None
    started, used = time.perf_counter(), time.process_time()
    count = profile.runcall(run) if profile else run()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    if profile:
        shown = io.StringIO()
        pstats.Stats(profile, stream=shown).sort_stats("tottime").print_stats(60)
        Path(os.environ["BENCH_PROFILE"]).write_text(shown.getvalue())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"mails": count, "seconds": seconds, "cpu": cpu, "peak_mb": peak}))


if __name__ == "__main__":
    main()
