"""The `sandbox-mail` process of a demo: the mail server of the customers' side."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox.server import listen


class Command(BaseCommand):
    help = "Run the demo's outside mail server on SANDBOX_SMTP_PORT: it takes any mail for anybody."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError("The sandbox is for demos only (DEMO=1 or DEBUG=1).")
        try:
            asyncio.run(serve())
        except OSError as error:
            raise CommandError(f"Cannot take mail on port {settings.SANDBOX_SMTP_PORT}: {error}") from error


async def serve() -> None:
    """Run until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    server = await listen("127.0.0.1", settings.SANDBOX_SMTP_PORT)
    await ended.wait()
    server.close()
