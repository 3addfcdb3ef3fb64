"""Asking channels what is new: one poller a channel, its cursor committed together with what it brought."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from inbox import locks, log, wake
from inbox.actions import receive
from inbox.adapters import DeliveryError, PartlyPolled, adapter_for, kinds
from inbox.delivery import jitter
from inbox.models import Channel

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=20)
LONGEST_HOLD = timedelta(minutes=10)
MOST_SECONDS = 60.0  # of one run on one channel: a first import takes hours, and others wait for this worker, too


def poll(channel_id: int) -> int:
    """Fetch what is new on one channel; returns how many receipts were stored. Failure is kept on the channel."""
    with locks.only_one(locks.POLLER, channel_id) as mine:
        channel = Channel.objects.get(pk=channel_id)
        if not mine or channel.paused:
            return 0
        stored = 0
        until, again = time.monotonic() + MOST_SECONDS, adapter_for(channel.kind).poll_again(channel)
        try:
            for raws, cursor in adapter_for(channel.kind).poll(channel, dict(channel.cursor)):
                with transaction.atomic():
                    stored += sum(one.created for one in receive.store(channel, raws)) if raws else 0
                    Channel.objects.filter(pk=channel.pk).update(
                        cursor=cursor, **({"last_in_at": timezone.now()} if raws else {})
                    )
                if time.monotonic() > until:
                    again = timedelta(0)
                    break
        except (OperationalError, InterfaceError):
            raise
        except PartlyPolled as error:
            _failed(channel, str(error), partly=True)
            return stored
        except Exception as error:
            if isinstance(error, DeliveryError) and error.fault == "rate" and error.retry_after:
                # It takes no more questions for now, which is no illness.
                rest = timedelta(seconds=error.retry_after)
                Channel.objects.filter(pk=channel.pk).update(next_poll_at=timezone.now() + rest)
                return stored
            if isinstance(error, DeliveryError | OSError):
                logger.warning("channel %s cannot be polled: %s", channel.slug, error)
            else:
                logger.exception("channel %s cannot be polled", channel.slug)
            _failed(channel, str(error) or type(error).__name__)
            return stored
        with transaction.atomic():
            if channel.in_failing_since is not None:
                log.record(None, "channel_recovered", channel=channel.pk, direction="in")
            Channel.objects.filter(pk=channel.pk).update(
                in_failing_since=None, in_error="", in_failures=0, next_poll_at=timezone.now() + again
            )
            if not again:
                wake.poll(channel.pk, channel.kind)
        return stored


def hold(failures: int) -> timedelta:
    """How long to leave alone what failed, after so many failures before."""
    return jitter(min(timedelta(seconds=10) * 2 ** min(failures, 20), LONGEST_HOLD))


def _failed(channel: Channel, reason: str, *, partly: bool = False) -> None:
    wait = EVERY if partly else hold(channel.in_failures)
    with transaction.atomic():
        if channel.in_failing_since is None:
            log.record(None, "channel_failing", channel=channel.pk, direction="in")
        Channel.objects.filter(pk=channel.pk).update(
            in_failing_since=channel.in_failing_since or timezone.now(),
            in_error=reason[:2000],
            in_failures=0 if partly else channel.in_failures + 1,
            next_poll_at=timezone.now() + wait,
        )


def due_channels() -> list[tuple[int, str]]:
    """Channels that want to be polled now: (id, kind)."""
    polled = [kind for kind, adapter in kinds().items() if adapter.polls]
    return list(
        Channel.objects.filter(paused=False, kind__in=polled, next_poll_at__lte=timezone.now()).values_list(
            "pk", "kind"
        )
    )
