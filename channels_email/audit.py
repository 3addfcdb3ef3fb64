"""Counting a mailbox against the database: what the server has and we passed, and whether we have it."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from channels_email.models import MailboxAudit
from inbox.models import Agent, Channel


def start(channel: Channel, *, by: Agent | None) -> MailboxAudit:
    """Begin to count, on a worker; the one that is already under way, if there is one."""
    with transaction.atomic():
        Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        running = MailboxAudit.objects.filter(channel=channel, finished_at__isnull=True).first()
        if running is not None:
            return running
        return MailboxAudit.objects.create(channel=channel, started_by=by, started_at=timezone.now())


def latest(channel: Channel) -> MailboxAudit | None:
    """The newest count, finished or not."""
    return MailboxAudit.objects.filter(channel=channel).order_by("-id").first()
