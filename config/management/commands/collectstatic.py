"""Takes the place of Django's command of this name: hashed and compressed, and only what is used."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import assets


class Command(BaseCommand):
    help = "Makes the static files that the web process serves, in DATA_DIR/static, unless they are there."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--noinput", "--no-input", action="store_true", help="It never asks; for habit's sake.")

    def handle(self, *args: Any, **options: Any) -> None:
        made = assets.collect(settings.STATIC_ROOT)
        self.stdout.write(f"{settings.STATIC_ROOT}: {'made' if made else 'nothing changed'}")
