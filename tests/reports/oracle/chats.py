"""Chats that were offered to people, and conversations that bots had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from inbox.models import Engagement, Event
from tests.reports.oracle.cases import Book, Case
from tests.reports.oracle.outcome import Outcome

SHORT = 15  # seconds
EVER = datetime(9999, 1, 1, tzinfo=UTC)
JUST = timedelta(seconds=2)  # before it begins to chat, in which a bot is given the ticket


def _talks(book: Book) -> Iterator[tuple[Outcome, Engagement, list[Event]]]:
    for row in book.rows.engagements:
        if row.kind == "chat" and row.ticket_id in book.counted:
            yield book.outcomes[row.ticket_id], row, book.lines[row.pk]


def _case(book: Book, one: Outcome, at: datetime, good: bool, *, agent: int | None, team: int | None, channel: int,
          open_until: datetime | None) -> Case:  # fmt: skip
    ticket = one.ticket
    return Case(at, int(good), ticket, channel, team, agent, ticket.priority, ticket.customer_id,
                ticket.pk in book.imported, open_until)  # fmt: skip


def offered(book: Book) -> Iterator[Case]:
    """Chats that asked for a person within hours; the numerator are those left before one answered."""
    for one, row, lines in _talks(book):
        asked = [line for line in lines if line.kind == "chat_requested"]
        if not asked or not asked[0].data["in_hours"]:
            continue
        answered = [line.actor_id for line in lines if line.kind == "chat_answered"]
        left = [datetime.fromisoformat(line.data["left"]) for line in lines if line.kind == "chat_abandoned"]
        if left and not answered and (left[-1] - asked[-1].at).total_seconds() < SHORT:
            continue
        ended = any(line.kind == "chat_ended" for line in lines)
        yield _case(
            book,
            one,
            asked[0].at,
            bool(left) and not answered,
            agent=answered[0] if answered else None,
            team=asked[0].data["team"],
            channel=row.channel_id,
            open_until=None if answered or ended else EVER,
        )


def contained(book: Book, *, confirmed: bool, now: datetime, window: int) -> Iterator[Case]:
    """Conversations with bots; in the numerator those without a person: confirmed, or assumed after the window."""
    days = timedelta(days=window)
    for one, bot, began, channel, heard, handed, said_so in (*_in_chats(book), *_of_owners(book)):
        good, until = not handed and said_so, None
        if not confirmed:
            silent = not handed and not said_so
            again = any(
                other.opened is not None and heard < other.opened < heard + days
                for other in book.related[book.customer(one.ticket.customer_id)]
                if other is not one and (one.ticket.pk in book.imported or other.ticket.pk not in book.imported)
            )
            good = silent and heard + days <= now and not again
            until = heard + days if silent else None
        yield _case(book, one, began, good, agent=bot, team=one.team.at(began), channel=channel, open_until=until)


Talked = tuple[Outcome, int | None, datetime, int, datetime, bool, bool]


def _in_chats(book: Book) -> Iterator[Talked]:
    """Those in chats: until the bot hands over, or its part is over."""
    for one, row, lines in _talks(book):
        for place, line in enumerate(lines):
            if line.kind != "bot_started":
                continue
            ends = [later for later in lines[place + 1 :] if later.kind in {"bot_handoff", "bot_ended"}]
            end = ends[0] if ends else None
            outcome = end.data.get("outcome") if end is not None else None
            words = [said.at for said in one.said if said.who == "customer" and (end is None or said.at <= end.at)]
            handed = end is not None and (end.kind == "bot_handoff" or outcome == "left")
            heard = max(words, default=line.at)
            yield one, line.actor_id, line.at, row.channel_id, heard, handed, outcome == "confirmed"


def _parts(book: Book) -> Iterator[tuple[Outcome, datetime, datetime]]:
    """From when to when bots chatted."""
    for one, _row, lines in _talks(book):
        for place, line in enumerate(lines):
            if line.kind == "bot_started":
                ends = [later.at for later in lines[place + 1 :] if later.kind in {"bot_handoff", "bot_ended"}]
                yield one, line.at, ends[0] if ends else EVER


def _of_owners(book: Book) -> Iterator[Talked]:
    """Elsewhere: a bot had the ticket, and the customer wrote meanwhile."""
    chats: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for one, began, end in _parts(book):
        chats[one.ticket.pk].append((began, end))
    for pk in book.counted:
        one = book.outcomes[pk]
        turns = one.bot.turns
        for place, turn in enumerate(turns):
            if turn.bot is None or any(start - JUST <= turn.told <= end for start, end in chats[pk]):
                continue  # a bot that chats there already, or is about to
            until = turns[place + 1].at if place + 1 < len(turns) else None
            within = [
                said.at
                for said in one.said
                if said.who == "customer" and turn.at <= said.at and (until is None or said.at <= until)
            ]
            if within:
                yield one, turn.bot, turn.at, one.channel, within[-1], until is not None, False
