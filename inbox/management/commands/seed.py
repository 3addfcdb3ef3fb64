"""`seed`: fill the inbox with a believable history, for load tests and for looking around."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from inbox.management.filling import fill
from inbox.management.progress import Progress


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
        progress = Progress()
        fill(total, options["days"], options["seed"], timezone.now(), progress)
        progress.end()
        self.stdout.write(f"{total:,} tickets in {progress.seconds:.0f} s.")
