"""Count mailboxes against the database from the shell, as the clock does every night."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from channels_email import audit
from channels_email.models import MailboxAudit
from inbox.models import Channel

LOOK_EVERY = 0.5  # seconds, while a worker counts


class Command(BaseCommand):
    help = (
        "Count the mailboxes of these channels (default: all that are read over IMAP) against the database, and take "
        "in what is missing. Exit status 1 when one cannot be counted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG")

    def handle(self, *args: Any, slugs: list[str], **options: Any) -> None:
        channels = Channel.objects.filter(kind="email", settings__has_key="imap")
        if slugs:
            channels = Channel.objects.filter(kind="email", slug__in=slugs)
            if unknown := sorted(set(slugs) - set(channels.values_list("slug", flat=True))):
                raise CommandError(_("There is no mailbox called %(names)s.") % {"names": ", ".join(unknown)})
        failed = 0
        for channel in channels:
            row = audit.start(channel, by=None)
            while not audit.run(row.pk):
                time.sleep(LOOK_EVERY)  # the next slice, or a worker is at it
            row.refresh_from_db()
            failed += bool(row.error)
            self.tell(channel, row)
        if failed:
            raise CommandError(_("%(count)s mailboxes could not be counted.") % {"count": failed}, returncode=1)

    def tell(self, channel: Channel, row: MailboxAudit) -> None:
        words = _("%(on_server)s on the server, %(known)s known, %(missing)s missing, %(caught_up)s caught up")
        for one in [{"name": channel.slug, **self.figures(row), "error": row.error}, *row.folders]:
            indent = "  " if one in row.folders else ""
            self.stdout.write(f"{indent}{one['name']}: {words % one}")
            if one["error"]:
                self.stdout.write(f"{indent}  {one['error']}")

    @staticmethod
    def figures(row: MailboxAudit) -> dict[str, int]:
        return {name: getattr(row, name) for name in ("on_server", "known", "missing", "caught_up")}
