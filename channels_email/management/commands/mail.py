"""The `mail` process: takes mail by SMTP and LMTP, and watches mailboxes, until it is told to end."""

import asyncio
import logging
import os
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from channels_email.receiver import Receiver
from channels_email.watching import Watch
from inbox import health

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5


class Command(BaseCommand):
    help = "Receive mail for the channels by SMTP (SMTP_IN_PORT) and LMTP (LMTP_IN_PORT), and watch their mailboxes."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        receiver = Receiver(
            host=settings.SMTP_IN_HOST,
            smtp_port=settings.SMTP_IN_PORT,
            lmtp_port=settings.LMTP_IN_PORT or None,
            certificate=settings.SMTP_IN_TLS_CERT,
            key=settings.SMTP_IN_TLS_KEY,
        )
        try:
            asyncio.run(serve(receiver, Watch()))
        except OSError as error:
            raise CommandError(f"Cannot take mail on {receiver.host}:{receiver.smtp_port}: {error}") from error


async def serve(receiver: Receiver, watch: Watch) -> None:
    """Run until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    await receiver.start()
    watch.start()
    logger.info("taking mail on %s:%s", receiver.host, receiver.smtp_port)
    beating = asyncio.create_task(_keep_beating())
    await ended.wait()
    beating.cancel()
    watch.stop()
    try:
        await asyncio.wait_for(receiver.stop(), GRACE_SECONDS)
    except TimeoutError:
        logger.warning("a mail is still being stored; its sender will try again")
        os._exit(0)  # a thread that waits for a dead store would keep us; nothing was answered yet


async def _keep_beating() -> None:
    """Beat through the loop that serves mail: a loop that hangs beats no more."""
    while True:
        await asyncio.to_thread(_beat)
        await asyncio.sleep(health.BEAT_EVERY)


def _beat() -> None:
    close_old_connections()
    try:
        health.beat("mail")
    except (DatabaseError, InterfaceError) as error:
        logger.warning("no heartbeat: %s", error)
        connection.close()
