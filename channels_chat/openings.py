"""Windows that are open learn that somebody is there now or nobody any more, that hours began or ended.

In each web process one look every few seconds at the channels that have pages there, for all of them together; a frame
goes to the pages that were told something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from channels_chat import doors, greeting, queue
from channels_chat.doors import Door
from inbox.sockets import frame

if TYPE_CHECKING:
    from channels_chat.pages import Page
    from channels_chat.room import Room

LOOK_EVERY = 3.5  # seconds
_told: WeakKeyDictionary[Page, tuple[bool, bool]] = WeakKeyDictionary()  # open? somebody here?


def told(page: Page, frames: Iterable[Mapping[str, Any]]) -> None:
    """What a page was greeted with."""
    for one in frames:
        if one["t"] == "welcome":
            _told[page] = (one["open"], one["here"])


async def watch(room: Room) -> None:
    empty: set[int] = set()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        empty = await look(room, empty)


async def look(room: Room, empty: Collection[int] = ()) -> set[int]:
    """Tell what changed. `empty` are the channels (ids) where the last look found nobody; returned are those where this
    one does.

    That nobody is there any more is told when two looks agree: whoever loads their page anew, or is forgotten for a
    moment because a process or Redis starts again, is back by then.
    """
    pages: dict[int, list[Page]] = {}  # before it is read: who is greeted meanwhile has it from there
    for (channel, _visit), those in room.visits.items():
        pages.setdefault(channel, []).extend(those)
    kept = {channel: mine[0].door for channel, mine in pages.items() if mine[0].door is not None}
    if not kept:
        return set()
    found = await room.in_thread(partial(_read, list(kept.values())))
    changed: list[tuple[int, Page, bool, bool]] = []
    for channel, (opened, somebody) in found.items():
        for page in pages[channel]:
            was_open, was_here = _told.get(page, (True, False))
            gone = somebody is False and channel in empty
            here = somebody or (was_here and not gone)
            if (opened, here) != (was_open, was_here):
                changed.append((channel, page, opened, here))
    if changed:
        around = await room.in_thread(partial(_around, [kept[channel] for channel in {one[0] for one in changed}]))
        for channel, page, opened, here in changed:
            _told[page] = opened, here
            page.put(frame({"t": "here", **around[channel], "open": opened, "here": here}))
    return {channel for channel, (_opened, somebody) in found.items() if somebody is False}


def _read(kept: Iterable[Door]) -> dict[int, tuple[bool, bool | None]]:
    """Of each channel (id) whether it is open, by its settings as they are now, and whether somebody is there: None
    while nobody can say.
    """
    now = [doors.find(one.channel.token) or one for one in kept]
    here = queue.who_has_somebody([one.channel for one in now]) or {}
    return {one.channel.pk: (queue.is_open(one.settings), here.get(one.channel.pk)) for one in now}


def _around(kept: Iterable[Door]) -> dict[int, dict[str, Any]]:
    return {one.channel.pk: greeting.around(one, "") for one in kept}
