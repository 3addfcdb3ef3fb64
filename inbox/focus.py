"""What agents have before them and use, as their pages tell it: read here, kept by whoever asks for it (`hears`).

A page tells stretches of time: this ticket was shown on it, it had the focus, and was used within the last minute or
was not. It numbers them, and says the same one again as it grows, and after it lost its connection: repeats are
harmless. Which keys and what was pointed at is never told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PAGE = re.compile(r"[0-9a-z]{8,16}")
MOST_SEQ = 2**31 - 1
HIGHEST = 2**63
LONGEST = timedelta(minutes=15)  # of one stretch; a page begins another after ten
OLDEST = timedelta(days=7)  # what a laptop tells that was away for longer is not believed


@dataclass(frozen=True, slots=True)
class Stretch:
    """`page` and `seq` name it among those of this agent; `idle`: unused for more than a minute."""

    agent: int
    page: str
    seq: int
    ticket: int
    idle: bool
    started_at: datetime
    ended_at: datetime


Keeper = Callable[[list[Stretch], bool], None]
_keepers: list[Keeper] = []


def hears(keeper: Keeper) -> Keeper:
    """Decorator: it is handed what pages tell: over their websocket, on the loop of the web process, so that it must
    wait for nothing; or (`now`) from a page that is being closed, to be kept at once.
    """
    _keepers.append(keeper)
    return keeper


def heard(agent: int, said: object, *, now: bool = False) -> int:
    """A page of this agent says this; returns how many stretches it could be understood to be."""
    found = list(read(agent, said, datetime.now(UTC)))
    if found:
        for keeper in _keepers:
            keeper(found, now)
    return len(found)


def read(agent: int, said: object, now: datetime) -> Iterable[Stretch]:
    """Of [page, number, ticket, 1 for idle, from, to] each, in milliseconds of our clock: what can be so.

    Nothing lies ahead of us: a page that thinks so is a little fast.
    """
    for one in said if isinstance(said, list) else ():
        match one:
            case [str(page), int(seq), int(ticket), int(idle), int(start), int(end)]:
                plain = not any(isinstance(part, bool) for part in (seq, ticket, start, end))
                if not plain or not PAGE.fullmatch(page) or not 0 <= seq <= MOST_SEQ or not 0 < ticket < HIGHEST:
                    continue
                if not 0 < start < end < 2**43:
                    continue
                begins, ends = _moment(start), min(_moment(end), now)
                if now - OLDEST < begins < ends and ends - begins <= LONGEST:
                    yield Stretch(agent, page, seq, ticket, bool(idle), begins, ends)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)
