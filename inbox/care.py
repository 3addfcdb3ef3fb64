"""How each channel is, for the people who care for it: its state in words, what waits, what failed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from django.db import DatabaseError, InterfaceError
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox import backlog
from inbox.adapters import Adapter, Verdict, kinds
from inbox.models import Channel, DeliveryState, Message, Receipt, ReceiptState
from inbox.wording import retold

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)
T = TypeVar("T")

MOST_COUNTED = 10_000  # of what waits, of all channels together; a first import may bring millions

Tone = Literal["good", "warn", "bad", "off"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait: `number` were counted, and where that came to its bound before the end, there may be `more`."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        """For people, as "7" or "10,000+"."""
        return number_format(self.number, force_grouping=True) + "+" * self.more


@dataclass(frozen=True, slots=True)
class Way:
    """One direction: how it stands in a sentence, since when it fails and why, and when it last carried something."""

    tone: Tone
    words: StrOrPromise
    since: datetime | None
    error: StrOrPromise
    last_at: datetime | None
    waiting: Waiting
    oldest: datetime | None = None  # since when the first of what waits does


@dataclass(frozen=True, slots=True)
class Standing:
    """One channel: both its ways, and the state that stands for all of it."""

    channel: Channel
    tone: Tone
    words: StrOrPromise
    since: datetime | None
    error: StrOrPromise
    receiving: Way
    sending: Way
    failed: int
    warnings: tuple[str, ...] = ()

    @property
    def waiting(self) -> Waiting:
        coming, leaving = self.receiving.waiting, self.sending.waiting
        return Waiting(coming.number + leaving.number, coming.more or leaving.more)


def standings(channels: Sequence[Channel]) -> list[Standing]:
    """The standing of each, in four queries."""
    ids = [channel.pk for channel in channels]
    waiting = Receipt.objects.filter(state=ReceiptState.NEW, channel__in=ids)
    queued = Message.objects.filter(
        state__in=[DeliveryState.QUEUED, DeliveryState.SENDING], next_attempt_at__lte=timezone.now(), channel__in=ids
    )
    failed = Receipt.objects.filter(state=ReceiptState.FAILED, channel__in=ids)
    counts = dict(failed.values_list("channel").annotate(n=Count("pk")).order_by())
    coming, leaving, since = _counted(waiting), _counted(queued), backlog.of(ids)
    return [
        _standing(
            channel, coming(channel.pk), leaving(channel.pk), counts.get(channel.pk, 0),
            since.get(channel.pk, backlog.Backlog()),
        )
        for channel in channels
    ]  # fmt: skip


def _counted(rows: QuerySet[Any]) -> Callable[[int], Waiting]:
    """How many of these rows a channel has, by its id. One that has thousands may leave nothing to count of others."""
    found = Counter(rows.values_list("channel_id", flat=True)[: MOST_COUNTED + 1])
    more = found.total() > MOST_COUNTED
    return lambda channel: Waiting(min(found[channel], MOST_COUNTED), more)


def _standing(channel: Channel, coming: Waiting, leaving: Waiting, failed: int, since: backlog.Backlog) -> Standing:
    receiving = replace(_receiving(channel, coming), oldest=since.receipts_since)
    sending = replace(_sending(channel, leaving), oldest=since.messages_since)
    tone, words, way = _whole(channel, receiving, sending, failed)
    found = tuple(warnings(channel))
    error = way.error
    if tone == "good" and found:
        tone, words, error = "warn", _("Works, but not for long or not in all."), found[0]
    return Standing(channel, tone, words, way.since, error, receiving, sending, failed, found)


def warnings(channel: Channel) -> list[str]:
    """What its adapter warns of. One that cannot tell is warned of in its place."""
    unknown = _("How it stands cannot be told; the log says why.")
    return _told(channel, lambda adapter: list(adapter.warnings(channel)), [unknown]) or []


def may_send(channel: Channel) -> Verdict | None:
    """Whether it is able to send at all, as its adapter says; None where there is none. One that cannot tell is taken
    for one that is not able.
    """
    unknown = Verdict(False, _("Whether it can send cannot be told; the log says why."))
    return _told(channel, lambda adapter: adapter.may_send(channel), unknown)


def _told(channel: Channel, ask: Callable[[Adapter], T], unknown: T) -> T | None:
    """What its adapter answers; `unknown` where it fails, so that all other channels are still told of."""
    adapter = kinds().get(channel.kind)
    try:
        return ask(adapter) if adapter else None
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("channel %s does not tell how it stands", channel.slug)
        return unknown


def _whole(channel: Channel, receiving: Way, sending: Way, failed: int) -> tuple[Tone, StrOrPromise, Way]:
    """What stands for all of it, the worst first, and the way that says more of it."""
    if channel.paused:
        return "off", _("Paused: nothing is fetched or sent."), receiving
    if receiving.tone == "bad":
        return "bad", receiving.words, receiving
    if sending.tone in ("warn", "bad"):
        return sending.tone, sending.words, sending
    if failed:
        text = ngettext("%(count)d message could not be read.", "%(count)d messages could not be read.", failed)
        return "warn", text % {"count": failed}, receiving
    if channel.last_in_at is None and channel.last_out_at is None:
        return "good", _("Connected. Nothing has come or gone yet."), receiving
    return "good", _("Works."), receiving


def _receiving(channel: Channel, waiting: Waiting) -> Way:
    if channel.in_failing_since and not channel.paused:
        words = _("New messages cannot be fetched.")
        return Way("bad", words, channel.in_failing_since, retold(channel.in_error), channel.last_in_at, waiting)
    return Way(*_well(channel, channel.last_in_at, _("Nothing has come yet.")), None, "", channel.last_in_at, waiting)


def _sending(channel: Channel, waiting: Waiting) -> Way:
    if channel.out_failing_since and not channel.paused:
        words = _("Replies cannot be sent, and are kept.")
        return Way("bad", words, channel.out_failing_since, retold(channel.out_error), channel.last_out_at, waiting)
    if channel.limited_until is not None and not channel.paused:
        words = _("The platform takes no more for the moment.")
        return Way("warn", words, None, limited(channel.limited_until), channel.last_out_at, waiting)
    verdict = may_send(channel)
    if verdict and not verdict.allowed and not channel.paused:
        return Way("warn", _("Replies stay queued."), None, verdict.reason, channel.last_out_at, waiting)
    return Way(*_well(channel, channel.last_out_at, _("Nothing was sent yet.")), None, "", channel.last_out_at, waiting)


def limited(until: datetime) -> str:
    """What becomes of replies while a platform takes no more, in words."""
    time = date_format(timezone.localtime(until), "SHORT_DATETIME_FORMAT")
    return _("Replies are kept, and leave by themselves after %(time)s.") % {"time": time}


def _well(channel: Channel, last: datetime | None, unused: str) -> tuple[Tone, StrOrPromise]:
    """A way that is not known to fail: that it works is said once it did."""
    if channel.paused:
        return "off", _("Paused.")
    return ("good", _("Works.")) if last else ("off", unused)
