"""Say how every channel is, for cron and monitoring."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from inbox import health
from inbox.adapters import kinds
from inbox.models import Channel


class Command(BaseCommand):
    help = "The health of every channel, a line each; exit status 1 when one is failing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--connect", action="store_true", help="try each connection now, as the Test connection button does"
        )

    def handle(self, *args: Any, connect: bool, **options: Any) -> None:
        failing = 0
        for channel in health.channels():
            wrong = [
                f"{_('receiving')}: {channel['in_error']}" if channel["in_failing_since"] else "",
                f"{_('sending')}: {channel['out_error']}" if channel["out_failing_since"] else "",
            ]
            if connect and not channel["paused"]:
                wrong += self.tried(Channel.objects.get(pk=channel["id"]))
            wrong = [line for line in wrong if line]
            failing += bool(wrong)
            state = _("FAILING") if wrong else _("paused") if channel["paused"] else _("ok")
            self.stdout.write(f"{channel['slug']}: {state}")
            remarks = list(dict.fromkeys([*wrong, *channel["warnings"], channel["cannot_send"]]))
            if channel["failed_receipts"]:
                remarks.append(_("%(count)s messages could not be taken in") % {"count": channel["failed_receipts"]})
            for line in filter(None, remarks):
                self.stdout.write(f"  {line}")
        if failing:
            raise CommandError(_("%(count)s channels are failing.") % {"count": failing}, returncode=1)

    @staticmethod
    def tried(channel: Channel) -> list[str]:
        """What does not work when tried now. That a channel cannot send at all is no failure of it."""
        adapter = kinds().get(channel.kind)
        if adapter is None:
            return [_("no adapter for %(kind)s") % {"kind": channel.kind}]
        cannot_send = adapter.may_send(channel).reason
        return [
            f"{line.name}: {line.detail}"
            for line in adapter.check(channel)
            if not line.ok and line.detail != cannot_send
        ]
