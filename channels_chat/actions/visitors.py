"""Visitors: whoever writes for the first time gets a session key, which only their browser keeps."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from channels_chat.models import LIVE, Chat, Visitor, VisitorKey
from inbox.models import Channel

AGAIN = timedelta(minutes=10)  # that a page may ask for its key again
MOST_KEYS = 20  # of one visitor beside the first: browsers that were not here for longest are forgotten
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
    mine, theirs = digest(key), Visitor.objects.filter(channel=channel, ended_at__isnull=True)
    theirs = theirs.select_related("customer")
    return theirs.filter(digest=mine).first() or theirs.filter(keys__digest=mine).first()


def of_user(channel: Channel, user: str, here: Visitor | None = None) -> Visitor | None:
    """Who this user of the site (proven) is already, be it that they logged out. `here` is who they are in this
    browser: then it is that, unless they have no chat here but one somewhere else.
    """
    if not user:
        return None
    known = Visitor.objects.filter(channel=channel, user=user)
    if here is None:
        return known.order_by(F("ended_at").desc(nulls_first=True), "-pk").first()
    live = Chat.objects.filter(LIVE, visitor__in=known.filter(ended_at__isnull=True))
    chats = {one.visitor_id: one.visitor for one in live.select_related("visitor").order_by("-pk")}
    return here if here.pk in chats or not chats else next(iter(chats.values()))


def join(visitor: Visitor) -> str:
    """A session key for one more browser of theirs; whoever had logged out everywhere is back."""
    key = secrets.token_urlsafe(32)
    back = Visitor.objects.filter(pk=visitor.pk, ended_at__isnull=False).exclude(user="")
    if back.update(digest=digest(key), ended_at=None):
        visitor.refresh_from_db()
        return key
    VisitorKey.objects.create(visitor=visitor, digest=digest(key))
    newest = VisitorKey.objects.filter(visitor=visitor).order_by("-pk")
    VisitorKey.objects.filter(pk__in=[*newest.values_list("pk", flat=True)[MOST_KEYS : 2 * MOST_KEYS]]).delete()
    return key


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


def end(visitor: Visitor, key: str = "") -> bool:
    """This session key opens nothing any more: they logged out of the site in this browser. Without a key, or with the
    last one that they have, the session is over; returns whether it is by that.
    """
    mine = digest(key)
    with transaction.atomic():
        row = Visitor.objects.select_for_update(no_key=True).filter(pk=visitor.pk, ended_at__isnull=True).first()
        if row is None:
            return False
        others = VisitorKey.objects.filter(visitor=row)
        if key and others.filter(digest=mine).delete()[0]:
            return False
        heir = others.order_by("-pk").first() if key else None
        if heir is not None:
            heir.delete()
            row.digest = heir.digest
        else:
            others.delete()
            row.ended_at = timezone.now()
        row.save(update_fields=["digest", "ended_at"])
    return row.ended_at is not None
