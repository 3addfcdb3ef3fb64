"""`make bench`: speed of e-mail in and out beside bare loops on this machine, and of pages at two sizes.

    python -m tests.bench [ingest|deliver|pages|memory …] [--mails N] [--runs N]

Without names: ingest, deliver and pages. Ends with 1 when a floor is missed.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench import ingest
from tests.bench.house import house


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["ingest"], default=["ingest"])
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    good = True
    with house() as servers:
        if "ingest" in chosen.what:
            good &= ingest.measure(servers, mails=chosen.mails, runs=chosen.runs)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
