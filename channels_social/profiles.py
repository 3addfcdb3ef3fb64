"""Who people are on their platform, by name and picture: asked of it once they have written, and now and then again."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import requests
from django.db import transaction

from channels_social.messenger import Messenger
from inbox import files, wake
from inbox.actions import customers, pictures
from inbox.adapters import DeliveryError, adapter_for
from inbox.models import Channel, Direction, Identity, Message
from lib import http

logger = logging.getLogger(__name__)

SECONDS = 20.0  # for one picture in all
MOST_SECONDS = 20.0  # of one run: others wait for this worker, too


def fetch(channel_id: int, identities: Sequence[int]) -> int:
    """Ask who these identities (ids) are; returns of how many something new is known. What cannot be told now stays as
    it was.
    """
    channel = Channel.objects.filter(pk=channel_id).first()
    adapter = adapter_for(channel.kind) if channel is not None else None
    if channel is None or not isinstance(adapter, Messenger) or not adapter.knows_people:
        return 0
    asked = Identity.objects.active().filter(
        pk__in=identities, kind=adapter.identity_kind, scope=adapter.scope(channel)
    )
    found, until = 0, time.monotonic() + MOST_SECONDS
    with http.Session() as session:
        for identity in asked.order_by("pk"):
            if time.monotonic() > until:
                left = [pk for pk in identities if pk >= identity.pk]
                wake.run("channels_social.tasks.profiles", [channel_id, *left], "social")
                break
            due = pictures.claim(identity.pk)
            if not due and (identity.name or not adapter.tells_names):
                continue
            try:
                profile = adapter.profile(channel, session, identity)
            except DeliveryError as error:
                logger.warning("channel %s tells no name or picture: %s", channel.slug, error)
                if error.permanent and not error.channel:
                    continue  # of this one
                break
            news = bool(profile.name) and profile.name != identity.name
            if news:
                named(identity, profile.name)
            if profile.picture is not None and portrayed(identity, session, profile.picture):
                news = True
            found += news
    return found


def named(identity: Identity, name: str) -> None:
    """Give somebody the name they have on the platform, also on what they wrote before it was known."""
    with transaction.atomic():
        # Until they had one, their number stood in for it.
        customers.renamed(identity.pk, identity.customer_id, identity.name or identity.value, name)
        Message.objects.filter(
            customer=identity.customer_id, author_address=identity.value, author_name="", direction=Direction.IN
        ).update(author_name=name)
        customers.announce(identity.customer_id)


def portrayed(identity: Identity, session: requests.Session, url: str) -> bool:
    """Take somebody's picture in from there, or ("") forget it; whether it is another now.

    Nothing of the address is logged: there may be a token in it.
    """
    content = None
    if url:
        try:
            status, content, _claimed = http.download(session, url, most=pictures.MOST_BYTES, seconds=SECONDS)
        except (requests.RequestException, OSError, ValueError) as error:
            logger.info("no picture of identity %s: %s", identity.pk, type(error).__name__)
            return False
        if status != 200:
            logger.info("no picture of identity %s: status %s", identity.pk, status)
            return False
    try:
        new = pictures.take(identity, content)
    except files.StoreAway as error:
        logger.warning("no picture of identity %s: %s", identity.pk, error)
        return False
    if new:
        customers.announce(identity.customer_id)
    return new
