"""What can be said of the queue: whose turn it is, how long it takes, whether somebody is there at all.

`channels_chat.tending` moves it on; `channels_chat.actions.queueing` is what people do to it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import Extract, Greatest, RowNumber
from django.utils import timezone

from channels_chat import config, crew
from channels_chat.models import Chat, ChatState
from inbox import presence
from inbox.models import Agent, Channel, Team, Ticket
from lib import hours

logger = logging.getLogger(__name__)

LATELY = timedelta(hours=1)  # of which waits are spoken of
LONGEST = timedelta(hours=4)  # that a chat may have waited to be counted among them
MOST_BEHIND = 50  # visitors who hear at once that the line moved; the rest asks with its next frame


def line_of(chat: Chat) -> QuerySet[Chat]:
    """Whoever waits for the same people."""
    return Chat.objects.filter(state=ChatState.WAITING, channel=chat.channel_id, team=chat.team_id)


def _before(chat: Chat) -> Q:
    return Q(queued_at__lt=chat.queued_at) | Q(queued_at=chat.queued_at, pk__lt=chat.pk)


def place_of(chat: Chat) -> int | None:
    """Its place in its line, from 1; None where it does not wait."""
    if chat.state != ChatState.WAITING or chat.queued_at is None:
        return None
    return line_of(chat).filter(_before(chat)).count() + 1


def places(chats: Iterable[Chat]) -> dict[int, int]:
    """The places of many, {id: place}, in one query."""
    lines = {(one.channel_id, one.team_id) for one in chats if one.state == ChatState.WAITING}
    if not lines:
        return {}
    same = Q()
    for channel, team in lines:
        same |= Q(channel=channel, team=team)
    order = Window(RowNumber(), partition_by=[F("channel"), F("team")], order_by=[F("queued_at"), F("pk")])
    found = Chat.objects.filter(same, state=ChatState.WAITING).annotate(n=order)
    return dict(found.values_list("pk", "n"))


def behind(chat: Chat) -> list[int]:
    """Ids of visitors who wait behind this chat: their places change with it."""
    if chat.queued_at is None:
        return []
    after = Q(queued_at__gt=chat.queued_at) | Q(queued_at=chat.queued_at, pk__gt=chat.pk)
    waiting = line_of(chat).filter(after).order_by("queued_at", "pk")
    return list(waiting.values_list("visitor", flat=True)[:MOST_BEHIND])


def expected_wait(
    channel: Channel, team: Team | None = None, place: int | None = None, *, of_any_team: bool = False
) -> int | None:
    """Seconds until somebody at this place (without one: who would join now) is answered, by the last hour: what one
    place took then (the median of the waits of those who were accepted, each by its place), as often as there are
    places ahead. None where nobody was accepted: then nobody knows.
    """
    now = timezone.now()
    line = Chat.objects.filter(channel=channel)
    if not of_any_team:  # who only looks has no team yet
        line = line.filter(team=team)
    accepted = line.filter(
        queued_at__gt=now - LATELY - LONGEST,
        place__isnull=False,
        engagement__accepted_at__gt=now - LATELY,
        engagement__accepted_at__gte=F("queued_at"),
    )
    waits = Extract(F("engagement__accepted_at") - F("queued_at"), "epoch")
    a_place = list(accepted.annotate(one=waits / Greatest(F("place"), 1)).values_list("one", flat=True))
    if not a_place:
        return None
    if place is None:
        place = line.filter(state=ChatState.WAITING).aggregate(n=Count("pk"))["n"] + 1
    return round(float(median(a_place)) * place)


def overflows(chat: Chat) -> bool:
    """Whether its visitor is asked to leave a message: nobody is there, or not soon enough."""
    return chat.state == ChatState.WAITING and chat.overflow_at is not None


def someone_here(channel: Channel, team: Team | None = None) -> bool:
    """Whether an agent is here who could take a chat of this channel and team, if only when they have room.

    While Redis is away nobody is known to be.
    """
    state = presence.now()
    ticket = Ticket(channel=channel, team=team)
    return any(one.takes(team.pk if team else None, ticket) for one in crew.of(crew.here(state)).values())


def who_has_somebody(channels: Iterable[Channel]) -> dict[int, bool] | None:
    """As `someone_here` of many channels (ids), in one look; None while nobody can say who is here."""
    state = presence.read()
    if state is None:
        return None
    hands = crew.of(crew.here(state)).values()
    return {channel.pk: any(one.takes(None, Ticket(channel=channel)) for one in hands) for channel in channels}


def faces(channel: Channel, most: int = 3) -> list[Agent]:
    """Some of those who are here and could answer on this channel: whom a visitor may expect."""
    ticket = Ticket(channel=channel)
    found = [one.agent for one in crew.of(crew.here(presence.now())).values() if one.sight.shows(ticket)]
    return list(Agent.objects.filter(pk__in=found).order_by("pk")[:most])


def is_open(settings: config.Settings, now: datetime | None = None) -> bool:
    """Whether it is within business hours; a chat without hours is always open."""
    given = _hours(settings.hours)
    return given is None or hours.is_open(given, now or timezone.now())


def opens_at(settings: config.Settings, now: datetime | None = None) -> datetime | None:
    """When it opens next, where it is closed now and opens soon."""
    given = _hours(settings.hours)
    return None if given is None else hours.opens_at(given, now or timezone.now())


def _hours(given: Mapping[str, object] | None) -> hours.Hours | None:
    if not given:
        return None
    try:
        return hours.read(given)
    except ValueError:
        logger.warning("the hours of a chat cannot be read; it counts as open")
        return None


def tend(now: datetime | None = None) -> int:
    """Move the queue on; returns for how many chats something was done."""
    from channels_chat import tending  # which reads what is above

    return tending.tend(now or timezone.now())
