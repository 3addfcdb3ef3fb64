"""Visitors: whoever writes for the first time gets a session key, which only their browser keeps."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from channels_chat.models import Visitor
from inbox.models import Channel

MOST_PAGES = 50  # of one visit that are remembered


def scope(channel_id: int | None) -> str:
    """Within which a visitor's address means somebody: user 7 of one site is nobody on another."""
    return f"channel:{channel_id}"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def known(channel: Channel, key: str) -> Visitor | None:
    """Whose session key this is; None for a wrong, ended or foreign one."""
    if not key or len(key) > 100:
        return None
    return (
        Visitor.objects.filter(digest=digest(key), channel=channel, ended_at__isnull=True)
        .select_related("customer")
        .first()
    )


def meet(channel: Channel, told: Mapping[str, Any], *, user: str = "") -> tuple[Visitor, str]:
    """A new visitor and their session key. `told` are fields of Visitor, checked by whoever calls; `user` is the site's
    own id of them, proven.
    """
    key = secrets.token_urlsafe(32)
    visitor = Visitor(channel=channel, digest=digest(key), user=user, **told)
    visitor.address = f"u:{user}" if user else f"v:{visitor.public}"
    visitor.save(force_insert=True)
    return visitor, key


def end(visitor: Visitor) -> None:
    """The session key opens nothing any more: they logged out of the site, or were erased."""
    Visitor.objects.filter(pk=visitor.pk, ended_at__isnull=True).update(ended_at=timezone.now())
