"""`seed`: fill the inbox with a believable history, for load tests and for looking around."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from inbox.management.history import History

WIDTH = 30


class Command(BaseCommand):
    help = "Copy a believable history of tickets into the database, in English and Urdu; the same for the same seed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, required=True, metavar="N")
        parser.add_argument("--days", type=float, default=180, metavar="D", help="how long ago it begins (default 180)")
        parser.add_argument("--seed", type=int, default=1, metavar="S")

    def handle(self, *args: Any, **options: Any) -> None:
        total: int = options["tickets"]
        if total < 1 or options["days"] <= 0:
            raise CommandError("--tickets and --days must be positive.")
        started = time.monotonic()
        for done in History(total, options["days"], options["seed"], timezone.now()).write():
            self._show(done, total, time.monotonic() - started)
        self._say("Gathering statistics for the query planner ...")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self._say("", end="")
        self.stdout.write(f"{total:,} tickets in {time.monotonic() - started:.0f} s.")

    def _show(self, done: int, total: int, seconds: float) -> None:
        full = WIDTH * done // total
        left = seconds / done * (total - done)
        bar = "#" * full + "." * (WIDTH - full)
        self._say(
            f"[{bar}] {100 * done // total:3d} %  {done:,} of {total:,}, {done / seconds:,.0f}/s, {left:.0f} s left"
        )

    def _say(self, text: str, end: str = "") -> None:
        """On a terminal, one line that is written over; elsewhere nothing, so that logs stay short."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}{end}")
            sys.stderr.flush()
