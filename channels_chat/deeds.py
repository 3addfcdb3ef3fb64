"""What a visitor's frames come to: synchronous, in a thread of the room, one function a frame.

Fields are checked here (`channels_chat.protocol`), then one action is called; what is answered are frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import admission, history, in_chat, intake, patience, protocol, uploads
from channels_chat.actions import endings, identify, proactive
from channels_chat.doors import Door
from channels_chat.greeting import FIRST, Frames, Met, meet, row_of, with_page
from channels_chat.intake_values import Said
from channels_chat.models import Visitor
from inbox.actions.errors import ActionError


@dataclass(slots=True)
class Ready(Met):
    """What a message needs before it is stored; `why` it is not taken."""

    row: Visitor | None = None
    files: tuple[int, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    at: float = 0.0  # until when it holds, by the monotonic clock


@patience.bounded
def start(door: Door, pk: int, language: str, said: Mapping[str, Any]) -> Met:
    """The form before the chat was filled in: its fields wait on the visitor for the first message."""

    visitor, key, joined = row_of(pk), "", False
    if visitor is None:
        if told := admission.refusal(door, said, language):
            return Met(0, "", [told])
        visitor, key, joined = meet(door, language, said)
    fields = admission.fields_of(door, said.get("fields"))
    visitor.attributes |= {"_start": {"fields": fields, **_begins(door, said)}}
    if said.get("consent") is True and visitor.consented_at is None:
        visitor.consented_at = timezone.now()
    visitor.save(update_fields=["attributes", "consented_at"])
    identify.claim(visitor, fields)
    return Met(visitor.pk, key, joined=joined)


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
    visitor, key, joined, fields = row_of(pk), "", False, admission.fields_of(door, said.get("fields"))
    if visitor is None:
        if why := admission.why_not(door, said)[0]:
            return Ready(why=why)
        visitor, key, joined = meet(door, language, said)
        identify.claim(visitor, fields)
    ready = Ready(visitor.pk, key, joined=joined, row=visitor)
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

    visitor = row_of(pk)
    if visitor is not None:
        visitor.pages = with_page(visitor.pages, url, title)
        visitor.save(update_fields=["pages"])
        proactive.visited(visitor, url, title)


def older(pk: int, before: int) -> dict[str, Any] | None:
    visitor = row_of(pk)
    if visitor is None:
        return None
    found = history.of(visitor, before=before, most=FIRST + 1)
    more = len(found) > FIRST
    messages = history.wire(found[-FIRST:], visitor.channel, visitor.language)
    return {"t": "said", "messages": messages, "old": True, "more": more}


@patience.bounded
def do(what: str, door: Door, pk: int, visit: str, language: str, said: Mapping[str, Any]) -> Frames:
    """The frames that need one action each; what they change comes back by the room's news."""
    visitor = row_of(pk)
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
    visitor, key, joined = row_of(pk), "", False
    if visitor is None:
        if told := admission.refusal(door, said, language, form=()):
            return Met(0, "", [told])
        visitor, key, joined = meet(door, language, said)
    fields = admission.fields_of(door, said.get("fields"))
    identify.claim(visitor, fields)
    meta = {**_begins(door, said), "language": language, "fields": fields, "offline": True}
    took = intake.take([Said(door.channel, visitor, cid, text, meta=meta)])[0]
    if took is None:
        with translation.override(language):
            no = {"t": "no", "cid": cid, "why": "wrong", "text": _("This could not be read.")}
            return Met(visitor.pk, key, [no], joined)
    endings.became_message(visitor)
    told = {"t": "took", "cid": cid, "id": took.message, "at": history.moment(took.at)}
    return Met(visitor.pk, key, [told], joined)
