"""Who a page is when it comes, and who it turns out to be: its first frame, the site's word for it, first words.

Synchronous, in a thread of the room.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import allowances, history, patience, protocol, queue, reading, uploads
from channels_chat.actions import identify, proactive, visitors
from channels_chat.actions.visitors import MOST_PAGES
from channels_chat.doors import Door
from channels_chat.models import Visitor

Frames = list[dict[str, Any]]
FIRST = 50  # messages that a page is given at first
KEPT = 1.0  # seconds that everybody is told the same of who is there
_around: dict[int, tuple[float, dict[str, Any]]] = {}


@dataclass(slots=True)
class Met:
    """Who the page's visitor is now: their row's id, a new session key for the browser to keep, and what to tell it.
    `joined`: they were known already, from another browser; what was said there is new to this page.
    """

    visitor: int = 0
    key: str = ""
    frames: Frames = field(default_factory=list)
    joined: bool = False


@dataclass(slots=True)
class Greeting(Met):
    since: int = 0  # the newest message that the page has
    shown: list[int] = field(default_factory=list)  # those that it is given now
    site: dict[str, Any] = field(default_factory=dict)


def row_of(pk: int) -> Visitor | None:
    return Visitor.objects.select_related("channel").filter(pk=pk, ended_at__isnull=True).first() if pk else None


@patience.bounded
def greet(door: Door, said: Mapping[str, Any], language: str) -> Greeting:
    """The first frame of a page, also after each reconnect: who they are, and what they missed. With the address that
    it comes `from`.
    """
    key = str(said.get("key") or "")
    visitor = visitors.known(door.channel, key)
    user, proof = said.get("user"), said.get("hmac")
    found, proven = Greeting(), False
    if isinstance(user, Mapping) and isinstance(proof, str):
        proven = bool(identify.verify(door.channel, user, proof))
        if not proven:
            found.frames.append(_refused(language))
        elif visitor is not None and not identify.identify(visitor, user, proof, key):
            visitor = None  # somebody else logged in to the site in this browser
    if key and visitor is None:
        found.frames.append({"t": "gone"})
    if proven and isinstance(user, Mapping):
        visitor, found.key = _elsewhere(door, user, visitor, said)
        if found.key:
            found.frames.append({"t": "key", "key": found.key})
    since = protocol.number(said.get("since"))
    url = protocol.address(said.get("url"))
    title = protocol.line(said.get("title"), 200)
    now = time.time()
    found.site = {
        "journeys": proactive.under_way(door.channel, protocol.word(said.get("visit"))) or {},
        "page": url,
        "title": title,
        "ref": protocol.address(said.get("ref")),
        "lang": language,
        "zone": protocol.line(said.get("zone"), 60),
        "visits": min(protocol.number(said.get("visits")) or 1, 9999),
        "since": now,
        "at": now,
    }
    told: dict[str, Any] = {
        "t": "welcome",
        "at": history.moment(timezone.now()),
        "known": visitor is not None,
        **around(door, language),
    }
    if visitor is None:
        found.frames.append({**told, "messages": [], "more": False, "chat": None})
        return found
    _returned(visitor, said, language, url, title)
    messages = history.of(visitor, after=since, most=FIRST + 1)
    more = len(messages) > FIRST
    shown = messages[-FIRST:]
    chat = history.newest(visitor)
    found.visitor, found.since, found.shown = visitor.pk, since, [one.pk for one in shown]
    found.site |= {"visitor": visitor.pk, "name": visitor.name}
    if chat is not None and chat.is_live:
        found.site["chat"] = chat.engagement.ticket_id
    with translation.override(language):
        found.frames.append(
            {
                **told,
                "messages": history.wire(shown, door.channel, language),
                "more": more,
                "chat": history.state(chat, door.channel, language),
            }
        )
    if chat is not None and chat.seen_id:
        found.frames.append({"t": "ticks", "delivered": chat.seen_id, "read": chat.seen_id})
    return found


def _refused(language: str) -> dict[str, Any]:
    with translation.override(language):
        return {
            "t": "no",
            "cid": "",
            "why": "user",
            "text": _("The site’s word for who you are could not be verified."),
        }


def _elsewhere(
    door: Door, user: Mapping[str, Any], visitor: Visitor | None, said: Mapping[str, Any]
) -> tuple[Visitor | None, str]:
    """The session of somebody whom the site vouches for (proven before) and who wrote to us on another device: their
    conversation is here, too. Otherwise `visitor`, who they are in this browser.
    """
    known = visitors.of_user(door.channel, identify.id_of(user), visitor)
    if known is None or known == visitor:
        return visitor, ""
    try:
        allowances.admit(str(said.get("from")))
    except allowances.Crowd:
        return visitor, ""  # they see it as soon as they write
    if visitor is not None:
        visitors.end(visitor, str(said.get("key") or ""))
    return known, visitors.join(known)


def around(door: Door, language: str) -> dict[str, Any]:
    """What everybody may know who opens the window: is it open, is somebody there, how long may it take. The same for a
    moment: after a restart everybody asks at once.
    """
    known = _around.get(door.channel.pk)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    here = queue.someone_here(door.channel)
    told = {
        "open": queue.is_open(door.settings),
        "here": here,
        "wait": queue.expected_wait(door.channel, of_any_team=True),
        "team": [
            {"name": agent.name, "face": uploads.face(door.channel, agent)} for agent in queue.faces(door.channel)
        ],
    }
    _around[door.channel.pk] = (time.monotonic() + KEPT, told)
    return told


def _returned(visitor: Visitor, said: Mapping[str, Any], language: str, url: str, title: str) -> None:
    visitor.last_seen_at, visitor.language = timezone.now(), language
    zone = protocol.line(said.get("zone"), 60)
    if zone:
        visitor.time_zone = zone
    if url:
        if not visitor.pages or visitor.pages[-1].get("url") != url:
            proactive.visited(visitor, url, title)
        visitor.pages = with_page(visitor.pages, url, title)
    visitor.save(update_fields=["last_seen_at", "language", "time_zone", "pages"])
    if visitor.gone_at is not None:
        reading.returned([visitor.pk])


def with_page(pages: Sequence[Mapping[str, Any]], url: str, title: str) -> list[Any]:
    found = list(pages)
    if not found or found[-1].get("url") != url:
        found.append({"url": url, "title": title, "at": timezone.now().isoformat(timespec="seconds")})
    return found[-MOST_PAGES:]


@patience.bounded
def vouched(door: Door, pk: int, said: Mapping[str, Any], language: str) -> Met | None:
    """The site says who is logged in (`user` and its HMAC), or that nobody is any more; None for a wrong proof. With
    the session `key` of the page, and the address that it comes `from`.
    """
    key = str(said.get("key") or "")
    visitor, user, proof = row_of(pk), said.get("user"), said.get("hmac")
    if user is None:
        if visitor is not None:
            visitors.end(visitor, key)
        return Met(0, "", [{"t": "gone"}])
    if not isinstance(user, Mapping):
        return None
    if not isinstance(proof, str):  # unproven words of the site: a name and an address to be called by
        if visitor is not None:
            identify.claim(visitor, user)
        return Met(pk)
    if not identify.verify(door.channel, user, proof):
        return None
    if visitor is not None and not identify.identify(visitor, user, proof, key):
        return Met(0, "", [{"t": "gone"}])
    # Whoever wrote before, on another device or before they logged out, has their history here, and their chat.
    known = visitors.of_user(door.channel, identify.id_of(user), visitor)
    if known is None or known == visitor:
        return Met(pk)
    found = greet(door, said, language)
    found.key = ""  # which is told among the frames
    return found if found.visitor else Met(pk)


def meet(door: Door, language: str, said: Mapping[str, Any]) -> tuple[Visitor, str, bool]:
    """A visitor who writes for the first time in this browser, with what is known of their visit, a new session key,
    and whether they are known from another browser. Raises Crowd.
    """

    allowances.admit(str(said.get("from")))
    site: Mapping[str, Any] = said.get("site") or {}
    user, proof = said.get("user"), said.get("hmac")
    user = user if isinstance(user, Mapping) and isinstance(proof, str) else {}
    proven = identify.verify(door.channel, user, str(proof)) if user else ""
    url = protocol.address(site.get("page"))
    if known := visitors.of_user(door.channel, proven):
        identify.claim(known, user)
        return known, visitors.join(known), True
    visitor, key = visitors.meet(
        door.channel,
        {
            "language": language,
            "time_zone": protocol.line(said.get("zone") or site.get("zone"), 60),
            "referrer": protocol.address(site.get("ref"))[:500],
            "visits": site.get("visits") or 1,
            "pages": with_page([], url, protocol.line(site.get("title"), 200)) if url else [],
            "attributes": {
                name: one for name, one in protocol.table(said.get("attrs")).items() if not name.startswith("_")
            },
            "consented_at": timezone.now() if said.get("consent") is True else None,
        },
        user=proven,
        asked=_asked(said),
    )
    if proven:
        identify.claim(visitor, user)
    return visitor, key, False


def _asked(said: Mapping[str, Any]) -> str:
    """What only this page knows: the word of its visit and of its first utterance; empty where they are too short."""
    visit, cid = protocol.word(said.get("visit")), protocol.word(said.get("cid"))
    return f"{visit}:{cid}" if min(len(visit), len(cid)) >= 20 else ""
