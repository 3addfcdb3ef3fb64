"""What comments stand under: the post's words, its address and where its picture is, asked of the platform once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction

from channels_social.meta import MetaAdapter
from inbox.actions import base
from inbox.adapters import DeliveryError, adapter_for
from inbox.models import Channel, Message
from lib import http

logger = logging.getLogger(__name__)


def fetch(channel_id: int, messages: Sequence[int]) -> int:
    """Ask what these comments (ids of messages) stand under; returns how many know it now."""
    channel = Channel.objects.filter(pk=channel_id).first()
    adapter = adapter_for(channel.kind) if channel is not None else None
    if channel is None or not isinstance(adapter, MetaAdapter):
        return 0
    wanted: dict[str, list[int]] = {}
    asking = Message.objects.filter(pk__in=messages, channel=channel, withdrawn_at__isnull=True)
    for pk, post in asking.values_list("pk", "payload__post__id"):
        if post:
            wanted.setdefault(str(post), []).append(pk)
    found = 0
    with http.Session() as session:
        comments = adapter.comments(adapter.api_of(channel, session))
        for post, ids in wanted.items():
            try:
                told = comments.post(post)
            except DeliveryError as error:
                logger.warning("channel %s does not tell of a post: %s", channel.slug, error)
                if error.permanent:
                    continue  # deleted, or not for us to see
                break
            found += sum(_keep(pk, {name: value for name, value in told.items() if value}) for pk in ids)
    return found


def _keep(pk: int, told: dict[str, str]) -> int:
    with transaction.atomic():
        row = Message.objects.select_for_update(no_key=True).filter(pk=pk, withdrawn_at__isnull=True).first()
        if row is None or not row.payload.get("post") or not told:
            return 0  # deleted or erased meanwhile
        row.payload["post"] = {**row.payload["post"], **told}
        row.save(update_fields=["payload"])
        base.announce([row.ticket_id], [row.pk])
    return 1
