"""In each web process one hub for chats: it knows which visitors' pages are connected and who at the desk watches what,
hears of news by ids, reads it once and hands it out.

`tell` and its like are called from anywhere, in any process, and take effect after the commit. A fact that is lost
costs nothing but time: pages ask again after each reconnect, and the hub looks at what changed every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from inbox import live

TALKS_FOR, NONE_FOR = 600.0, 30.0  # seconds that it is believed that there are chats, or none at all
_talks: tuple[float, bool] = (0.0, False)


class Telling:
    """What one transaction has to tell, told once when it is committed."""

    def __init__(self) -> None:
        self.by: str | None = None
        self.visitors: set[int] = set()
        self.tickets: set[int] = set()
        self.spoken: set[int] = set()  # tickets that may have chats

    def tell(self) -> None:
        if unsure := self.spoken - self.tickets:
            self._find(unsure)
        if self.visitors or self.tickets:
            live.chat(visitors=sorted(self.visitors), tickets=sorted(self.tickets), by=self.by or "")

    def _find(self, tickets: set[int]) -> None:
        """Who chats or chatted in these: one query for all, and none where there is no chat channel."""
        from channels_chat.models import Chat

        if not _are_talks():
            return
        found = list(Chat.objects.filter(engagement__ticket__in=tickets).values_list("visitor", "engagement__ticket"))
        if found:
            self.by = ""  # no room has told its own pages of this
            self.visitors.update(visitor for visitor, _ticket in found)
            self.tickets.update(ticket for _visitor, ticket in found)


def _are_talks() -> bool:
    """Whether there is a chat channel, as it was a moment ago: most that is taken in elsewhere need not ask more."""
    global _talks
    from inbox.models import Channel

    until, known = _talks
    now = time.monotonic()
    if until <= now:
        known = Channel.objects.filter(kind="chat").exists()
        _talks = (now + (TALKS_FOR if known else NONE_FOR), known)
    return known


def tell(visitors: Iterable[int] = (), tickets: Iterable[int] = (), *, by: str = "") -> None:
    """On commit, push what is new to the open pages of these visitors, and to those at the desk who watch these
    tickets. `by` is the room that tells its own pages itself.
    """
    waiting = _waiting()
    telling = waiting or Telling()
    telling.by = by if telling.by in {None, by} else ""
    telling.visitors.update(visitors)
    telling.tickets.update(tickets)
    if waiting is None:
        transaction.on_commit(telling.tell, robust=True)


def tell_of(tickets: Iterable[int]) -> None:
    """On commit, push what is new in these tickets to whoever chats or chatted in them, and to those at the desk."""
    waiting = _waiting()
    telling = waiting or Telling()
    telling.spoken.update(tickets)
    if waiting is None:
        transaction.on_commit(telling.tell, robust=True)


def _waiting() -> Telling | None:
    for _savepoints, told, *_robust in transaction.get_connection().run_on_commit:
        telling = getattr(told, "__self__", None)
        if isinstance(telling, Telling):
            return telling
    return None


def type_to(visitor: int, name: str, on: bool) -> None:
    """Somebody is typing to this visitor, or stopped."""
    live.chat(typing=[visitor, name, on])


def draft(ticket: int, text: str, on: bool, *, preview: bool) -> None:
    """A visitor is typing in this ticket; what, is told where the channel says so."""
    live.chat(draft=[ticket, text if preview else "", on])


def seen(visitor: int, delivered: int, read: int) -> None:
    """How far our side has received and read what this visitor wrote (ids of messages)."""
    live.chat(ticks=[visitor, delivered, read])


def shown(tickets: Iterable[int], delivered: int, read: int) -> None:
    """How far a visitor has received and read what we wrote in these tickets (ids of messages)."""
    live.chat(shown=[sorted(tickets), delivered, read])


def invite_visit(channel: int, visit: str, frame: dict[str, Any]) -> None:
    """Put a frame before the page of somebody on the site, who may never have written."""
    live.chat(visit=[channel, visit, frame])


def changed(tickets: Iterable[int]) -> None:
    """On commit, let those at the desk who watch these tickets ask for their heads anew."""
    numbers = sorted(set(tickets))
    if numbers:
        transaction.on_commit(lambda: live.chat(changed=numbers), robust=True)
