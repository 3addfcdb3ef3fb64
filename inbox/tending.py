"""Looking after channels that platforms tell of news: is the log-in good, does the platform still call us?

What was found is kept in `Channel.condition`; what is wrong stands on the channel as for any other fault.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from inbox import locks, log
from inbox.adapters import Adapter, DeliveryError, adapter_for, kinds
from inbox.models import Channel, DeliveryState, Message

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
SICK_EVERY = timedelta(minutes=1)
TENDED = "tended_at"
RESTS = "_rests_until"  # a platform that takes no more questions for now; kept, as all names of ours with a _


def tend(channel_id: int) -> bool:
    """Look after one channel; whether all is well."""
    with locks.only_one(locks.TENDER, channel_id) as mine:
        channel = Channel.objects.get(pk=channel_id)
        if not mine or channel.paused or channel.kind not in kinds():
            return False
        try:
            found = adapter_for(channel.kind).tend(channel)
            error = ""
        except (OperationalError, InterfaceError):
            raise
        except DeliveryError as refused:
            if refused.fault == "rate":
                _rest(channel, timedelta(seconds=refused.retry_after or 0))
                return True
            found, error = {}, str(refused.reason)
        except Exception as fault:
            logger.exception("channel %s cannot be looked after", channel.slug)
            found, error = {}, f"{type(fault).__name__}: {fault}"
        _keep(channel, found, error)
        return not error


def _rest(channel: Channel, pause: timedelta) -> None:
    """Too many calls, which is no illness: what is known of it stays. Whether replies leave all the same they find out
    by themselves: platforms often count them apart.
    """
    now = timezone.now()
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        row.condition = {**row.condition, TENDED: now.isoformat(), RESTS: (now + pause).isoformat()}
        row.save(update_fields=["condition"])


def _keep(channel: Channel, found: dict[str, object], error: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        # What is no longer said is no longer so; what the adapter keeps for itself stays (its names begin with _).
        kept = {name: value for name, value in row.condition.items() if name.startswith("_") or error}
        row.condition = {**kept, **found, TENDED: now.isoformat(), "error": error[:500]}
        fields = ["condition"]
        if not adapter_for(row.kind).polls_now(row):
            fields += ["in_failing_since", "in_error"]
            if error and row.in_failing_since is None:
                log.record(None, "channel_failing", channel=row.pk, direction="in")
            if not error and row.in_failing_since is not None:
                log.record(None, "channel_recovered", channel=row.pk, direction="in")
            row.in_failing_since = (row.in_failing_since or now) if error else None
            row.in_error = error[:2000]
        looked = type(adapter_for(row.kind)).tend is not Adapter.tend
        if looked and not error and row.out_failing_since is not None and not _waits(row):
            # Nothing is left that could show it by leaving, and the platform lets us in.
            log.record(None, "channel_recovered", channel=row.pk, direction="out")
            row.out_failing_since, row.out_error, row.out_failures = None, "", 0
            fields += ["out_failing_since", "out_error", "out_failures"]
        row.save(update_fields=fields)


def _waits(channel: Channel) -> bool:
    """Whether an answer is to leave here as soon as it can."""
    leaving = Message.objects.filter(channel=channel, state__in=[DeliveryState.QUEUED, DeliveryState.SENDING])
    return leaving.filter(next_attempt_at__isnull=False).exists()


def due_channels() -> list[tuple[int, str]]:
    """Channels that nobody has looked after for a while: (id, kind)."""
    looked_after = [kind for kind, adapter in kinds().items() if adapter.messenger]
    now = timezone.now()
    rows = Channel.objects.filter(paused=False, kind__in=looked_after).only("pk", "kind", "condition")
    return [(row.pk, row.kind) for row in rows if _next(row) <= now]


def _next(channel: Channel) -> datetime:
    """When to look after it; long ago for one that nobody has looked after yet."""
    never = datetime.min.replace(tzinfo=UTC)
    rests = parse_datetime(str(channel.condition.get(RESTS, ""))) or never
    last = parse_datetime(str(channel.condition.get(TENDED, "")))
    return max(rests, never if last is None else last + (SICK_EVERY if channel.condition.get("error") else EVERY))
