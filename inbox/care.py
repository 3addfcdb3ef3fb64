"""How each channel is, for the people who care for it: its state in words, what waits, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from django.db.models import Count
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.adapters import kinds
from inbox.models import Channel, DeliveryState, Message, Receipt, ReceiptState

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_COUNTED = 10_000  # of what waits; a first import may bring millions

Tone = Literal["good", "warn", "bad", "off"]


@dataclass(frozen=True, slots=True)
class Way:
    """One direction: how it stands in a sentence, since when it fails and why, and when it last carried something."""

    tone: Tone
    words: StrOrPromise
    since: datetime | None
    error: StrOrPromise
    last_at: datetime | None
    waiting: int

    @property
    def shown_waiting(self) -> str:
        return counted(self.waiting)


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

    @property
    def waiting(self) -> str:
        return counted(self.receiving.waiting + self.sending.waiting)


def counted(number: int) -> str:
    """A number for people: bounded ones as "10,000+"."""
    return f"{number_format(MOST_COUNTED)}+" if number >= MOST_COUNTED else number_format(number)


def standings(channels: Sequence[Channel]) -> list[Standing]:
    """The standing of each, in three queries."""
    ids = [channel.pk for channel in channels]
    waiting = Receipt.objects.filter(state=ReceiptState.NEW, channel__in=ids)
    queued = Message.objects.filter(
        state__in=[DeliveryState.QUEUED, DeliveryState.SENDING], next_attempt_at__lte=timezone.now(), channel__in=ids
    )
    failed = Receipt.objects.filter(state=ReceiptState.FAILED, channel__in=ids)
    counts = dict(failed.values_list("channel").annotate(n=Count("pk")).order_by())
    coming = _per_channel(waiting.values_list("channel_id", flat=True)[:MOST_COUNTED])
    leaving = _per_channel(queued.values_list("channel_id", flat=True)[:MOST_COUNTED])
    return [
        _standing(channel, coming[channel.pk], leaving[channel.pk], counts.get(channel.pk, 0)) for channel in channels
    ]


def _per_channel(ids: Iterable[int]) -> Counter[int]:
    return Counter(ids)


def _standing(channel: Channel, coming: int, leaving: int, failed: int) -> Standing:
    receiving, sending = _receiving(channel, coming), _sending(channel, leaving)
    if channel.paused:
        tone, words, way = "off", _("Paused: nothing comes in or goes out."), receiving
    elif receiving.tone == "bad":
        tone, words, way = "bad", receiving.words, receiving
    elif sending.tone != "good":
        tone, words, way = sending.tone, sending.words, sending
    elif failed:
        text = ngettext("%(count)d message could not be read.", "%(count)d messages could not be read.", failed)
        tone, words, way = "warn", text % {"count": failed}, receiving
    elif channel.last_in_at is None and channel.last_out_at is None:
        tone, words, way = "good", _("Connected. Nothing has come or gone yet."), receiving
    else:
        tone, words, way = "good", _("Works."), receiving
    return Standing(channel, tone, words, way.since, way.error, receiving, sending, failed)  # type: ignore[arg-type]


def _receiving(channel: Channel, waiting: int) -> Way:
    if channel.in_failing_since and not channel.paused:
        words = _("New messages cannot be fetched.")
        return Way("bad", words, channel.in_failing_since, channel.in_error, channel.last_in_at, waiting)
    return Way(*_well(channel), None, "", channel.last_in_at, waiting)


def _sending(channel: Channel, waiting: int) -> Way:
    if channel.out_failing_since and not channel.paused:
        words = _("Replies cannot be sent, and are kept.")
        return Way("bad", words, channel.out_failing_since, channel.out_error, channel.last_out_at, waiting)
    adapter = kinds().get(channel.kind)
    verdict = adapter.may_send(channel) if adapter else None
    if verdict and not verdict.allowed and not channel.paused:
        return Way("warn", _("Replies stay queued."), None, verdict.reason, channel.last_out_at, waiting)
    return Way(*_well(channel), None, "", channel.last_out_at, waiting)


def _well(channel: Channel) -> tuple[Tone, StrOrPromise]:
    return ("off", _("Paused.")) if channel.paused else ("good", _("Works."))
