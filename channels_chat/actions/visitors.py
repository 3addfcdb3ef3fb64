"""Visitors: whoever writes for the first time gets a session key, which only their browser keeps."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from channels_chat.models import Visitor
from inbox.models import Channel

AGAIN = timedelta(minutes=10)  # that a page may ask for its key again
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


def meet(channel: Channel, told: Mapping[str, Any], *, user: str = "", asked: str = "") -> tuple[Visitor, str]:
    """A new visitor and their session key. `told` are fields of Visitor, checked by whoever calls; `user` is the site's
    own id of them, proven.

    `asked`: secret words of the page that asks. Whoever asks with the same ones again, because the connection was lost
    before the key arrived, is the same visitor for some minutes: what they say again is no second conversation.
    """
    key = secrets.token_urlsafe(32)
    if asked:
        again = salted_hmac("channels_chat.visitor", f"{channel.pk}:{asked}", algorithm="sha256").hexdigest()
        here = known(channel, again)
        if here is not None and here.user == user and here.created_at > timezone.now() - AGAIN:
            return here, again
        if not Visitor.objects.filter(digest=digest(again)).exists():
            key = again
    visitor = Visitor(channel=channel, digest=digest(key), user=user, **told)
    visitor.address = f"u:{user}" if user else f"v:{visitor.public}"
    visitor.save(force_insert=True)
    return visitor, key


def end(visitor: Visitor) -> None:
    """The session key opens nothing any more: they logged out of the site, or were erased."""
    Visitor.objects.filter(pk=visitor.pk, ended_at__isnull=True).update(ended_at=timezone.now())
