"""`rebuild_facts`: make all that figures are counted from anew, from the log, while figures are read."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inbox.management.progress import Progress
from lib import processes
from reports.facts import rebuilding


class Command(BaseCommand):
    help = "Make all facts that figures are counted from anew, from the log, while figures are read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--processes", type=int, default=processes.sensible(), metavar="N", help="how many work at it (0: this one)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress()
        found = rebuilding.everything(options["processes"], progress)
        progress.end()
        self.stdout.write(f"{found:,} tickets counted in {progress.seconds:.0f} s.")
