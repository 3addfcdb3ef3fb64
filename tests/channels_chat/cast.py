"""Visitors and their chats, for every test of live chat."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings

from channels_chat import intake, tending
from channels_chat.actions import visitors
from channels_chat.models import Chat, ChatState, Visitor
from inbox import presence
from inbox.models import Agent, Channel, Message, Team

HUB = "tests"


def chat_channel(name: str = "Shop", team: Team | None = None, **choices: Any) -> Channel:
    """A chat channel with these settings; with a team, seen by it alone."""
    channel = Channel.objects.create(
        kind="chat", name=name, slug=name.lower(), default_team=team, addresses=[], settings=choices
    )
    if team is not None:
        channel.teams.add(team)
    return channel


def chosen(channel: Channel, **choices: Any) -> None:
    """Change settings of a channel."""
    channel.settings = json.loads(json.dumps({**channel.settings, **choices}))
    channel.save(update_fields=["settings"])


def visitor_of(channel: Channel, name: str = "Ayesha", **known: Any) -> Visitor:
    """A browser that has a session key."""
    return visitors.meet(channel, {"name": name, "language": "en", **known})[0]


def says(visitor: Visitor, text: str, **meta: Any) -> Message:
    """The visitor writes: it comes in as over their websocket."""
    [took] = intake.take([intake.Said(visitor.channel, visitor, uuid.uuid4().hex, text, meta=meta)])
    assert took is not None
    return Message.objects.select_related("ticket").get(pk=took.message)


def waiting(channel: Channel, name: str = "Ayesha", *, ago: float = 0, text: str = "Hello?", **meta: Any) -> Chat:
    """A visitor's chat that waits for a human since `ago` seconds; `meta` is what the first message brings along."""
    visitor = visitor_of(channel, name)
    says(visitor, text, **meta)
    chat = Chat.objects.get(visitor=visitor)
    assert chat.state == ChatState.WAITING
    return set_back(chat, ago)


def with_bot(channel: Channel, name: str = "Ayesha") -> Chat:
    """A chat that the bot has: nobody has been asked for yet."""
    chat = waiting(channel, name)
    Chat.objects.filter(pk=chat.pk).update(state=ChatState.BOT, queued_at=None, waits_since=None, place=None)
    return fresh(chat)


def fresh(chat: Chat) -> Chat:
    return Chat.objects.select_related("engagement__ticket", "engagement__agent", "visitor", "channel").get(pk=chat.pk)


def set_back(chat: Chat, seconds: float) -> Chat:
    """Let all that happened to it have happened that much earlier."""
    by = timedelta(seconds=seconds)
    row = fresh(chat)
    for one, names in (
        (row, "queued_at waits_since offer_until last_visitor_at last_agent_at first_human_at agent_gone_at warned_at"),
        (row.engagement, "requested_at offered_at accepted_at"),
        (row.visitor, "gone_at"),
    ):
        moved = {name: at - by for name in names.split() if (at := getattr(one, name)) is not None}
        if moved and seconds:
            type(one)._base_manager.filter(pk=one.pk).update(**moved)
    return fresh(row)


def here(*agents: Agent, away: Iterable[Agent] = (), settled: bool = True) -> None:
    """These agents have Rabta open, and nobody else; those in `away` have not touched it for minutes. `settled`: rounds
    of the queue have gone on for a while.
    """
    state = presence.State()
    for agent in agents:
        state.add(agent.pk, away=False, ticket=None, doing="")
    for agent in away:
        state.add(agent.pk, away=True, ticket=None, doing="")
    with redis.Redis.from_url(settings.REDIS_URL) as line:
        line.delete(presence.HUBS)
        line.set(f"{presence.HUBS}:{HUB}", state.packed(), ex=600)
        line.zadd(presence.HUBS, {HUB: time.time() + 600})
        if settled:
            line.set(tending.LOOKED, json.dumps({"since": 1}), ex=600)
        else:
            line.delete(tending.LOOKED)


def nobody_knows() -> None:
    """Redis was emptied."""
    with redis.Redis.from_url(settings.REDIS_URL) as line:
        line.delete(presence.HUBS, f"{presence.HUBS}:{HUB}", tending.LOOKED)
