"""What a platform tells of a channel itself, kept on the channel for as long as it holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from inbox import wake
from inbox.adapters import ChannelNews
from inbox.models import Channel
from inbox.models.channels import NOTICES

FORGET_AFTER = timedelta(days=30)  # what is over: until then older news that come late change nothing
MOST = 100


def note(channel: Channel, news: ChannelNews) -> bool:
    """Keep it under its name, or that it is over; what is older than what is known changes nothing. Always True."""
    row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
    kept = dict(row.condition.get(NOTICES) or {})
    known = kept.get(news.name)
    if known is not None and datetime.fromisoformat(known["at"]) > news.at:
        return True
    kept[news.name] = {
        **(news.facts or {}),
        "at": news.at.isoformat(),
        "until": news.until.isoformat() if news.until else None,
        "over": news.facts is None,
    }
    border = (timezone.now() - FORGET_AFTER).isoformat()
    newest = sorted(kept.items(), key=lambda item: str(item[1]["at"]))[-MOST:]
    row.condition[NOTICES] = {
        name: told for name, told in newest if told["at"] > border or not (told["over"] or told["until"])
    }
    row.save(update_fields=["condition"])
    if news.look:
        wake.tend(row.pk, row.kind)
    return True
