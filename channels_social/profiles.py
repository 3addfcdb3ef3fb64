"""Names of people whom messages bring without one: asked of the platform once they have written."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction

from channels_social.meta import MetaAdapter
from inbox.actions import customers
from inbox.adapters import DeliveryError, adapter_for
from inbox.models import Channel, Direction, Identity, Message
from lib import http

logger = logging.getLogger(__name__)


def fetch(channel_id: int, identities: Sequence[int]) -> int:
    """Ask who these identities (ids) are; returns how many have a name now. Who hides it is asked again when they
    write again.
    """
    channel = Channel.objects.filter(pk=channel_id).first()
    adapter = adapter_for(channel.kind) if channel is not None else None
    if channel is None or not isinstance(adapter, MetaAdapter):
        return 0
    found = 0
    nameless = Identity.objects.active().filter(pk__in=identities, kind=adapter.identity_kind, name="")
    with http.Session() as session:
        api = adapter.api_of(channel, session)
        for identity in nameless.filter(scope=adapter.scope(channel)):
            try:
                name = adapter.profile(api, identity.value)
            except DeliveryError as error:
                logger.warning("channel %s tells no names: %s", channel.slug, error)
                break
            if name:
                named(identity, name)
                found += 1
    return found


def named(identity: Identity, name: str) -> None:
    """Give somebody the name they have on the platform, also on what they wrote before it was known."""
    with transaction.atomic():
        # Until now their number stood in for it.
        customers.renamed(identity.pk, identity.customer_id, identity.value, name)
        Message.objects.filter(
            customer=identity.customer_id, author_address=identity.value, author_name="", direction=Direction.IN
        ).update(author_name=name)
        customers.announce(identity.customer_id)
