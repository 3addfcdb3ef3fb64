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
    bots_in,
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
    bot: Bots = field(default_factory=lambda: Bots((), None))  # that had it
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
    said = said_in(messages, [one for one in changes if is_solve(one)])
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
    found.bot = bots_in(found.owner, events, chats, said, bots)
    if found.began is not None:
        written_here = [one for one in messages if one.first_ticket_id == ticket.pk]
        found.standing = Standing(found.began, written_here, events, said, found.bot)
    found.with_bot = found.bot.now is not None
    hand_offs = [at for at, before, _ in found.bot.steps if before is not None]
    found.handed = hand_offs[-1] if hand_offs else None
    if opening is None:
        return found
    found.opened = opening.at
    found.answered = bool(found.counted())
    _count_runs(found, hand_offs)
    return found


def _is_live(messages: Sequence[Message], opening: Said | None, channel: Channel) -> bool:
    if opening is None:
        return False
    row = next(one for one in messages if one.pk == opening.place[2])
    adapter = adapter_for(channel.kind)
    return adapter.live or adapter.messenger or (row.origin == "logged" and row.payload.get("medium") == "call")


def _count_runs(found: Outcome, hand_offs: Sequence[datetime]) -> None:
    """Runs of customer messages: each is ended by a person's answer, or by a solve without one."""
    assert found.opened is not None
    begun: Said | None = None
    steps: list[Said | Solve] = sorted([*found.said, *found.solves], key=lambda one: one.place)
    answers = 0
    for step in steps:
        if isinstance(step, Solve):
            if begun is not None:
                start = _start(begun, step.at, found.bot, hand_offs, inclusive=True)
                found.waits += [(start, step.at)] if start is not None else []
            begun = None
        elif step.who == "customer":
            begun = begun or step
        elif step.who == "human" and step.place > _first(found):
            answers += 1
            assert step.written is not None
            if answers == 1:
                opening = next(one for one in found.said if one.who == "customer")
                start = _start(opening, step.written, found.bot, hand_offs, inclusive=False)
                found.first_response = None if start is None else Response(opening, step, start, True)
            if begun is not None:
                start = _start(begun, step.written, found.bot, hand_offs, inclusive=False)
                if start is not None:
                    found.responses.append(Response(begun, step, start, answers == 1))
                    found.waits.append((start, step.at))
            begun = None


def _first(found: Outcome) -> tuple[datetime, float, int]:
    return next(one.place for one in found.said if one.who == "customer")


def _start(
    begun: Said, until: datetime, bot: Over, hand_offs: Sequence[datetime], *, inclusive: bool
) -> datetime | None:
    """Where a person's clock begins: at the first of the run, or at the hand-off. None while a bot still has it."""
    before = [one for one in hand_offs if one < until or (inclusive and one == until)]
    if (bot.at(until) if inclusive else bot.just_before(until)) is not None:
        return None
    return max([begun.at, *before])
