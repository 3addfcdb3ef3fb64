"""In each web process one hub for chats: it knows which visitors' pages are connected and who at the desk watches what,
hears of news by ids, reads it once and hands it out.

`tell` and its like are called from anywhere, in any process, and take effect after the commit. A fact that is lost
costs nothing but time: pages ask again after each reconnect, and the hub looks at what changed every few seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from inbox import live


class Telling:
    """What one transaction has to tell, told once when it is committed."""

    def __init__(self, by: str) -> None:
        self.by = by
        self.visitors: set[int] = set()
        self.tickets: set[int] = set()

    def tell(self) -> None:
        live.chat(visitors=sorted(self.visitors), tickets=sorted(self.tickets), by=self.by)


def tell(visitors: Iterable[int] = (), tickets: Iterable[int] = (), *, by: str = "") -> None:
    """On commit, push what is new to the open pages of these visitors, and to those at the desk who watch these
    tickets. `by` is the room that tells its own pages itself.
    """
    waiting = _waiting()
    telling = waiting or Telling(by)
    if telling.by != by:
        telling.by = ""
    telling.visitors.update(visitors)
    telling.tickets.update(tickets)
    if waiting is None:
        transaction.on_commit(telling.tell, robust=True)


def tell_of(ticket: int) -> None:
    """On commit, push what is new in this ticket to whoever chats or chatted in it."""
    from channels_chat.models import Visitor
    from inbox.models import Ticket

    numbers = {ticket, *Ticket.objects.filter(merged_into=ticket).values_list("number", flat=True)}
    visitors = Visitor.objects.filter(chats__engagement__ticket__in=numbers).values_list("pk", flat=True)
    tell(visitors.distinct(), [ticket])


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
