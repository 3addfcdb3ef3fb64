"""Telling customers that somebody reads and writes, where their channel is set to: "typing…", and read marks.

What agents' pages say of themselves is in Redis anyway (inbox.presence). A worker looks at it every few seconds, so
that no keystroke costs anything; how often a platform is told of a ticket is bounded there, too. It is a courtesy: what
goes wrong is no fault of the channel, keeps no answer waiting, and is not tried again.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from redis.exceptions import RedisError

from channels_social.messenger import Messenger
from inbox import presence, wake
from inbox.actions import recipients
from inbox.adapters import DeliveryError, kinds
from inbox.models import Channel, Draft, DraftKind, Ticket, TicketSeen
from lib import http

logger = logging.getLogger(__name__)

SETTING = "show_activity"
KEY = "rabta:activity"
MOST_TICKETS = 500  # that are looked at in one go; whoever is left out is looked at once there are fewer
MOST_TOLD = 50  # of one channel in one go
MOST_SECONDS = 10.0  # that one channel may take: others wait for this worker, too
READ_FOR = 24 * 3600  # seconds that it is kept what was told to be read
QUIET = 60  # seconds of silence after a platform had trouble, or wanted to hear less
Doing = Mapping[int, Mapping[int, str]]  # by ticket, what each agent does who sits before it


def look() -> int:
    """Find what is to be told and hand it on, a task a channel; returns how many tickets that is about."""
    doing = _watched()
    channels = _channels() if doing else {}
    if not channels:
        return 0
    tickets = Ticket.objects.current().filter(
        pk__in=doing, reply_channel__in=channels, thread_key="", last_customer_message_at__isnull=False
    )
    wrote = {pk: (channels[channel], at) for pk, channel, at in tickets.values_list(
        "pk", "reply_channel", "last_customer_message_at"
    )}  # fmt: skip
    doing = {pk: doing[pk] for pk in wrote}
    writing, reading = _writing(doing, {pk: channel for pk, (channel, _at) in wrote.items()}), _reading(doing)
    try:
        fresh = _not_told(
            [(pk, _adapter(wrote[pk][0]).writing_seconds) for pk in writing],
            [(pk, str(wrote[pk][1])) for pk in reading if _adapter(wrote[pk][0]).tells_reading],
        )
    except (RedisError, OSError):
        return 0
    told: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, tickets_ in enumerate(fresh):
        for pk in tickets_:
            told[wrote[pk][0].pk][place].append(pk)
    for channel, (writes, reads) in told.items():
        wake.run("channels_social.tasks.tell_activity", [channel, writes, reads], "social")
    return len(set(fresh[0]) | set(fresh[1]))


def _watched() -> Doing:
    """Who sits before which ticket, and what they do there; nothing while Redis is away."""
    state = presence.now()
    found = {
        ticket: {agent: doing for agent, doing in people.items() if state.here.get(agent) == presence.HERE}
        for ticket, people in state.marks.items()
    }
    return {ticket: people for ticket, people in list(found.items())[:MOST_TICKETS] if people}


def _channels() -> dict[int, Channel]:
    """Those that are set to tell, and are well: one that rests or fails has something else to do."""
    able = [kind for kind, one in kinds().items() if isinstance(one, Messenger) and one.writing_seconds]
    found = Channel.objects.filter(
        kind__in=able, paused=False, out_failing_since__isnull=True, next_send_at__lte=timezone.now()
    )
    return {one.pk: one for one in found.filter(**{f"settings__{SETTING}": True})}


def _adapter(channel: Channel) -> Messenger:
    found = kinds()[channel.kind]
    assert isinstance(found, Messenger)
    return found


def _writing(doing: Doing, channels: Mapping[int, Channel]) -> list[int]:
    """Tickets whose customer is being written to; never for a note, nor where the answer takes another channel."""
    writers = {(agent, pk) for pk, people in doing.items() for agent, what in people.items() if what == "reply"}
    if not writers:
        return []
    drafts = Draft.objects.filter(
        agent__in={agent for agent, _ in writers}, ticket__in={pk for _, pk in writers}, kind=DraftKind.REPLY, side=None
    )
    chosen = drafts.exclude(channel=None).values_list("agent", "ticket", "channel")
    writers -= {(agent, pk) for agent, pk, channel in chosen if pk in channels and channel != channels[pk].pk}
    return sorted({pk for _, pk in writers})


def _reading(doing: Doing) -> list[int]:
    """Tickets of which somebody who sits there has read what the customer wrote last."""
    agents = {agent for people in doing.values() for agent in people}
    read = TicketSeen.objects.filter(
        ticket__in=doing, agent__in=agents, unread=False, at__gte=F("ticket__last_customer_message_at")
    )
    return sorted({pk for pk, agent in read.values_list("ticket", "agent") if agent in doing[pk]})


def _not_told(writing: Iterable[tuple[int, int]], reading: Iterable[tuple[int, str]]) -> tuple[list[int], list[int]]:
    """Of these tickets the ones whose time it is to be told of again, and those of which nobody told how far they are
    read. Raises RedisError.
    """
    writes, reads = list(writing), list(reading)
    pipe = _connection().pipeline(transaction=False)
    for pk, seconds in writes:
        pipe.set(f"{KEY}:writing:{pk}", 1, nx=True, ex=seconds)
    for pk, at in reads:
        pipe.getset(f"{KEY}:read:{pk}", at)
        pipe.expire(f"{KEY}:read:{pk}", READ_FOR)
    answers: list[Any] = pipe.execute() if writes or reads else []
    set_now, before = answers[: len(writes)], answers[len(writes) :: 2]
    fresh = [pk for (pk, _), done in zip(writes, set_now, strict=True) if done]
    return fresh, [pk for (pk, at), told in zip(reads, before, strict=True) if told != at.encode()]


def tell(channel_id: int, writing: Collection[int], reading: Collection[int]) -> int:
    """Tell one channel's platform of these tickets; returns of how many it was told. What is late is left out."""
    channel = Channel.objects.filter(pk=channel_id, paused=False, out_failing_since__isnull=True).first()
    if channel is None or not channel.settings.get(SETTING) or channel.limited_until is not None:
        return 0
    adapter = _adapter(channel)
    try:
        if _connection().exists(f"{KEY}:quiet:{channel_id}"):
            return 0
        still = {pk for pk in writing if _connection().exists(f"{KEY}:writing:{pk}")}
        until_when = {pk: _connection().get(f"{KEY}:read:{pk}") for pk in reading}
    except (RedisError, OSError):
        return 0
    told, until = 0, time.monotonic() + MOST_SECONDS
    tickets = Ticket.objects.current().filter(pk__in=[*still, *reading], reply_channel=channel)
    with http.Session() as session:
        wire = adapter.wire(channel, session)
        for ticket in tickets.select_related("customer")[:MOST_TOLD]:
            message = recipients.last_inbound(ticket, channel)
            if message is None or not message.author_address or message.payload.get("public"):
                continue
            writes = ticket.pk in still
            reads = until_when.get(ticket.pk) == str(ticket.last_customer_message_at).encode()
            if not reads and not writes:
                continue  # something came that nobody has read
            if time.monotonic() > until or not adapter.may_reply(ticket, channel).allowed:
                continue
            try:
                if reads and not (writes and adapter.writing_shows_reading):
                    adapter.show_activity(wire, message, writing=False)
                if writes:
                    adapter.show_activity(wire, message, writing=True)
                told += 1
            except DeliveryError as error:
                logger.info("channel %s was not told who reads and writes: %s", channel.slug, error)
                if not error.permanent or error.channel:
                    _be_quiet(channel_id, error.retry_after)
                    break
    return told


def _be_quiet(channel_id: int, asked: float | None) -> None:
    try:
        _connection().set(f"{KEY}:quiet:{channel_id}", 1, ex=max(QUIET, min(int(asked or 0) + 1, 6 * 3600)))
    except (RedisError, OSError):
        logger.info("nobody keeps that channel %s wants to hear less", channel_id)


@cache
def _connection() -> redis.Redis:
    seconds = presence.TIMEOUT
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=seconds)
