"""What one ticket came to: its responses, its solves, its sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from inbox.adapters import adapter_for
from inbox.models import Channel, Event, Message, Ticket
from tests.reports.oracle.standing import Standing
from tests.reports.oracle.talk import (
    DONE,
    STATUS,
    Bots,
    Over,
    Reopen,
    Said,
    Solve,
    handed_over,
    is_reopen,
    is_solve,
    machines_in,
    owners,
    priorities,
    said_in,
    solves_of,
    spoken_in,
    status_changes,
    teams,
)

SESSION = timedelta(minutes=60)
Stretch = tuple[datetime, datetime]


@dataclass
class Response:
    asked: Said
    answer: Said
    start: datetime  # where a person's clock began
    first: bool
    channel: int  # of what it answers


@dataclass
class Outcome:
    """Of a ticket that counts. Empty of everything but its ticket where no customer has written."""

    ticket: Ticket
    channel: int
    live: bool
    team: Over
    priority: Over
    said: list[Said]
    solves: list[Solve]
    reopens: list[Reopen]
    opened: datetime | None = None
    first_response: Response | None = None  # the first counted human public message, whatever it answers
    responses: list[Response] = field(default_factory=list)
    waits: list[Stretch] = field(default_factory=list)  # in which the customer waited for a person
    answered: bool = False  # a counted human public message, ever
    begun: datetime | None = None  # its first public message
    began: datetime | None = None  # the same, be it an automatic one
    machines: list[tuple[datetime, int]] = field(default_factory=list)  # automatic messages
    owner: Over = field(default_factory=lambda: Over((), None))
    bot: Bots = field(default_factory=Bots)  # that had it
    standing: Standing | None = None  # where anything was said in it at all
    with_bot: bool = False  # now
    handed: datetime | None = None  # by a bot, the last time

    @property
    def done(self) -> bool:
        return self.ticket.status in DONE

    @property
    def first(self) -> Solve | None:
        return self.solves[0] if self.solves else None

    @property
    def last(self) -> Solve | None:
        return self.solves[-1] if self.solves and self.done else None

    def counted(self, until: tuple[datetime, float, int] | None = None) -> list[Said]:
        """Human public messages after the customer's first, and before a place in the order."""
        begun = [one.place for one in self.said if one.who == "customer"]
        return [
            one
            for one in self.said
            if one.who == "human" and begun and one.place > begun[0] and (until is None or one.place < until)
        ]

    def credit(self, solve: Solve) -> int | None:
        """Who wrote the last of them before a solve; None for nobody, or for somebody outside Rabta."""
        ours = self.counted(solve.place)
        return ours[-1].writer if ours else None

    def sessions(self) -> int:
        """Stretches without a pause of over an hour, from the first word of the customer to the first solve."""
        assert self.first is not None
        begun = _first(self)
        words = [one for one in self.said if begun <= one.place < self.first.place]
        return 1 + sum(later.at - before.at > SESSION for before, later in pairwise(words))

    @property
    def one_touch(self) -> bool:
        assert self.first is not None
        touches = len(self.counted(self.first.place))
        return touches > 0 and self.sessions() == 1 if self.live else touches == 1

    @property
    def one_contact(self) -> bool:
        """Condition (a) of FCR."""
        assert self.first is not None
        if self.live:
            return self.sessions() == 1
        ours = self.counted(self.first.place)
        between = [one for one in self.said if one.who == "customer" and one.place < self.first.place]
        return not any(one.place > ours[0].place for one in between)

    def counting_reopen(self) -> datetime | None:
        """The first re-open after the first solve that a person answered before the next solve."""
        if self.first is None:
            return None
        for one in self.reopens:
            if one.place < self.first.place:
                continue
            ends = [solve.place for solve in self.solves if solve.place > one.place]
            ours = [word for word in self.said if word.who == "human" and word.place > one.place]
            if any(not ends or word.place < ends[0] for word in ours):
                return one.at
        return None

    @property
    def answers_as_follow_up(self) -> bool:
        """Whether a person answered it before its first solve, or at all while it has none."""
        return bool(self.counted(self.first.place if self.first else None))


def outcome(
    ticket: Ticket,
    messages: Sequence[Message],
    events: Sequence[Event],
    channels: dict[int, Channel],
    bots: set[int],
    chats: Sequence[Event],
) -> Outcome:
    """What came of a ticket. `messages` are those that lie in it now, `events` its own of the log, in order; `chats`
    those of the chats that lie in it.
    """
    changes = status_changes(events)
    turns = handed_over(events, chats, bots)
    given = [one.at for one in turns if one.bot is None]
    said = said_in(messages, [one for one in changes if is_solve(one)], given)
    customers = [one for one in said if one.who == "customer"]
    opening = customers[0] if customers else None
    channel = opening.channel if opening else ticket.channel_id
    reopens = [Reopen(one.at, (one.at, float(STATUS), one.pk)) for one in changes if is_reopen(one)]
    solves = solves_of(changes, said)
    found = Outcome(
        ticket,
        channel,
        _is_live(messages, opening, channels[channel]),
        teams(ticket, events),
        priorities(ticket, events),
        said,
        solves,
        reopens,
    )
    found.begun = min((one.at for one in said), default=None)
    found.began = min(spoken_in(messages), default=None)
    found.machines = machines_in(messages)
    found.owner = owners(ticket, events)
    found.bot = Bots(turns, said)
    if found.began is not None:
        written_here = [one for one in messages if one.first_ticket_id == ticket.pk]
        found.standing = Standing(found.began, written_here, events, said, found.bot)
    found.with_bot = found.bot.now is not None
    found.handed = max((one.at for one in found.bot.turns if one.bot is None), default=None)
    if opening is None:
        return found
    found.opened = opening.at
    found.answered = bool(found.counted())
    _count_runs(found)
    return found


def _is_live(messages: Sequence[Message], opening: Said | None, channel: Channel) -> bool:
    if opening is None:
        return False
    row = next(one for one in messages if one.pk == opening.place[2])
    adapter = adapter_for(channel.kind)
    return adapter.live or adapter.messenger or (row.origin == "logged" and row.payload.get("medium") == "call")


def _count_runs(found: Outcome) -> None:
    """Runs of customer messages: each is ended by a person's answer, or by a solve without one."""
    assert found.opened is not None
    begun: Said | None = None
    steps: list[Said | Solve] = sorted([*found.said, *found.solves], key=lambda one: one.place)
    answers = 0
    for step in steps:
        with_bot = found.bot.before(step.place) is not None
        handed = found.bot.handed(step.place)
        if isinstance(step, Solve):
            if begun is not None and not with_bot:
                found.waits.append((max([begun.at, *handed]), step.at))
            begun = None
        elif step.who == "customer":
            begun = begun or step
        elif step.who == "human" and step.place > _first(found):
            answers += 1  # with a bot, it is itself the take-over: nobody waited for it
            if answers == 1 and not with_bot:
                opening = next(one for one in found.said if one.who == "customer")
                channel = (begun or opening).channel
                found.first_response = Response(opening, step, max([opening.at, *handed]), True, channel)
            if begun is not None and not with_bot:
                start = max([begun.at, *handed])
                found.responses.append(Response(begun, step, start, answers == 1, begun.channel))
                found.waits.append((start, step.at))
            begun = None


def _first(found: Outcome) -> tuple[datetime, float, int]:
    return next(one.place for one in found.said if one.who == "customer")
