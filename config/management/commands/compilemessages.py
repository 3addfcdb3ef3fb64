"""Takes the place of Django's command of this name, which needs gettext's msgfmt."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.translations import compile_translations


class Command(BaseCommand):
    help = "Compiles the translations that changed."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for path in compile_translations(*settings.LOCALE_PATHS):
            self.stdout.write(str(path))
