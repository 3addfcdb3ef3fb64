"""What `/metrics` tells of each channel: is it well, are we told of news, what waits and since when, until when."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from inbox import backlog
from inbox.adapters import Adapter, kinds
from inbox.models import Channel
from inbox.tending import TENDED

logger = logging.getLogger(__name__)

GAUGES = {
    "ok": "Whether a channel works both ways and nobody paused it.",
    "paused": "Whether somebody paused a channel.",
    "warnings": "How many sentences the main screen says of what will stop a channel, or hinders it.",
    "errors": "How many of these figures a channel's adapter failed to give: they are missing, and the log says why.",
    "receipts_waiting": f"Receipts of a channel not taken in, counted up to {backlog.MOST}.",
    "receipts_oldest_seconds": "Age of a channel's oldest receipt not taken in.",
    "messages_waiting": f"Messages of a channel that are due and not sent, counted up to {backlog.MOST}.",
    "messages_oldest_seconds": "For how long a channel's oldest message has been due.",
    "rate_limited_until_timestamp_seconds": "Until when its platform takes no more of a channel; 0: it does.",
    "login_expires_seconds": "Seconds until a channel's token or consent ends, below 0 once it has.",
    "tended_age_seconds": "Time since a channel was last looked after, for those that are.",
    "subscribed": "Whether its platform tells a channel of news, for those that are told.",
    "subscribed_again_timestamp_seconds": "When a platform had last stopped telling, and was asked anew; 0: never.",
}


def collect() -> Iterator[Metric]:
    """One gauge family after the other; labels are the channel's short name and its kind. Errors of the store pass."""
    families = {
        name: GaugeMetricFamily(f"rabta_channel_{name}", says, labels=["channel", "kind"])
        for name, says in GAUGES.items()
    }
    waits = backlog.of()
    for channel in Channel.objects.all():
        for name, value in _of(channel, waits.get(channel.pk, backlog.Backlog())):
            families[name].add_metric([channel.slug, channel.kind], value)
    yield from families.values()


def _of(channel: Channel, waits: backlog.Backlog) -> Iterator[tuple[str, float]]:
    adapter, told = kinds().get(channel.kind), channel.condition
    yield "ok", float(adapter is not None and not channel.failing and not channel.paused)
    yield "paused", float(channel.paused)
    failed = 0
    for name, ask in (("warnings", _warnings), ("login_expires_seconds", _login_ends_in)):
        try:
            value = ask(adapter, channel)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:  # of one adapter: all other figures stand
            logger.exception("channel %s does not tell its %s", channel.slug, name)
            failed += 1
            continue
        if value is not None:
            yield name, value
    yield "errors", float(failed)
    yield "receipts_waiting", float(waits.receipts)
    yield "receipts_oldest_seconds", waits.receipts_age.total_seconds()
    yield "messages_waiting", float(waits.messages)
    yield "messages_oldest_seconds", waits.messages_age.total_seconds()
    yield "rate_limited_until_timestamp_seconds", _stamp(channel.limited_until)
    if (tended := parse_datetime(str(told.get(TENDED) or ""))) is not None:
        yield "tended_age_seconds", max(0.0, (timezone.now() - tended).total_seconds())
    if isinstance(told.get("told"), bool):
        yield "subscribed", float(told["told"])
        yield "subscribed_again_timestamp_seconds", _stamp(parse_datetime(str(told.get("_told_again_at") or "")))


def _warnings(adapter: Adapter | None, channel: Channel) -> float | None:
    return float(len(adapter.warnings(channel)) if adapter else 0)


def _login_ends_in(adapter: Adapter | None, channel: Channel) -> float | None:
    ends = adapter.login_ends_at(channel) if adapter else None
    return None if ends is None else (ends - timezone.now()).total_seconds()


def _stamp(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
