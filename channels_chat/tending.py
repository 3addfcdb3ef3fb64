"""One round over all chats that are under way: what is due of each is done, and who waits is offered to somebody.

Rounds never overlap (an advisory lock). What concerns many chats at once (offers, the message form) is a few statements
however many there are; the rest (an end, a chat that goes back) is one transaction a chat, which looks again under its
locks. Without Redis nobody knows who is here: nothing is offered then, and nobody loses a chat.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

import redis
from django.conf import settings as django_settings
from django.db import DatabaseError, transaction
from redis.exceptions import RedisError

from channels_chat import config, crew, hub, queue
from channels_chat.actions import endings, flow, queueing, silence
from channels_chat.crew import Hand
from channels_chat.models import LIVE, Chat, ChatEnd, ChatState
from inbox import bulk, live, locks, log, presence
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Engagement, Event, Role

logger = logging.getLogger(__name__)

MOST = 100  # chats that are ended, given back or warned in one round: the next comes in two seconds
LOOKED = "rabta:chats"  # when the rounds began to follow one another closely
LOOKS = 10  # seconds without a round, or with an emptied Redis, after which whoever is missing is given new time
LOST = 30  # seconds
SETTLED = 5.0  # seconds until all processes have said again who is here
TIMEOUT = 1.0


def tend(now: datetime) -> int:
    """A round; returns for how many chats something was done. 0 where another process is at it."""
    with locks.only_one(locks.CHATS, 0) as mine:
        return Round(now).run() if mine else 0


@dataclass
class Look:
    """What Redis says: who is here, and whether that can be relied on."""

    state: presence.State | None
    settled: bool = False
    since: float = 0.0


@cache
def _line() -> redis.Redis:
    return redis.Redis.from_url(
        django_settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, decode_responses=True
    )


def look() -> Look:
    state = presence.read()
    if state is None:
        return Look(None)
    try:
        kept = json.loads(str(_line().get(LOOKED) or "{}"))
        since = float(kept.get("since") or time.time())
    except (RedisError, OSError, ValueError) as error:
        logger.warning("nobody can say who is here: %r", error)
        return Look(None)
    return Look(state, time.time() - since >= SETTLED, since)


class Round:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.look = look()
        self.done = 0
        self.channels: dict[int, Channel] = {}
        self.settings: dict[int, config.Settings] = {}

    def run(self) -> int:
        rows = list(
            Chat.objects.filter(LIVE)
            .select_related("engagement__ticket", "visitor")
            .defer("flow", "fields", "visitor__pages", "visitor__attributes", "engagement__ticket__attributes")
            .order_by("queued_at", "pk")
        )
        if rows:
            self.channels = Channel.objects.in_bulk({row.channel_id for row in rows})
            self.settings = {pk: config.of(channel) for pk, channel in self.channels.items()}
            self._look_after_agents(rows)
            self._look_after_visitors(rows)
        if self.look.state is not None:
            if rows:
                hands = crew.of(crew.here(self.look.state))
                self._overflow(rows, hands)
                self._offer(hands)
            self._looked()
        return self.done

    def _looked(self) -> None:
        try:
            _line().set(LOOKED, json.dumps({"since": self.look.since}), ex=LOOKS)
        except (RedisError, OSError):
            return  # the next round begins to look anew

    # Timers -------------------------------------------------------------------------------------------------------

    def _look_after_agents(self, rows: Sequence[Chat]) -> None:
        """Whose agent has gone waits anew, once they have been missing long enough."""
        owned = [row for row in rows if row.state == ChatState.ACTIVE]
        if not owned:
            return
        if self.look.state is None:  # nobody can be seen: nobody is missing, either
            counted = [row.pk for row in owned if row.agent_gone_at is not None]
            Chat.objects.filter(pk__in=counted).update(agent_gone_at=None)
            return
        owners = {row.engagement.agent_id for row in owned if row.engagement.agent_id}
        working = set(
            Agent.objects.filter(pk__in=owners, is_active=True, is_bot=False)
            .exclude(role=Role.LIGHT)
            .values_list("pk", flat=True)
        )
        missing, back = [], []
        for row in owned:
            owner = row.engagement.agent_id
            if owner not in working:
                self._do(row, partial(queueing.release, row, reason="off"))
            elif not self._is_missing(row):
                back += [row.pk] if row.agent_gone_at is not None else []
            elif row.agent_gone_at is None or not self.look.settled:
                missing.append(row.pk)
            elif self._old(row.agent_gone_at, self._queue(row).agent_gone):
                reason = "away" if owner in self.look.state.here else "gone"
                self._do(row, partial(queueing.release, row, reason=reason))
        if missing:
            Chat.objects.filter(pk__in=missing, state=ChatState.ACTIVE).update(agent_gone_at=self.now)
        if back:
            Chat.objects.filter(pk__in=back).update(agent_gone_at=None)

    def _is_missing(self, row: Chat) -> bool:
        """Whether its agent has no page open; or does not look at it, and the visitor waits for a word."""
        assert self.look.state is not None
        where = self.look.state.here.get(row.engagement.agent_id or 0)
        return where is None or (where == presence.AWAY and silence.visitor_waits(row))

    def _look_after_visitors(self, rows: Sequence[Chat]) -> None:
        for row in rows:
            ticket = row.engagement.ticket
            if ticket.is_done:
                self._do(row, partial(endings.end, row, why=ChatEnd.SOLVED))
            elif ticket.spam or ticket.trashed_at is not None:
                self._do(row, partial(endings.end, row, why=ChatEnd.AGENT))
            elif row.state == ChatState.WAITING and row.queued_at is None:
                if self._old(row.last_visitor_at, LOST):  # a message: whoever took it in died before they said so
                    self._do(row, partial(endings.end, row, why=ChatEnd.OFFLINE))
            elif row.state == ChatState.BOT and row.bot_until is not None and row.bot_until <= self.now:
                self._do(row, partial(flow.overdue, row))
            elif silence.due(row, self._queue(row), self.now):
                self._do(row, partial(silence.keep, row, self._queue(row), self.now))

    def _do(self, row: Chat, work: Callable[[], object]) -> None:
        """One chat, in its own transaction; what goes wrong with one holds up no other."""
        if self.done >= MOST:
            return
        self.done += 1
        try:
            with transaction.atomic():
                work()
        except (ActionError, DatabaseError) as error:
            logger.warning("chat %s could not be looked after: %s", row.pk, error)

    # Who waits ----------------------------------------------------------------------------------------------------

    def _overflow(self, rows: Sequence[Chat], hands: dict[int, Hand]) -> None:
        """Whoever waits too long, or for nobody, is asked for a message instead."""
        found: dict[int, str] = {}
        for row in rows:
            if row.state != ChatState.WAITING or row.overflow_at is not None:
                continue
            if not queue.is_open(self.settings[row.channel_id], self.now):
                found[row.pk] = "closed"
            elif self._old(row.waits_since or row.queued_at, self._queue(row).most_wait):
                found[row.pk] = "wait"
            elif self.look.settled and not any(one.takes(row.team_id, row.engagement.ticket) for one in hands.values()):
                found[row.pk] = "nobody"
        if not found:
            return
        with transaction.atomic():
            still = list(
                Chat.objects.select_for_update(no_key=True, skip_locked=True)
                .filter(pk__in=found, state=ChatState.WAITING, overflow_at__isnull=True)
                .order_by("pk")
            )
            Chat.objects.filter(pk__in=[row.pk for row in still]).update(overflow_at=self.now)
            tickets = {row.pk: row.engagement.ticket for row in rows}
            bulk.insert(
                [
                    log.line(tickets[row.pk], "chat_overflowed", engagement=row.engagement_id, reason=found[row.pk])
                    for row in still
                ]
            )
            hub.tell([row.visitor_id for row in still])
            hub.changed([tickets[row.pk].pk for row in still])
        self.done += len(still)

    def _offer(self, hands: dict[int, Hand]) -> None:
        """Offers that ran out end, and whoever waits is offered to the next, oldest first."""
        with transaction.atomic():
            # Whoever is being taken or passed on right now is left out: the next round sees how it went.
            waiting = list(
                Chat.objects.select_for_update(no_key=True, skip_locked=True)
                .filter(state=ChatState.WAITING, queued_at__isnull=False)
                .order_by("queued_at", "pk")
            )
            if not waiting:
                return
            engagements = Engagement.objects.select_related("ticket").in_bulk([row.engagement_id for row in waiting])
            for row in waiting:
                row.engagement = engagements[row.engagement_id]
            crew.weigh(hands.values(), self.now)
            events: list[Event] = []
            # The youngest first: of an agent who took too many by hand, the oldest offer stands longest.
            changed = [row for row in waiting[::-1] if row.offered_to_id and self._end_offer(row, hands, events)]
            offered = [row for row in waiting if row.offered_to_id is None and self._find(row, hands, events)]
            rows = list(dict.fromkeys([*changed, *offered]))
            if not rows:
                return
            Chat.objects.bulk_update(rows, ["offered_to", "offer_until", "passed", "wanted"])
            Engagement.objects.filter(pk__in=[row.engagement_id for row in offered], offered_at__isnull=True).update(
                offered_at=self.now
            )
            bulk.insert(events)
            for row in offered:
                transaction.on_commit(partial(self._hint, row), robust=True)
        self.done += len(rows)

    def _end_offer(self, row: Chat, hands: dict[int, Hand], events: list[Event]) -> bool:
        """End an offer that nobody answered in time, or that its agent cannot take any more."""
        agent, until = row.offered_to_id or 0, row.offer_until
        hand = hands.get(agent)
        expired = until is None or until <= self.now
        able = hand is not None and hand.load <= hand.most and hand.takes(row.team_id, row.engagement.ticket)
        if not expired and (able or not self.look.settled):
            return False
        why = "expired" if expired else "withdrawn"
        row.offered_to = None
        row.offer_until = self.now if expired else None
        if expired:
            row.passed = [*row.passed, agent]
            row.wanted_id = None if row.wanted_id == agent else row.wanted_id
        if hand is not None:
            hand.load -= 1
        events.append(
            log.line(row.engagement.ticket, "chat_passed", engagement=row.engagement_id, agent=agent, why=why)
        )
        queueing.offer_gone(agent, row, row.engagement.ticket_id, why)
        return True

    def _find(self, row: Chat, hands: dict[int, Hand], events: list[Event]) -> bool:
        """Offer it to somebody with room who has not let it pass; where all have, it begins anew after a pause."""
        able = [one for one in hands.values() if one.has_room and one.takes(row.team_id, row.engagement.ticket)]
        if not able:
            return False
        asked = [one for one in able if one.agent not in row.passed]
        if not asked:
            if row.offer_until is not None and row.offer_until > self.now:
                return False
            row.passed, asked = [], able
        wanted = next((one for one in asked if one.agent == row.wanted_id), None)
        hand = wanted or crew.best(asked, row.language)
        assert hand is not None
        hand.load, hand.last = hand.load + 1, self.now
        row.offered_to_id = hand.agent
        row.offer_until = self.now + timedelta(seconds=self._queue(row).offer)
        ticket = row.engagement.ticket
        events.append(log.line(ticket, "chat_offered", engagement=row.engagement_id, to=hand.agent))
        return True

    @staticmethod
    def _hint(row: Chat) -> None:
        if row.offered_to_id is None or row.offer_until is None:
            return
        until = int(row.offer_until.timestamp() * 1000)
        live.hint([row.offered_to_id], chat_offer={"chat": row.pk, "ticket": row.engagement.ticket_id, "until": until})

    # ----------------------------------------------------------------------------------------------------------------

    def _queue(self, row: Chat) -> config.Queue:
        return self.settings[row.channel_id].queue

    def _old(self, at: datetime | None, seconds: float) -> bool:
        return at is not None and self.now - at >= timedelta(seconds=seconds)
