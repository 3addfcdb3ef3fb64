"""Visitors come and go: what their last page's leaving means for their chat is the queue's to say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from channels_chat.models import LIVE, Chat, Visitor
from inbox.actions import base

SILENT = timedelta(seconds=90)  # after which a visitor of whom no process says anything is gone: their process died
MOST = 500
SKEW = timedelta(seconds=2)  # between the clocks of machines


def left(visitors: Iterable[int], asked_at: datetime) -> None:
    """No page of theirs is connected to one web process any more. Whoever was seen since the others were asked is with
    one of those.
    """
    _went(visitors, unless_seen=asked_at - SKEW)


def back(visitor: int) -> None:
    """A page of theirs is connected again."""
    if Visitor.objects.filter(pk=visitor, gone_at__isnull=False).update(gone_at=None, last_seen_at=timezone.now()):
        _say(visitor)


def sweep() -> int:
    """Find visitors who chat, and of whom no process has said anything for a while; returns how many."""
    silent = Chat.objects.filter(LIVE, visitor__gone_at__isnull=True, visitor__last_seen_at__lt=timezone.now() - SILENT)
    found = list(silent.values_list("visitor", flat=True)[:MOST])
    _went(found)
    return len(found)


def _went(visitors: Iterable[int], *, unless_seen: datetime | None = None) -> None:
    here = Visitor.objects.filter(pk__in=sorted(visitors), gone_at__isnull=True)
    if unless_seen is not None:
        here = here.filter(last_seen_at__lt=unless_seen)
    gone = list(here.values_list("pk", flat=True))
    if not gone:
        return
    with transaction.atomic():
        here.filter(pk__in=gone).update(gone_at=timezone.now())
        base.announce(Chat.objects.filter(LIVE, visitor__in=gone).values_list("engagement__ticket", flat=True))


def _say(visitor: int) -> None:
    """Agents see whether the other side is still there."""
    with transaction.atomic():
        here = Chat.objects.filter(LIVE, visitor=visitor).values_list("engagement__ticket", flat=True)
        base.announce(here)
