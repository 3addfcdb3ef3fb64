"""Whether a messenger works: what Test connection shows, and what is looked after every few minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from inbox.adapters import Check, DeliveryError
from inbox.models import Channel

Found = Mapping[str, Any]


def hook_url(channel: Channel) -> str:
    """The address that this channel's platform calls."""
    return f"{settings.BASE_URL}/hooks/{channel.kind}/{channel.token}/"


def run(
    tend: Callable[[], dict[str, Any]], lines: Callable[[Found, Channel], list[Check]], channel: Channel
) -> list[Check]:
    """Test connection: what was found in lines, or the one that tells why nothing could be."""
    try:
        found = tend()
    except DeliveryError as error:
        return [Check(_("Connection"), False, error.reason)]
    channel.condition = {**channel.condition, **found}
    channel.save(update_fields=["condition"])
    return lines(found, channel)
