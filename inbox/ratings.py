"""Ratings that customers give by themselves, such as that of a chat: who keeps answers hears of them here.

from inbox import ratings
ratings.register(rated)
"""

from __future__ import annotations

from collections.abc import Callable

from inbox.models import Ticket

Rated = Callable[[Ticket, int, int, str], None]
_heard: list[Rated] = []


def register(hears: Rated) -> Rated:
    """Decorator: called with the ticket (locked), the engagement (id), the score from 1 to 5 and their words, in the
    transaction that takes the rating in.
    """
    _heard.append(hears)
    return hears


def tell(ticket: Ticket, engagement: int, score: int, comment: str) -> None:
    for hears in _heard:
        hears(ticket, engagement, score, comment)
