"""What a visitor's frames come to: synchronous, in a thread of the room, one function a frame.

Fields are checked here (`channels_chat.protocol`), then one action is called; what is answered are frames.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import admission, allowances, history, in_chat, intake, patience, protocol, queue, reading, uploads
from channels_chat.actions import chats, endings, identify, proactive, quick, visitors
from channels_chat.actions.visitors import MOST_PAGES
from channels_chat.doors import Door
from channels_chat.intake_values import Said, Took
from channels_chat.models import Visitor
from inbox import access
from inbox.actions import reply
from inbox.actions.errors import ActionError
from inbox.models import Agent

logger = logging.getLogger(__name__)

Frames = list[dict[str, Any]]
KEPT = 1.0  # seconds that everybody is told the same of who is there
_around: dict[int, tuple[float, dict[str, Any]]] = {}
FIRST = 50  # messages that a page is given at first


@dataclass(slots=True)
class Met:
    """Who the page's visitor is now: their row's id, a new session key for the browser to keep, and what to tell it."""

    visitor: int = 0
    key: str = ""
    frames: Frames = field(default_factory=list)


@dataclass(slots=True)
class Greeting(Met):
    since: int = 0  # the newest message that the page has
    shown: list[int] = field(default_factory=list)  # those that it is given now
    site: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Ready(Met):
    """What a message needs before it is stored; `why` it is not taken."""

    row: Visitor | None = None
    files: tuple[int, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    at: float = 0.0  # until when it holds, by the monotonic clock


def _row(pk: int) -> Visitor | None:
    return Visitor.objects.select_related("channel").filter(pk=pk, ended_at__isnull=True).first() if pk else None


@patience.bounded
def greet(door: Door, said: Mapping[str, Any], language: str) -> Greeting:
    """The first frame of a page, also after each reconnect: who they are, and what they missed."""

    key = said.get("key")
    visitor = visitors.known(door.channel, key if isinstance(key, str) else "")
    user, proof = said.get("user"), said.get("hmac")
    found, proven = Greeting(), False
    if isinstance(user, Mapping) and isinstance(proof, str):
        proven = bool(identify.verify(door.channel, user, proof))
        if not proven:
            found.frames.append(_refused(language))
        elif visitor is not None and not identify.identify(visitor, user, proof):
            visitor = None  # somebody else logged in to the site in this browser
    if key and visitor is None:
        found.frames.append({"t": "gone"})
    if visitor is None and proven and isinstance(user, Mapping):
        visitor, found.key = _elsewhere(door, user, str(proof), language, said)
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
    told: dict[str, Any] = {"t": "welcome", "known": visitor is not None, **around(door, language)}
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
    door: Door, user: Mapping[str, Any], proof: str, language: str, said: Mapping[str, Any]
) -> tuple[Visitor | None, str]:
    """A session for somebody whom the site vouches for and who wrote to us before, on another device: their
    conversation is here, too.
    """
    proven = identify.verify(door.channel, user, proof)
    known = Visitor.objects.filter(channel=door.channel, user=proven, customer__isnull=False)  # logged out ones, too
    before = known.order_by("-pk").first() if proven else None
    if before is None:
        return None, ""
    visits = min(protocol.number(said.get("visits")) or 1, 9999)
    site = {"page": said.get("url"), "title": said.get("title"), "ref": said.get("ref"), "visits": visits}
    try:
        visitor, key = _meet(door, language, {**said, "site": site})
    except allowances.Crowd:
        return None, ""  # they see it as soon as they write
    Visitor.objects.filter(pk=visitor.pk).update(customer=before.customer)
    visitor.customer = before.customer
    return visitor, key


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
        visitor.pages = _with_page(visitor.pages, url, title)
    visitor.save(update_fields=["last_seen_at", "language", "time_zone", "pages"])
    if visitor.gone_at is not None:
        reading.returned([visitor.pk])


def _with_page(pages: Sequence[Mapping[str, Any]], url: str, title: str) -> list[Any]:
    found = list(pages)
    if not found or found[-1].get("url") != url:
        found.append({"url": url, "title": title, "at": timezone.now().isoformat(timespec="seconds")})
    return found[-MOST_PAGES:]


def _meet(door: Door, language: str, said: Mapping[str, Any]) -> tuple[Visitor, str]:
    """A visitor who writes for the first time, with what is known of their visit. Raises Crowd."""

    allowances.admit(str(said.get("from")))
    site: Mapping[str, Any] = said.get("site") or {}
    user, proof = said.get("user"), said.get("hmac")
    proven = ""
    if isinstance(user, Mapping) and isinstance(proof, str):
        proven = identify.verify(door.channel, user, proof)
    url = protocol.address(site.get("page"))
    visitor, key = visitors.meet(
        door.channel,
        {
            "language": language,
            "time_zone": protocol.line(said.get("zone") or site.get("zone"), 60),
            "referrer": protocol.address(site.get("ref"))[:500],
            "visits": site.get("visits") or 1,
            "pages": _with_page([], url, protocol.line(site.get("title"), 200)) if url else [],
            "attributes": {
                name: one for name, one in protocol.table(said.get("attrs")).items() if not name.startswith("_")
            },
            "consented_at": timezone.now() if said.get("consent") is True else None,
        },
        user=proven,
        asked=_asked(said),
    )
    if proven and isinstance(user, Mapping):
        identify.claim(visitor, user)
    return visitor, key


def _asked(said: Mapping[str, Any]) -> str:
    """What only this page knows: the word of its visit and of its first utterance; empty where they are too short."""
    visit, cid = protocol.word(said.get("visit")), protocol.word(said.get("cid"))
    return f"{visit}:{cid}" if min(len(visit), len(cid)) >= 20 else ""


@patience.bounded
def start(door: Door, pk: int, language: str, said: Mapping[str, Any]) -> Met:
    """The form before the chat was filled in: its fields wait on the visitor for the first message."""

    visitor, key = _row(pk), ""
    if visitor is None:
        if told := admission.refusal(door, said, language):
            return Met(0, "", [told])
        visitor, key = _meet(door, language, said)
    fields = admission.fields_of(door, said.get("fields"))
    visitor.attributes |= {"_start": {"fields": fields, **_begins(door, said)}}
    if said.get("consent") is True and visitor.consented_at is None:
        visitor.consented_at = timezone.now()
    visitor.save(update_fields=["attributes", "consented_at"])
    identify.claim(visitor, fields)
    return Met(visitor.pk, key)


def _begins(door: Door, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a chat at its beginning: its topic, of those the channel has, the page, the invitation."""
    topic = protocol.key(said.get("topic"))
    invitation = protocol.key(said.get("invitation"))
    known = invitation in {one["key"] for one in door.settings.invitations} or invitation.startswith("agent:")
    return {
        "topic": topic if topic in {one["key"] for one in door.settings.topics} else "",
        "invitation": invitation if known else "",
        "page": protocol.address((said.get("site") or {}).get("page")),
        "visit": protocol.word(said.get("visit")),
    }


@patience.bounded
def prepare(door: Door, pk: int, language: str, said: Mapping[str, Any], tokens: Sequence[str]) -> Ready:
    """Before a message is stored: its visitor, made now if this is their first word, and its files."""
    visitor, key, fields = _row(pk), "", admission.fields_of(door, said.get("fields"))
    if visitor is None:
        if why := admission.why_not(door, said)[0]:
            return Ready(why=why)
        visitor, key = _meet(door, language, said)
        identify.claim(visitor, fields)
    ready = Ready(visitor.pk, key, row=visitor)
    files = [uploads.opened(visitor, token) for token in tokens]
    if not door.settings.files and tokens or any(one is None for one in files):
        ready.why = "files"
        return ready
    ready.files = tuple(one.pk for one in files if one is not None)
    begun = {**_begins(door, said), "language": language, **({"fields": fields} if fields else {})}
    waiting = visitor.attributes.get("_start")
    if waiting:
        begun |= {name: value for name, value in waiting.items() if value}
    ready.meta = begun
    return ready


@patience.bounded
def visited(pk: int, url: str, title: str) -> None:
    """The visitor went on to another page of the site."""

    visitor = _row(pk)
    if visitor is not None:
        visitor.pages = _with_page(visitor.pages, url, title)
        visitor.save(update_fields=["pages"])
        proactive.visited(visitor, url, title)


def older(pk: int, before: int) -> dict[str, Any] | None:
    visitor = _row(pk)
    if visitor is None:
        return None
    found = history.of(visitor, before=before, most=FIRST + 1)
    more = len(found) > FIRST
    messages = history.wire(found[-FIRST:], visitor.channel, visitor.language)
    return {"t": "said", "messages": messages, "old": True, "more": more}


@patience.bounded
def vouched(door: Door, pk: int, said: Mapping[str, Any], language: str) -> Met | None:
    """The site says who is logged in (`user` and its HMAC), or that nobody is any more; None for a wrong proof."""

    visitor, user, proof = _row(pk), said.get("user"), said.get("hmac")
    if user is None:
        if visitor is not None:
            visitors.end(visitor)
        return Met(0, "", [{"t": "gone"}])
    if not isinstance(user, Mapping):
        return None
    if not isinstance(proof, str):  # unproven words of the site: a name and an address to be called by
        if visitor is not None:
            identify.claim(visitor, user)
        return Met(pk)
    if not identify.verify(door.channel, user, proof):
        return None
    if visitor is None:  # whoever wrote before, on another device or before they logged out, has their history here
        found = greet(door, {**said, "key": ""}, language)
        found.key = ""  # which is told among the frames
        return found if found.visitor else Met(0)
    if identify.identify(visitor, user, proof):
        return Met(pk)
    visitors.end(visitor)
    return Met(0, "", [{"t": "gone"}])


@patience.bounded
def do(what: str, door: Door, pk: int, visit: str, language: str, said: Mapping[str, Any]) -> Frames:
    """The frames that need one action each; what they change comes back by the room's news."""
    visitor = _row(pk)
    with translation.override(language):
        try:
            return _do(what, door, visitor, visit, said)
        except ActionError as error:
            return [{"t": "no", "cid": protocol.word(said.get("cid")), "why": error.code, "text": str(error.reason)}]


def _do(what: str, door: Door, visitor: Visitor | None, visit: str, said: Mapping[str, Any]) -> Frames:

    name, cid = protocol.key(said.get("key")), protocol.word(said.get("cid"))
    match what:
        case "journey" if name:
            proactive.journey(door.channel, visit, visitor, name, str(said.get("what"))[:20])
        case "invite" if name:
            proactive.invite(door.channel, visit, visitor, name, str(said.get("what"))[:20])
        case "attrs" if visitor is not None:
            proactive.attributes(visitor, protocol.table(said.get("attrs")))
        case "event" if cid:
            event = protocol.key(said.get("name"))
            if event:
                proactive.track(door.channel, visit, visitor, cid, event, protocol.table(said.get("data")))
        case _ if what in in_chat.ALL:
            if visitor is None:
                raise ActionError(_("This could not be read."), "wrong")
            return in_chat.do(what, visitor, said)
    return []


@patience.bounded
def leave(door: Door, pk: int, language: str, said: Mapping[str, Any]) -> Met:
    """The message form: nobody is there, or not soon enough. It becomes a ticket that nobody waits in."""

    cid, text = protocol.word(said.get("cid")), protocol.words(said.get("text"), protocol.MOST_FRAME).strip()
    if not text or not cid:
        with translation.override(language):
            return Met(pk, "", [{"t": "no", "cid": cid, "why": "empty", "text": _("Write something first.")}])
    visitor, key = _row(pk), ""
    if visitor is None:
        if told := admission.refusal(door, said, language, form=()):
            return Met(0, "", [told])
        visitor, key = _meet(door, language, said)
    fields = admission.fields_of(door, said.get("fields"))
    identify.claim(visitor, fields)
    meta = {**_begins(door, said), "language": language, "fields": fields, "offline": True}
    took = intake.take([Said(door.channel, visitor, cid, text, meta=meta)])[0]
    if took is None:
        with translation.override(language):
            return Met(visitor.pk, key, [{"t": "no", "cid": cid, "why": "wrong", "text": _("This could not be read.")}])
    endings.became_message(visitor)
    return Met(visitor.pk, key, [{"t": "took", "cid": cid, "id": took.message, "at": history.moment(took.at)}])


# At the desk -----------------------------------------------------------------------------------------------------


def _agent(pk: int) -> Agent | None:
    return Agent.objects.filter(pk=pk, is_active=True).first()


@dataclass(frozen=True, slots=True)
class Asked:
    """An agent's line to a visitor, as their page sent it."""

    agent: int
    ticket: int
    text: str
    cid: str
    language: str
    draft: int = 0  # the version of their draft that it knew


@dataclass(frozen=True, slots=True)
class Answered:
    """What their page is told, and the line, where this process has it at hand."""

    told: dict[str, Any]
    took: Took | None = None


def answer(asked: Sequence[Asked], origin: str = "") -> list[Answered]:
    """Lines of agents to visitors, by the one way out. The same `cid` again is answered with the first message."""
    try:
        took = quick.answer(
            [quick.Answer(one.agent, one.ticket, one.text, one.cid, one.draft) for one in asked], origin
        )
    except DatabaseError as error:
        if quick.is_away(error):
            raise
        took = [None] * len(asked)
    return [
        Answered({"t": "took", "id": it.message, "at": history.moment(it.at)}, it) if it is not None else _alone(one)
        for one, it in zip(asked, took, strict=True)
    ]


def _alone(asked: Asked) -> Answered:
    """One line that goes the long way: where it fails, those beside it are no worse off, and its page is told.

    What the database being away stops passes through: it is said again.
    """
    try:
        return _answer(asked)
    except (OperationalError, InterfaceError):
        raise
    except patience.Held:
        with translation.override(asked.language):
            later = _("We could not take this just now. It is sent again in a moment.")
        return Answered({"t": "no", "why": "later", "text": later, "after": 2})
    except Exception:
        logger.exception("an agent's line cannot be sent")
        with translation.override(asked.language):
            return Answered({"t": "no", "why": "wrong", "text": _("This could not be read.")})


@patience.bounded
def _answer(asked: Asked) -> Answered:
    person = _agent(asked.agent)
    with translation.override(asked.language):
        if person is None or not person.may_write:
            return Answered({"t": "no", "why": "rights", "text": _("You may not answer here.")})
        row = access.tickets(person).filter(pk=asked.ticket).first()
        if row is None:
            return Answered({"t": "no", "why": "gone", "text": _("This ticket is not there any more.")})
        try:
            chat = chats.live_in(row)
            message = reply.reply(
                row,
                by=person,
                text=asked.text,
                client_id=asked.cid,
                channel=chat.channel if chat else None,
                draft=asked.draft,
            )
        except ActionError as error:
            return Answered({"t": "no", "why": error.code, "text": str(error.reason)})
    return Answered({"t": "took", "id": message.pk, "at": history.moment(message.created_at)})


def typing_to(agent: int, ticket: int) -> tuple[int, str] | None:
    """Whom an agent is typing to, and under which name."""
    person = _agent(agent)
    row = access.tickets(person).filter(pk=ticket).first() if person is not None else None
    chat = chats.live_in(row) if row is not None else None
    return None if person is None or chat is None else (chat.visitor_id, person.name)
