"""Visitors come and go: what their last page's leaving means for their chat is the queue's to say."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from channels_chat.models import LIVE, Chat, Visitor
from inbox.actions import base

SILENT = timedelta(seconds=90)  # after which a visitor of whom no process says anything is gone: their process died
MOST = 500


def left(visitor: int) -> None:
    """No page of theirs is connected any more."""
    _went(visitor)


def back(visitor: int) -> None:
    """A page of theirs is connected again."""
    if Visitor.objects.filter(pk=visitor, gone_at__isnull=False).update(gone_at=None, last_seen_at=timezone.now()):
        _say(visitor)


def sweep() -> int:
    """Find visitors who chat, and of whom no process has said anything for a while; returns how many."""
    silent = Chat.objects.filter(LIVE, visitor__gone_at__isnull=True, visitor__last_seen_at__lt=timezone.now() - SILENT)
    found = list(silent.values_list("visitor", flat=True)[:MOST])
    for visitor in found:
        _went(visitor)
    return len(found)


def _went(visitor: int) -> None:
    if Visitor.objects.filter(pk=visitor, gone_at__isnull=True).update(gone_at=timezone.now()):
        _say(visitor)


def _say(visitor: int) -> None:
    """Agents see whether the other side is still there."""
    with transaction.atomic():
        here = Chat.objects.filter(LIVE, visitor=visitor).values_list("engagement__ticket", flat=True)
        base.announce(here)
