"""Whether a messenger works: what Test connection shows, and what is looked after every few minutes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from inbox.adapters import Check, DeliveryError
from inbox.models import Channel
from inbox.tending import TENDED

Found = Mapping[str, Any]
AGAIN_IS_NEWS = timedelta(days=1)  # that a platform had stopped telling us
TOLD_AGAIN = "_told_again_at"


def hook_url(channel: Channel) -> str:
    """The address that this channel's platform calls."""
    return f"{settings.BASE_URL}/hooks/{channel.kind}/{channel.token}/"


def news(channel: Channel, of: Sequence[str], missing: Collection[str], *, well: bool = True) -> dict[str, Any]:
    """What is kept of being told of news: `of` what we are now, of which the platform had left out `missing` before.

    That it had stopped is what people should know of: not that it never told. `well` false: it cannot tell us.
    """
    lost = set(missing) & set(map(str, channel.condition.get("told_of") or ()))
    kept: dict[str, Any] = {"told_of": list(of), "told": well}
    return kept | ({TOLD_AGAIN: timezone.now().isoformat()} if lost else {})


def told_again(channel: Channel, platform: str) -> list[str]:
    """A sentence for a day after a platform had stopped telling us of news, and was asked anew."""
    at = parse_datetime(str(channel.condition.get(TOLD_AGAIN) or ""))
    if at is None or at < timezone.now() - AGAIN_IS_NEWS:
        return []
    time = date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    said = _(
        "%(platform)s had stopped telling Rabta of news. Since %(time)s it does again: look there for what may have "
        "come before."
    )
    return [said % {"platform": platform, "time": time}]


def run(
    tend: Callable[[], dict[str, Any]], lines: Callable[[Found, Channel], list[Check]], channel: Channel
) -> list[Check]:
    """Test connection: what was found in lines, or the one that tells why nothing could be."""
    try:
        found = tend()
    except DeliveryError as error:
        return [Check(_("Connection"), False, error.reason)]
    with transaction.atomic():  # its platform may have told something meanwhile
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        # What is no longer said is no longer so, as in inbox.tending; what is kept there says when it last looked.
        kept = {name: said for name, said in row.condition.items() if name.startswith("_") or name in {TENDED, "error"}}
        channel.condition = row.condition = {**kept, **found}
        row.save(update_fields=["condition"])
    return lines(found, channel)
