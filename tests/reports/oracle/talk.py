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


def said_in(messages: Sequence[Message], solved: Sequence[Event]) -> list[Said]:
    """The public messages that count, in order; `solved` are the solves between which ours are put."""
    found = []
    for one in messages:
        if one.side_id is not None or one.kind in BY_NO_PERSON:
            continue
        if one.direction == "in" and one.author_kind == "customer" and one.content_kind not in NO_WORDS:
            at = min(one.created_at, one.received_at)
            found.append(Said("customer", at, (at, CUSTOMER, one.pk), one.channel_id))
        elif one.origin == "logged":  # a call of ours that somebody has kept
            place = (one.created_at, float(OURS), one.pk)
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
            if who == "human" and later and min(later) < one.sent_at:
                place = (min(later), 1.5, one.pk)  # answered and solved in one click: it left a moment later
            found.append(Said(who, one.sent_at, place, one.channel_id, one.agent_id, one.created_at))
    return sorted(found, key=lambda one: one.place)


def spoken_in(messages: Sequence[Message]) -> list[datetime]:
    """When anything public came or left, by whomever it was: automatic mail counts, too."""
    found = []
    for one in messages:
        if one.side_id is not None or one.direction == "note" or one.content_kind in NO_WORDS:
            continue
        if one.direction == "in":
            found.append(min(one.created_at, one.received_at))
        elif one.origin == "logged":
            found.append(one.created_at)
        elif one.state in ARRIVED and one.sent_at is not None:
            found.append(one.sent_at)
    return found


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
        ours = [word for word in said if word.who == "human" and word.place < place]
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

    def just_before(self, when: datetime) -> Any:
        """Before whatever a person did in that second, though not before who was given it by themselves in it."""
        given = [after for at, _, after in self.steps if at == when and after is not None]
        return given[-1] if given else self.at(when - timedelta(microseconds=1))


def owners(ticket: Ticket, events: Sequence[Event]) -> Over:
    steps = [(one.at, one.data["from"], one.data["to"]) for one in events if one.kind == "assigned"]
    return Over([step for step in steps if step[1] != step[2]], ticket.assignee_id)


class Bots(Over):
    """Which bot had a ticket. `told` says of each step when the log tells of it: a bot that takes a ticket by itself
    has had it since what it takes it for was written.
    """

    def __init__(self, steps: Sequence[tuple[datetime, Any, Any, datetime]], now: Any) -> None:
        super().__init__([(at, before, after) for at, before, after, _ in steps], now)
        self.told = [told for *_, told in steps]


def bots_in(owner: Over, events: Sequence[Event], chats: Sequence[Event], said: Sequence[Said], bots: set[int]) -> Bots:
    """Until it was given away, its chat was queued or taken, or a person wrote. What the log tells of one second
    happened in its order, and a person's word comes after it.
    """
    given = [one for one in events if one.kind == "assigned" and one.data["from"] != one.data["to"]]
    steps = [(one.at, 0, one.pk, one.data["to"], one.actor_kind != "agent") for one in given]
    steps += [(one.at, 0, one.pk, None, None) for one in chats if one.kind in {"chat_requested", "bot_handoff"}]
    steps += [(one.at, 1, 0, None, None) for one in said if one.who == "human"]
    now = first = owner.steps[0][1] if owner.steps else owner.now
    found: list[tuple[datetime, Any, Any, datetime]] = []
    for at, _, _, after, by_itself in sorted(steps, key=lambda step: step[:3]):
        if by_itself is not None or now in bots:
            since = at
            if by_itself and now is None and after in bots:
                words = [one for one in said if one.at <= at and one.who in {"customer", "human"}]
                if words and words[-1].who == "customer" and at - words[-1].at <= NEAR:
                    since = max(one for one in (words[-1].at, *(step[0] for step in found)))
            found.append((since, now, after, at))
            now = after
    only = [(at, a if a in bots else None, b if b in bots else None, told) for at, a, b, told in found]
    return Bots([step for step in only if step[1] != step[2]], (now if found else first) if now in bots else None)


def teams(ticket: Ticket, events: Sequence[Event]) -> Over:
    told = [one for one in events if one.kind == "assigned" and "team_to" in one.data]
    steps = [(one.at, one.data["team_from"], one.data["team_to"]) for one in told]
    return Over([step for step in steps if step[1] != step[2]], ticket.team_id)


def priorities(ticket: Ticket, events: Sequence[Event]) -> Over:
    steps = [(one.at, one.data["from"], one.data["to"]) for one in events if one.kind == "priority_changed"]
    return Over(steps, ticket.priority)
