"""Who in a web process is told what: news that come while a page is being greeted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from django.utils import timezone

from channels_chat import pages
from channels_chat.doors import Door
from channels_chat.intake_values import Took
from channels_chat.pages import OnTheirWay, Page
from channels_chat.room import Room
from inbox.models import Channel, Message

VISITOR = 7


def page() -> Page:
    async def send(message: Any) -> None:
        raise AssertionError("nothing is said by itself here")

    return Page(0, "", "en", cast(Any, send), door=Door(Channel(pk=1), cast(Any, None)), visit="v")


def line() -> Took:
    return Took(31, 5, timezone.now(), line=Message(pk=31), visitor=VISITOR, changed=timezone.now())


def answered(room: Room) -> None:
    """An agent of this process wrote: it tells its own pages, and the fact comes back to it later."""
    room.answered(line(), cast(Any, pages.DeskPage(1, "", "en", cast(Any, None))))


def told_elsewhere(room: Room) -> None:
    room.hear({"visitors": [VISITOR], "by": "another process"})


def test_who_is_greeted_meanwhile_is_told_afterwards() -> None:
    for happens in (answered, told_elsewhere):
        for fact_is_late in (True, False):
            asyncio.run(_greeted_while(happens, fact_is_late))


async def _greeted_while(happens: Callable[[Room], None], fact_is_late: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Room, "_started", lambda self: None)
        patch.setattr(Room, "_tell_soon", lambda self: None)
        room, coming = Room(), page()
        room.coming.begins(coming)
        happens(room)
        if not fact_is_late:
            room.hear({"visitors": [VISITOR], "by": room.id})
        room.join(coming)
        room.meet(coming, VISITOR)
        assert room.news == {VISITOR}
        room.news.clear()
        if fact_is_late:
            room.hear({"visitors": [VISITOR], "by": room.id})
        # Whoever is greeted from now on reads it themselves.
        later = page()
        room.coming.begins(later)
        room.join(later)
        room.meet(later, VISITOR)
        assert not room.news
        room.threads.shutdown()


def test_more_visitors_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_COMING", 3)
    coming, before = OnTheirWay(), page()
    coming.begins(before)
    assert not coming.missed(before, 1)
    for visitor in range(1, 7):
        coming.news([visitor])
    assert len(coming.last) == 3
    after = page()
    coming.begins(after)
    for visitor in (1, 6, 99):  # of those who are forgotten it asks rather than miss something
        assert coming.missed(before, visitor)
        assert not coming.missed(after, visitor)
