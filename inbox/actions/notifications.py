"""What an agent does to their own notifications: read them, choose ways, allow a browser."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import live
from inbox.actions.errors import ActionError
from inbox.models import Agent, Notification, NotificationKind, PushSubscription
from inbox.notify import DEFAULTS, WAYS

MOST_BROWSERS = 20


def mark_read(agent: Agent, *, ticket: int | None = None, only: Iterable[int] | None = None) -> int:
    """Mark as read all of an agent's notifications, those of one ticket, or only these ids; returns how many were not.

    What is read needs no mail any more.
    """
    found = Notification.objects.filter(agent=agent, read_at__isnull=True)
    if ticket is not None:
        found = found.filter(ticket=ticket)
    if only is not None:
        found = found.filter(pk__in=only)
    done = found.update(read_at=timezone.now(), mail_due=False, push_due=False)
    if done:
        transaction.on_commit(partial(live.hint, [agent.pk], notifications=0), robust=True)
    return done


def choose(agent: Agent, ways: dict[str, list[str]], digest: str) -> None:
    """Keep how an agent wants to be told of each kind, where that is not the default; and how often by mail."""
    kept: dict[str, object] = {
        kind: [way for way in WAYS if way in chosen]
        for kind, chosen in ways.items()
        if kind in NotificationKind.values and {*chosen} != {*DEFAULTS[kind]}
    }
    if digest != "hourly":
        kept["digest"] = digest
    agent.notify = kept
    agent.save(update_fields=["notify"])


def subscribe(agent: Agent, endpoint: str, p256dh: str, auth: str, language: str) -> PushSubscription:
    """Let a browser show notifications. It belongs to whoever allowed it last. Raises ActionError for another address
    than a push service's.
    """
    if urlsplit(endpoint).scheme != "https" and not settings.ALLOW_PRIVATE_NETWORKS:
        raise ActionError(_("This is no address of a push service."), "endpoint")
    row, _created = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={"agent": agent, "p256dh": p256dh, "auth": auth, "language": language, "failures": 0},
    )
    old = PushSubscription.objects.filter(agent=agent).order_by("-pk").values_list("pk", flat=True)[MOST_BROWSERS:]
    PushSubscription.objects.filter(pk__in=list(old)).delete()
    return row


def unsubscribe(agent: Agent, endpoint: str) -> None:
    PushSubscription.objects.filter(agent=agent, endpoint=endpoint).delete()
