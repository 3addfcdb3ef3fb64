"""`reindex_search`: build all that search looks in anew, while search goes on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inbox.management.progress import Progress
from inbox.search import rebuild
from lib import processes


class Command(BaseCommand):
    help = "Build all that search looks in anew, while search goes on. Interrupted, it goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--processes", type=int, default=processes.sensible(), metavar="N", help="how many work at it (0: this one)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress()
        found = rebuild.everything(options["processes"], progress)
        progress.end()
        self.stdout.write(f"{found:,} tickets can be found, built in {progress.seconds:.0f} s.")
