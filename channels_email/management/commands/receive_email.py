"""`receive_email`: mail from standard input (the pipe transport of Postfix and Exim) or from files."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from channels_email import mime
from channels_email.archives import mails
from channels_email.receipts import raw_receipt, received_at
from inbox.actions import receive
from inbox.adapters import Inbound, RawReceipt, adapter_for
from inbox.models import Channel

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the MTA keeps the mail
BATCH_MAILS = 50
BATCH_BYTES = 8 * 1024 * 1024
Item = tuple[str, RawReceipt]


class Command(BaseCommand):
    help = "Take in raw mail (RFC 5322) from standard input, files, Maildirs or folders of *.eml; one JSON line a mail."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="*", metavar="PATH", help="without any: one mail from standard input")
        parser.add_argument("--channel", required=True, metavar="SLUG")
        parser.add_argument("--explain", action="store_true", help="add what the system makes of each mail")
        parser.add_argument("--dry-run", action="store_true", help="decide, but store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.explain: bool = options["explain"]
        self.unread = 0
        # From a pipe a mail must never bounce because of us: whatever is wrong, the MTA keeps it.
        give_up = 1 if options["paths"] else TRY_AGAIN
        try:
            channel = Channel.objects.filter(slug=options["channel"], kind="email").first()
            if channel is None:
                raise CommandError(f"There is no e-mail channel {options['channel']!r}.", returncode=give_up)
            for batch in batches(self._items(options["paths"])):
                self._take(channel, batch, dry_run=options["dry_run"])
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The store is out of reach: {error}".strip(), returncode=TRY_AGAIN) from error
        except OSError as error:  # the store of files
            raise CommandError(f"Cannot store mail: {error}", returncode=TRY_AGAIN) from error
        if self.unread:
            raise CommandError(f"{self.unread} could not be read.", returncode=1)

    def _items(self, paths: list[str]) -> Iterator[Item]:
        if not paths:
            yield "-", raw_receipt(sys.stdin.buffer.read())
            return
        for given in paths:
            try:
                for path in mails(Path(given)):
                    raw = path.read_bytes()
                    yield str(path), raw_receipt(raw, at=received_at(raw), meta={"path": str(path)})
            except (OSError, ValueError) as error:
                self.unread += 1
                self._print({"path": given, "status": "failed", "reason": str(error), "ticket": None, "message": None})

    def _take(self, channel: Channel, batch: list[Item], *, dry_run: bool) -> None:
        if dry_run:
            for path, raw in batch:
                self._report(channel, path, raw, receive.preview(channel, raw))
            return
        stored = receive.store(channel, [raw for _path, raw in batch], claim=True)
        try:
            taken = receive.take_in_now([one.receipt_id for one in stored])
        except (DatabaseError, InterfaceError) as error:
            # Stored is what counts: the workers take them in when the store is back.
            for path, _raw in batch:
                self._print(
                    {"path": path, "status": "failed", "reason": f"stored, not yet taken in: {error}", "ticket": None,
                     "message": None}
                )  # fmt: skip
            return
        outcomes = {one.receipt_id: one for one in taken}
        for (path, raw), receipt in zip(batch, stored, strict=True):
            self._report(channel, path, raw, outcomes[receipt.receipt_id], repeat=not receipt.created)

    def _report(self, channel: Channel, path: str, raw: RawReceipt, outcome: Any, *, repeat: bool = False) -> None:
        status = "duplicate" if repeat and outcome.status in {"created", "appended"} else outcome.status
        line = {
            "path": path,
            "status": status,
            "reason": outcome.reason,
            "ticket": outcome.ticket,
            "message": outcome.message,
        }
        if self.explain:
            inbound = outcome.inbound or reading(channel, raw)
            told = adapter_for(channel.kind).explain(inbound) if inbound else {}
            line["explain"] = {**told, "thread": {"rule": outcome.rule, "detail": outcome.detail}}
        self._print(line)

    def _print(self, line: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(line, ensure_ascii=False))


def reading(channel: Channel, raw: RawReceipt) -> Inbound | None:
    """What a mail says that became no message (ignored, failed, a delivery report), as far as it can be read."""
    try:
        return mime.parse(raw.raw, recipients=[])
    except Exception as error:  # noqa: BLE001  # the reason stands in the outcome already
        sys.stderr.write(f"cannot explain: {error!r}\n")
        return None


def batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Groups small enough to hold in memory, large enough to be fast."""
    group: list[Item] = []
    size = 0
    for item in items:
        if group and (len(group) >= BATCH_MAILS or size + len(item[1].raw) > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(item)
        size += len(item[1].raw)
    if group:
        yield group
