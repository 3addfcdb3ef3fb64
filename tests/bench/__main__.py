"""`make bench`: speed of e-mail in and out beside bare loops on this machine, and of pages at two sizes.

    python -m tests.bench [ingest|deliver|pages|api|memory …] [--mails N] [--runs N] [--tickets N …]

Without names: ingest, deliver and pages (memory takes several minutes, api as long as a million tickets take to seed).
Ends with 1 when a floor is missed.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench import api, deliver, ingest, memory, pages
from tests.bench.house import house

PARTS = ("ingest", "deliver", "pages", "api", "memory")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=PARTS, default=["ingest", "deliver", "pages"])
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--replies", type=int, default=400)
    parser.add_argument("--memory-mails", type=int, default=50_000)
    parser.add_argument("--tickets", type=int, nargs="+", help="sizes; of api the larger")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    good = True
    with house() as servers:
        if "ingest" in chosen.what:
            good &= ingest.measure(servers, mails=chosen.mails, runs=chosen.runs)
        if "deliver" in chosen.what:
            good &= deliver.measure(servers, replies=chosen.replies, runs=chosen.runs)
        if "pages" in chosen.what:
            good &= pages.measure(servers, sizes=chosen.tickets or (1_000, 100_000))
        if "api" in chosen.what:
            largest = chosen.tickets[-1] if chosen.tickets else api.BIG
            good &= api.measure(servers, sizes=(api.SMALL, largest))
        if "memory" in chosen.what:
            good &= memory.measure(servers, mails=chosen.memory_mails)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
