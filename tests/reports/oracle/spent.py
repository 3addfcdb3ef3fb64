"""Handle time: whose each second of an agent was, looked at piece by piece between all that begins and ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from inbox.models import Event
from tests.reports.oracle.cases import Book, Case

LATELY = timedelta(minutes=5)
ONE_CLICK = timedelta(seconds=1)  # after what they did before
QUARTER = timedelta(minutes=15)
EVER = datetime(9999, 1, 1, tzinfo=UTC)
DEEDS = frozenset({
    "message_added", "message_logged", "note_added", "status_changed", "assigned", "chat_transferred",
    "priority_changed", "fields_changed", "tags_changed", "merged_from",
})  # fmt: skip
Key = tuple[int, int, datetime, int | None]  # ticket, agent, quarter of an hour, team


@dataclass(frozen=True)
class Span:
    ticket: int
    start: datetime
    end: datetime
    over: bool = True  # what ends it is the end of the chat or call itself
    chat: int = 0


@dataclass
class Time:
    """What one agent had before them (used or not), their calls and their chats."""

    used: list[Span] = field(default_factory=list)
    unused: list[Span] = field(default_factory=list)
    calls: list[Span] = field(default_factory=list)
    chats: list[Span] = field(default_factory=list)
    fresh: list[Span] = field(default_factory=list)  # parts of chats within five minutes of a message

    def shares(self, at: datetime) -> list[int]:
        """The tickets that share this moment; the first that applies has it, and of two the one begun later."""
        if used := _then(self.used, at):
            return used[-1:]
        if calls := _then(self.calls, at):
            return calls[-1:]
        if chats := {one.chat: one.ticket for one in self.fresh if one.start <= at < one.end}:
            return list(chats.values())
        ended = {one.ticket for one in (*self.calls, *self.chats) if one.over and one.end <= at < one.end + LATELY}
        return [one for one in _then(self.unused, at) if one in ended][-1:]

    def points(self) -> set[datetime]:
        spans = [*self.used, *self.unused, *self.calls, *self.fresh]
        found = {at for one in spans for at in (one.start, one.end)}
        found |= {at for one in (*self.calls, *self.chats) if one.over for at in (one.end, one.end + LATELY)}
        for one in spans:
            at = quarter_of(one.start)
            while (at := at + QUARTER) < one.end:
                found.add(at)
        return found


def _then(spans: Sequence[Span], at: datetime) -> list[int]:
    there = [one for one in spans if one.start <= at < one.end]
    return [one.ticket for one in sorted(there, key=lambda one: one.start)]


def quarter_of(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def held(lines: Sequence[Event]) -> Iterator[tuple[int, datetime, datetime, bool]]:
    """Who had a chat from when to when, and whether it ended there."""
    agent: int | None = None
    since = EVER
    for one in lines:
        ends = one.kind in {"chat_ended", "chat_abandoned"}
        if not ends and one.kind not in {"chat_accepted", "chat_transferred", "chat_returned"}:
            continue
        if agent is not None:
            yield agent, since, one.at, ends
        agent, since = (one.actor_id, one.at) if one.kind == "chat_accepted" else (None, EVER)
    if agent is not None:
        yield agent, since, EVER, False


def _times(book: Book) -> dict[int, Time]:
    found: dict[int, Time] = defaultdict(Time)
    for look in book.rows.activities:
        span = Span(book.root(look.ticket_id), look.started_at, look.ended_at)
        (found[look.agent_id].unused if look.idle else found[look.agent_id].used).append(span)
    said: dict[int, list[datetime]] = defaultdict(list)
    for word in book.rows.messages:
        if word.direction != "note" and word.side_id is None and word.author_kind in {"customer", "agent"}:
            said[word.ticket_id].append(word.sent_at or word.created_at)
    for row in book.rows.engagements:
        ticket = book.root(row.ticket_id)
        if row.kind == "call":
            if row.agent_id and row.accepted_at and row.ended_at:
                found[row.agent_id].calls.append(Span(ticket, row.accepted_at, row.ended_at))
            continue
        for agent, start, end, over in held(book.lines[row.pk]):
            time = found[agent]
            time.chats.append(Span(ticket, start, end, over))
            for at in said[row.ticket_id]:
                begins, ends = max(at, start), min(at + LATELY, end)
                if begins < ends:
                    time.fresh.append(Span(ticket, begins, ends, chat=row.pk))
    return found


def worked(book: Book) -> list[Case]:
    """One case for each ticket, agent, quarter of an hour and team: its value are whole thousandths of a second."""
    spent: dict[Key, Fraction] = defaultdict(Fraction)
    acted: set[Key] = set()

    def key(ticket: int, agent: int, at: datetime) -> Key:
        return ticket, agent, quarter_of(at), book.outcomes[ticket].team.at(at)

    for agent, time in _times(book).items():
        for a, b in pairwise(sorted(time.points())):
            tickets = time.shares(a)
            for ticket in book.counted.intersection(tickets):
                team = book.outcomes[ticket].team
                for x, y in pairwise([a, *(at for at, _, _ in team.steps if a < at < b), b]):
                    share = Fraction(int((y - x).total_seconds()), len(tickets))
                    spent[key(ticket, agent, x)] += share * tickets.count(ticket)
    last: dict[tuple[int, int], datetime] = {}
    for event in sorted(book.rows.events, key=lambda one: (one.at, one.pk)):
        if event.kind in DEEDS and event.actor_kind == "agent" and event.actor_id and event.ticket_id is not None:
            ticket = book.root(event.ticket_id)
            moved = event.kind == "status_changed" and ticket != event.ticket_id
            if ticket in book.counted and not moved and not event.data.get("automatic"):
                by = ticket, event.actor_id
                if by not in last or event.at - last[by] > ONE_CLICK:
                    acted.add(key(ticket, event.actor_id, event.at))
                last[by] = event.at
    return [_case(book, one, spent.get(one, Fraction(0)), one in acted) for one in spent.keys() | acted]


def _case(book: Book, key: Key, seconds: Fraction, acted: bool) -> Case:
    number, agent, quarter, team = key
    one = book.outcomes[number]
    return Case(
        quarter,
        round(seconds * 1000),
        one.ticket,
        one.channel,
        team,
        agent,
        one.ticket.priority,
        one.ticket.customer_id,
        number in book.imported,
        kind="acted" if acted else "",
    )
