"""What was said and done in one ticket, in order.

Customers' messages have the time at which they reached our border, ours that at which they left, and status changes
that of the log. At the same instant a customer comes before us, and we before a change of status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inbox.models import Event, Message, Ticket

ARRIVED = {"sent", "delivered", "read", "unknown"}
BY_NO_PERSON = {"auto_reply", "bounce", "feedback_report"}
NO_WORDS = {"button", "reaction", "survey"}  # presses of a button, and answers to a survey
DONE = {"solved", "closed"}
UNDO = timedelta(seconds=300)
NEAR = timedelta(minutes=1)  # in which a bot that takes a ticket by itself has heard of it

CUSTOMER, OURS, STATUS = 0, 1, 2  # their order at the same instant


@dataclass(frozen=True)
class Said:
    """Something public. `at` is its time; `place` where it stands in the order."""

    who: str  # customer, human, bot
    at: datetime
    place: tuple[datetime, float, int]
    channel: int
    writer: int | None = None
    written: datetime | None = None


@dataclass(frozen=True)
class Solve:
    at: datetime
    place: tuple[datetime, float, int]


@dataclass(frozen=True)
class Reopen:
    at: datetime
    place: tuple[datetime, float, int]


def said_in(messages: Sequence[Message], solved: Sequence[Event], given: Sequence[datetime]) -> list[Said]:
    """The public messages that count, in order; `solved` are the solves between which ours are put, and `given` is when
    bots handed over.
    """
    found = []
    for one in messages:
        if one.side_id is not None or one.kind in BY_NO_PERSON:
            continue
        if one.direction == "in" and one.author_kind == "customer" and one.content_kind not in NO_WORDS:
            at = min(one.created_at, one.received_at)
            found.append(Said("customer", at, (at, CUSTOMER, one.pk), one.channel_id))
        elif one.origin == "logged":  # a call of ours that somebody has kept
            place = (one.created_at, 0.5 if one.created_at in given else float(OURS), one.pk)
            found.append(Said("human", one.created_at, place, one.channel_id, one.agent_id, one.created_at))
        elif one.direction == "out" and one.state in ARRIVED and one.sent_at is not None:
            if one.author_kind == "agent" or one.origin == "echo":
                who = "human"
            elif one.author_kind == "bot":
                who = "bot"
            else:
                continue
            place = (one.sent_at, float(OURS), one.pk)
            later = [solve.at for solve in solved if one.created_at <= solve.at]
            taking = [at for at in given if one.created_at <= at <= one.sent_at]
            if who == "human" and taking:
                place = (taking[0], 0.5, one.pk)  # what it was handed over for
            elif who == "human" and later and min(later) < one.sent_at:
                place = (min(later), 1.5, one.pk)  # answered and solved in one click: it left a moment later
            found.append(Said(who, one.sent_at, place, one.channel_id, one.agent_id, one.created_at))
    return sorted(found, key=lambda one: one.place)


def spoken_in(messages: Sequence[Message]) -> list[datetime]:
    """When anything public came or left, by whomever it was: automatic mail counts, too."""
    found = []
    for one in messages:
        if one.side_id is not None or one.direction == "note" or one.content_kind in NO_WORDS:
            continue
        if one.direction == "in" or one.origin == "logged" or (one.state in ARRIVED and one.sent_at is not None):
            found.append(time_of(one))
    return found


def time_of(one: Message) -> datetime:
    """When it came, or left."""
    if one.direction == "in":
        return min(one.created_at, one.received_at)
    return one.created_at if one.origin == "logged" or one.sent_at is None else one.sent_at


def machines_in(messages: Sequence[Message]) -> list[tuple[datetime, int]]:
    """When automatic mail and reports came or left, and on which channel."""
    found = []
    for one in messages:
        if one.side_id is not None or one.direction == "note" or one.content_kind in NO_WORDS:
            continue
        if one.direction == "in" and one.kind in BY_NO_PERSON:
            found.append((min(one.created_at, one.received_at), one.channel_id))
        nobody = one.kind in BY_NO_PERSON or (one.author_kind == "system" and one.origin != "echo")
        if one.direction == "out" and nobody and one.state in ARRIVED and one.sent_at is not None:
            found.append((one.sent_at, one.channel_id))
    return found


def status_changes(events: Sequence[Event]) -> list[Event]:
    """Changes of status in the order of the log, without those that were taken back within five minutes."""
    kept: list[Event] = []
    for one in events:
        if one.kind != "status_changed":
            continue
        before = kept[-1] if kept else None
        if (
            one.data.get("undo")
            and before is not None
            and (before.data["from"], before.data["to"]) == (one.data["to"], one.data["from"])
            and one.at - before.at <= UNDO
        ):
            kept.pop()
        else:
            kept.append(one)
    return kept


def is_solve(change: Event) -> bool:
    """A bot's does not count: its conversation is over, nobody has solved anything. Nor does tidying up."""
    told = change.data
    return told["to"] in DONE and told["from"] not in DONE and change.actor_kind != "bot" and not told.get("why")


def is_reopen(change: Event) -> bool:
    """By a customer's message or by hand: not by a rule, a bot, nor because it was merged or was no spam after all."""
    told = change.data
    by_hand = change.actor_kind in {"agent", "customer"} and not told.get("why")
    return by_hand and told["from"] in DONE and told["to"] not in DONE


def solves_of(changes: Sequence[Event], said: Sequence[Said]) -> list[Solve]:
    """Solves after the customer has written. One by a rule is that of our last word before it."""
    asked = next((one for one in said if one.who == "customer"), None)
    found = []
    for one in changes:
        place = (one.at, float(STATUS), one.pk)
        if asked is None or not is_solve(one) or place < asked.place:
            continue
        ours = [word for word in said if word.who == "human" and asked.place < word.place < place]
        if one.actor_kind == "system" and not one.data.get("undo") and ours:
            last = ours[-1]
            found.append(Solve(last.at, (last.place[0], last.place[1] + 0.1, one.pk)))
        else:
            found.append(Solve(one.at, place))
    return sorted(found, key=lambda solve: solve.place)


class Over:
    """A value that the log tells the changes of: what it was at a time, the changes of that instant included."""

    def __init__(self, steps: Sequence[tuple[datetime, Any, Any]], now: Any) -> None:
        self.steps = steps  # when, from, to
        self.now = now

    def at(self, when: datetime) -> Any:
        for at, before, _ in self.steps:
            if at > when:
                return before
        return self.now


def owners(ticket: Ticket, events: Sequence[Event]) -> Over:
    steps = [(one.at, one.data["from"], one.data["to"]) for one in events if one.kind == "assigned"]
    return Over([step for step in steps if step[1] != step[2]], ticket.assignee_id)


Place = tuple[datetime, float, int]


@dataclass(frozen=True)
class Turn:
    """A bot has the ticket from then on, or none any more. `told` is when the log says so: a bot that takes a ticket by
    itself has had it since what it takes it for was written.
    """

    place: Place
    at: datetime
    bot: int | None
    told: datetime
    word: int | None = None  # the message by which a person took over


def handed_over(events: Sequence[Event], chats: Sequence[Event], bots: set[int]) -> list[Turn]:
    """When bots were given a ticket and gave it away, as the log alone tells it, in its order; not yet since what."""
    lines = [one for one in events if one.kind in {"ticket_created", "assigned"}]
    lines += [one for one in chats if one.kind in {"chat_requested", "bot_handoff"}]
    found: list[Turn] = []
    owner = None
    for one in sorted(lines, key=lambda line: (line.at, line.pk)):
        before, by_itself = owner, one.actor_kind in {"bot", "system"}
        if one.kind == "ticket_created":
            owner = one.data.get("assignee")
        elif one.kind == "assigned":
            owner = one.data["to"]
        elif owner in bots:
            owner = None
        if owner in bots and owner != before:
            alone = by_itself and before is None
            found.append(Turn((one.at, -1 if alone else 0, one.pk), one.at, owner, one.at))
        elif before in bots and owner not in bots:
            found.append(Turn((one.at, 0, one.pk), one.at, None, one.at))
    return found


class Bots(Over):
    """Which bot had a ticket: until it was given away, its chat was queued or taken, or a person wrote."""

    def __init__(self, told: Sequence[Turn] = (), said: Sequence[Said] = ()) -> None:
        by_log: list[Turn] = []
        for one in told:
            at = one.at
            if one.bot is not None and one.place[1] == -1:  # by itself
                words = [word for word in said if word.at <= at and word.who in {"customer", "human"}]
                if words and words[-1].who == "customer" and at - words[-1].at <= NEAR:
                    at = words[-1].at
                at = max([at, *(other.at for other in by_log[-1:])])
            rank = 0.6 if one.bot is None else -1.0
            if by_log and by_log[-1].at == at:
                rank = max(rank, by_log[-1].place[1])
            by_log.append(Turn((at, rank, len(by_log)), at, one.bot, one.told))
        self.turns: list[Turn] = []
        steps: list[Turn | Said] = sorted([*by_log, *said], key=lambda step: step.place)
        for step in steps:
            if isinstance(step, Turn):
                if step.bot != self.at_end:
                    self.turns.append(step)
            elif step.who == "human" and self.at_end is not None:
                self.turns.append(Turn(step.place, step.at, None, step.at, step.place[2]))
        now = self.at_end
        had: list[tuple[datetime, Any, Any]] = []
        for turn in self.turns:
            had.append((turn.at, had[-1][2] if had else None, turn.bot))
        super().__init__(had, now)

    @property
    def at_end(self) -> int | None:
        return self.turns[-1].bot if self.turns else None

    def before(self, place: Place) -> int | None:
        """Which had it just before that place in the order."""
        return next((one.bot for one in reversed(self.turns) if one.place < place), None)

    def handed(self, place: Place) -> list[datetime]:
        """When bots gave it away before that."""
        return [one.at for one in self.turns if one.bot is None and one.word is None and one.place < place]


def teams(ticket: Ticket, events: Sequence[Event]) -> Over:
    told = [one for one in events if one.kind == "assigned" and "team_to" in one.data]
    steps = [(one.at, one.data["team_from"], one.data["team_to"]) for one in told]
    return Over([step for step in steps if step[1] != step[2]], ticket.team_id)


def priorities(ticket: Ticket, events: Sequence[Event]) -> Over:
    steps = [(one.at, one.data["from"], one.data["to"]) for one in events if one.kind == "priority_changed"]
    return Over(steps, ticket.priority)
