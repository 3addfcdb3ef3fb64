"""What the room knows of each connected page: who it is, and what it has been told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import randint
from typing import Any

from channels_chat.deeds import Ready
from channels_chat.doors import Door
from inbox.sockets import Socket

MOST_TOLD = 100  # messages of the last minutes that a page is known to have
SENT = (50, 100)  # lines of a page, and ...
SENT_TO_DESK = (300, 600)  # ... of a desk, beyond what was read, after which that is read: each at a time of its own
MOST_COMING = 5000  # visitors of whom it is known when there were news last


@dataclass(eq=False)
class Page(Socket):
    """One connected page of a visitor. `agent` and `session` of a Socket mean nothing here."""

    door: Door | None = None
    visit: str = ""
    about: dict[str, Any] = field(default_factory=dict)  # where on the site they are
    visitor: int = 0  # id of the Visitor row; 0 until they write
    key: str = ""  # the session key that its browser holds
    read_at: int = 0  # when what it was greeted with was read, as `OnTheirWay` counts
    knows: int = 0  # it was sent all that there was up to this message
    sent: set[int] = field(default_factory=set)  # and these beyond
    enough: int = field(default_factory=lambda: randint(*SENT))
    ready: Ready | None = None  # what the next line needs, as it was found for one before
    told: tuple[int, ...] = ()  # the last of those up to there: a look back finds them again

    def now_knows(self, ids: Sequence[int], *, since: int = 0) -> None:
        """It has these messages, oldest first, and what there was before the last of them."""
        self.knows = max(self.knows, since, *ids[-1:])
        passed = {*ids, *(one for one in self.sent if one <= self.knows)}.difference(self.told)
        self.sent = {one for one in self.sent if one > self.knows}
        self.told = (*self.told, *sorted(passed))[-MOST_TOLD:]

    def knows_nothing(self) -> None:
        self.knows, self.told, self.sent, self.ready = 0, (), set(), None


@dataclass(eq=False)
class DeskPage(Socket):
    """One agent's page with chats before them: tickets, and the newest message of each that it was sent."""

    watches: dict[int, int] = field(default_factory=dict)
    sent: set[int] = field(default_factory=set)  # messages beyond those
    enough: int = field(default_factory=lambda: randint(*SENT_TO_DESK))
    checked: dict[int, float] = field(default_factory=dict)  # when they were found to see each ticket
    may_write: bool = False


class OnTheirWay:
    """Pages whose greeting is being read are told of nothing yet, and what they are greeted with may be older than what
    comes meanwhile: this knows, in the order of the event loop, who has missed news.
    """

    def __init__(self) -> None:
        self.now = 0  # counts up with each news
        self.last: dict[int, int] = {}  # when there were news for a visitor, the oldest first
        self.forgotten = 0  # before this, nothing is known

    def begins(self, page: Page) -> None:
        """What this page is greeted with is read from now on."""
        page.read_at = self.now

    def news(self, visitors: Iterable[int]) -> None:
        """There is something new for these."""
        self.now += 1
        for one in visitors:
            self.last.pop(one, None)
            self.last[one] = self.now
        while len(self.last) > MOST_COMING:
            self.forgotten = self.last.pop(next(iter(self.last)))

    def missed(self, page: Page, visitor: int) -> bool:
        """Whether there may have been news for this visitor since the page's greeting was read."""
        return self.last.get(visitor, self.forgotten) > page.read_at
