"""`make bench`: speed of e-mail in and out beside bare loops on this machine, and of pages at two sizes.

    python -m tests.bench [ingest|deliver|pages|search|api|memory|live|load|chat|hooks|reports …] [--runs N]
                          [--keep FOLDER]

With `--keep` the databases stay in a folder, so that a million tickets need not be seeded at each run.

Without names: ingest, deliver and pages (memory takes several minutes; search, api and reports as long as a million
tickets take to seed, the first time). Ends with 1 when a floor is missed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.bench import api, chat, deliver, hooks, ingest, live, load, memory, pages, reports, search
from tests.bench.house import house

PARTS = ("ingest", "deliver", "pages", "search", "api", "memory", "live", "load", "chat", "hooks", "reports")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=PARTS, default=["ingest", "deliver", "pages"])
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--replies", type=int, default=400)
    parser.add_argument("--memory-mails", type=int, default=50_000)
    parser.add_argument("--tickets", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--search-tickets", type=int, nargs="+", default=[10_000, 1_000_000], help="of search and api")
    parser.add_argument("--report-tickets", type=int, nargs="+", default=[10_000, 1_000_000], help="of reports")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--looks", type=int, default=20, help="of each page and each search")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="databases that stay, and are used again")
    parser.add_argument("--seconds", type=int, default=60, help="of load")
    parser.add_argument("--explain", action="store_true", help="the plans of what breaks a limit")
    parser.add_argument("--only", default="", metavar="PATTERN", help="of pages: those whose names it fits")
    chosen = parser.parse_args()
    good = True
    with house(chosen.keep) as servers:
        if "ingest" in chosen.what:
            good &= ingest.measure(servers, mails=chosen.mails, runs=chosen.runs)
        if "deliver" in chosen.what:
            good &= deliver.measure(servers, replies=chosen.replies, runs=chosen.runs)
        if "pages" in chosen.what:
            good &= pages.measure(
                servers, sizes=chosen.tickets, runs=chosen.looks, explain=chosen.explain, only=chosen.only
            )
        if "search" in chosen.what:
            good &= search.measure(servers, sizes=chosen.search_tickets, runs=chosen.looks, explain=chosen.explain)
        if "api" in chosen.what:
            good &= api.measure(servers, sizes=chosen.search_tickets)
        if "memory" in chosen.what:
            good &= memory.measure(servers, mails=chosen.memory_mails)
        if "live" in chosen.what:
            good &= live.measure(servers)
        if "load" in chosen.what:
            good &= load.measure(servers, seconds=chosen.seconds)
        if "chat" in chosen.what:
            good &= chat.measure(servers)
        if "hooks" in chosen.what:
            good &= hooks.measure(servers, runs=chosen.runs)
        if "reports" in chosen.what:
            good &= reports.measure(servers, sizes=chosen.report_tickets, runs=chosen.looks)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
