"""What Meta tells of Messenger and Instagram: calls split into events, and events of conversations as plain values.

Comments are each platform's own: `facebook.parsing`, `instagram.parsing`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext as _

from channels_social import messenger, reading
from inbox import presses
from inbox.adapters import (
    DeliveryUpdate,
    Edit,
    Ignore,
    Inbound,
    Parsed,
    Party,
    Press,
    RawReceipt,
    ReachUpdate,
    Reaction,
    RemoteMedia,
    Withdrawal,
)
from lib import language

Table = Mapping[str, Any]
LISTS = ("messaging", "standby", "changes")
OWN = "rabta:"  # before the id of our message, in what Meta carries with it: other apps write there, too
LONGEST_ID = 150  # in the name of a receipt
FILES = {"image": "image", "sticker": "sticker", "audio": "audio", "video": "video", "file": "file"}
# What their bytes have to be: Meta says no more of them, and an address that is over leads to a page.
FAMILIES = {"image": "image/*", "sticker": "image/*", "audio": "audio/*", "video": "video/*"}
LINKS = frozenset({"fallback", "share", "post", "reel", "ig_reel", "ig_post", "ig_story", "product", "appointment"})
REACTIONS = {"love": "❤️", "smile": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "like": "👍", "dislike": "👎"}
# What is told of a conversation that nobody said in it.
SILENT = (
    "pass_thread_control", "take_thread_control", "request_thread_control", "app_roles", "optin", "account_linking",
    "policy_enforcement", "message_context", "game_play",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """Whose page or account this is, what its people are called there, and what is known of them here already."""

    kind: str
    own: str
    people: str  # scope of whoever writes in private
    commenters: str  # scope of whoever comments
    keys: str  # scope of keys
    app_id: str = ""
    name_of: Callable[[Party], str] = lambda _who: ""
    root_of: Callable[[str], str] = lambda _comment: ""  # of a comment that is here: the first of its thread
    asked: Callable[[Party], str] = lambda _who: ""  # our private answer to their comment, where they may answer it
    talks_to: Callable[[str], Party | None] = lambda _root: None  # who spoke last in a thread of comments

    def person(self, value: Any, name: str = "", *, comments: bool = False) -> Party | None:
        """Somebody by the platform's id, with the name that they are known by."""
        found = reading.person(self.kind, value, name, self.commenters if comments else self.people)
        known = self.name_of(found) if found is not None else ""
        return Party(found.kind, found.value, known, found.scope) if found is not None and known else found


# Calls ------------------------------------------------------------------------------------------------------------


def receipts(body: Any) -> Iterator[tuple[str, RawReceipt]]:
    """The events of one call, each by itself, with the id of the page or account that it is about.

    Raises ValueError for what is no call of Meta's.
    """
    entries = reading.table(body).get("entry")
    if not isinstance(entries, list) or not isinstance(body.get("object"), str):
        raise ValueError("no call of Meta's")
    for entry in reading.rows(entries):
        own = reading.text(entry.get("id"), 100)
        head = {"object": body["object"], "id": own, "time": entry.get("time")}
        known = False
        for kind in LISTS:
            for one in reading.rows(entry.get(kind)):
                known = True
                yield own, _receipt(kind, one, head)
        if not known:
            yield own, _receipt("other", entry, head)


def _receipt(kind: str, one: Table, head: dict[str, Any]) -> RawReceipt:
    raw = json.dumps({**head, kind: one}, separators=(",", ":")).encode()
    digest = hashlib.sha256(json.dumps([head["id"], kind, one], sort_keys=True).encode()).hexdigest()
    message, value = reading.table(one.get("message")), reading.table(one.get("value"))
    mid = reading.text(message.get("mid"), 500)
    if mid and not message.get("is_deleted"):
        return RawReceipt(raw, f"{kind}:{mid}" if len(mid) <= LONGEST_ID else f"{kind}:{digest}", key=mid)
    named = reading.text(one.get("field"), 40) in {"feed", "comments", "live_comments"}
    comment = comment_id(value) if named else ""
    if comment:
        verb = reading.text(value.get("verb"), 20) or "add"
        when = reading.text(head["time"], 20)
        key = comment if verb == "add" and value.get("item", "comment") == "comment" else ""
        return RawReceipt(raw, f"comment:{comment[:60]}:{verb}:{when}:{digest[:16]}", key=key)
    return RawReceipt(raw, f"{kind}:{digest}", key=reading.text(reading.table(one.get("postback")).get("mid"), 500))


def comment_id(value: Table) -> str:
    """Facebook calls it `comment_id`, Instagram `id`, or so one page of its documentation says."""
    return reading.text(value.get("comment_id") or value.get("id"), 200)


def entry_time(value: Any, at: datetime) -> datetime:
    """An entry's `time`: in seconds for changes, in milliseconds for conversations."""
    return (reading.milliseconds(value) if reading.number(value) > 10**11 else reading.seconds(value)) or at


# Conversations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a conversation: `person` is the other one, whoever acted."""

    account: Account
    whole: Table
    told: Table  # its part that says what happened
    person: Party
    ours: bool
    at: datetime


def conversation(event: Table, account: Account, at: datetime) -> Sequence[Parsed]:
    """One event of `messaging`. Raises Ignore, and ValueError for what has no sender."""
    sender = reading.text(reading.table(event.get("sender")).get("id"), 100)
    recipient = reading.text(reading.table(event.get("recipient")).get("id"), 100)
    ours = sender == account.own or reading.table(event.get("message")).get("is_echo") is True
    person = account.person(recipient if ours else sender)
    if person is None or person.value == account.own:
        raise ValueError("an event of nobody")
    when = reading.milliseconds(event.get("timestamp")) or at
    for name, read in READERS.items():
        if isinstance(event.get(name), Mapping):
            return read(Event(account, event, event[name], person, ours, when))
    kinds = sorted(str(name) for name in event if name not in {"sender", "recipient", "timestamp"})
    what = ", ".join(kinds)[:200]
    if ours or not kinds or any(name in SILENT for name in kinds):
        raise Ignore(_("Meta tells of %(what)s, which is no message.") % {"what": what or "?"})
    return [_said(Event(account, event, event, person, ours, when), "", Content(kind="unsupported", unknown=kinds[0]))]


@dataclass(slots=True)
class Content:
    """What a message is made of, besides its words."""

    kind: str = "text"
    text: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    media: list[RemoteMedia] = field(default_factory=list)
    unknown: str = ""  # the name of what nobody here knows


def _said(event: Event, identifier: str, content: Content, *, in_reply_to: str = "", reference: int = 0) -> Inbound:
    """What somebody said: they, or (an echo) one of us in whatever app."""
    raw = json.dumps([event.whole.get("timestamp"), event.person.value, event.told], sort_keys=True)
    identifier = identifier or f"event:{hashlib.sha256(raw.encode()).hexdigest()}"
    if content.unknown and not (content.text or content.media):
        content.kind = "unsupported"
        content.payload |= messenger.unsupported(content.unknown, reading.plain(event.told))
    asked = "" if in_reply_to or event.ours else event.account.asked(event.person)
    return Inbound(
        key=identifier,
        scope=event.account.keys,
        sender=None if event.ours else event.person,
        to=(event.person,) if event.ours else (),
        text=content.text,
        visible_text=content.text,
        external_id=identifier,
        language=language.detect(content.text),
        at=event.at,
        in_reply_to=in_reply_to,
        references=(asked,) if asked else (),
        content_kind=content.kind,
        payload=content.payload,
        remote=tuple(content.media),
        echo=event.ours,
        reference=reference,
    )


def _message(event: Event) -> Sequence[Parsed]:
    message, account = event.told, event.account
    mid = reading.text(message.get("mid"), 500)
    if not mid:
        raise ValueError("a message without an id")
    if message.get("is_deleted"):
        return [Withdrawal(mid, event.at)]
    content = Content(text=reading.text(message.get("text")))
    for one in reading.rows(message.get("attachments")):
        _attachment(one, content)
    if message.get("is_unsupported"):
        content.unknown = content.unknown or "unsupported"
    answered = reading.table(message.get("reply_to"))
    if story := reading.table(answered.get("story")):
        content.payload["story"] = _story(story, "reply")
    if button := reading.table(message.get("quick_reply")):
        content.kind, content.payload["data"] = "button", reading.text(button.get("payload"), 500)
        if not event.ours and (ours := presses.read(content.payload["data"])):
            return [Press(*ours, event.person, event.at)]
    _referral(message, content)
    if not content.text and not content.media and not content.payload and not content.unknown:
        content.unknown = "message"
    # Our own id is in what Rabta sent; another app may put there whatever it likes.
    metadata, app = reading.text(message.get("metadata"), 1000), reading.text(message.get("app_id"), 40)
    number = metadata.removeprefix(OWN) if metadata.startswith(OWN) and app in {"", account.app_id or app} else ""
    reference = int(number) if event.ours and number.isdecimal() and len(number) < 19 else 0
    return [_said(event, mid, content, in_reply_to=reading.text(answered.get("mid"), 500), reference=reference)]


def _attachment(one: Table, content: Content) -> None:
    kind, payload = reading.text(one.get("type"), 40), reading.table(one.get("payload"))
    url = reading.text(payload.get("url") or one.get("url"), 2000)
    place = reading.table(payload.get("coordinates"))
    if kind in FILES and url:
        shown = "sticker" if payload.get("sticker_id") else FILES[kind]
        content.kind = shown if content.kind == "text" else content.kind
        content.media.append(
            RemoteMedia({"url": url}, _file_name(url) if kind == "file" else "", FAMILIES.get(kind, ""))
        )
    elif kind == "story_mention":
        # It must not be kept: it is shown from where it is, for as long as it is there.
        content.kind, content.payload["story"] = "story", _story(payload, "mention")
    elif place:
        where = {"latitude": reading.plain(place.get("lat")), "longitude": reading.plain(place.get("long"))}
        content.kind = "location"
        content.payload |= {**where, "name": reading.text(one.get("title"), 200), "address": ""}
    elif kind in LINKS and url:
        title = reading.text(payload.get("title") or one.get("title"), 300)
        content.payload["links"] = [*content.payload.get("links", []), {"kind": kind, "url": url, "title": title}]
        if url not in content.text:
            content.text = "\n".join(filter(None, (content.text, title, url)))
    elif kind == "template":
        content.payload["template"] = reading.plain(payload)
        words = reading.text(payload.get("text")) or reading.text(one.get("title"), 500)
        content.text = content.text or words
        content.unknown = "" if content.text else kind
    else:
        content.unknown = kind or "attachment"
        content.payload["raw"] = reading.plain(one)


def _file_name(url: str) -> str:
    try:
        return reading.text(unquote(urlsplit(url).path.rsplit("/", 1)[-1]), 200)
    except ValueError:  # no usable address: fetching it will say so
        return ""


def _story(story: Table, kind: str) -> dict[str, str]:
    url = reading.text(story.get("url"), 2000)
    return {
        "kind": kind,
        "id": reading.text(story.get("id"), 100),
        "url": url if url.startswith(("https://", "http://")) else "",
    }


def _referral(told: Table, content: Content) -> None:
    """By which link or ad they came."""
    if referral := reading.table(told.get("referral")):
        names = ("ref", "source", "type", "ad_id")
        content.payload["referral"] = {name: reading.text(referral[name], 500) for name in names if referral.get(name)}


def _postback(event: Event) -> Sequence[Parsed]:
    """A button was pressed: "Get started", one of the menu, or one under a message of ours."""
    data = reading.text(event.told.get("payload"), 500)
    if ours := presses.read(data):
        return [Press(*ours, event.person, event.at)]
    content = Content("button", reading.text(event.told.get("title"), 500) or data, {"data": data})
    _referral(event.told, content)
    return [_said(event, reading.text(event.told.get("mid"), 500), content)]


def _came_back(event: Event) -> Sequence[Parsed]:
    """They followed a link to a conversation that was there already, and have said nothing yet: the window is open."""
    content = Content("start", reading.text(event.told.get("ref"), 500))
    _referral({"referral": event.told}, content)
    if not content.text:
        return [ReachUpdate(event.person, event.at, acted=True)]
    return [_said(event, "", content)]


def _reaction(event: Event) -> Sequence[Parsed]:
    told = event.told
    taken_back = told.get("action") == "unreact"
    emoji = reading.text(told.get("emoji"), 20) or REACTIONS.get(reading.text(told.get("reaction"), 20), "⭐")
    by = None if event.ours else event.person
    # One of the "user actions that open the standard messaging window": messenger-platform/send-messages.
    return [Reaction(reading.text(told.get("mid"), 500), by, "" if taken_back else emoji, event.at, opens=True)]


def _edited(event: Event) -> Sequence[Parsed]:
    return [Edit(reading.text(event.told.get("mid"), 500), reading.text(event.told.get("text")), event.at)]


def _delivered(event: Event) -> Sequence[Parsed]:
    """Each by its id, where they are named: whose id is not known yet is waited for. Else all until a time."""
    mids, until = event.told.get("mids"), reading.milliseconds(event.told.get("watermark"))
    named = [reading.text(one, 500) for one in mids] if isinstance(mids, list) else []
    if any(named):
        return [DeliveryUpdate(one, "delivered", at=until or event.at) for one in named if one]
    until = until or event.at
    return [DeliveryUpdate("", "delivered", at=until, person=event.person, through=until)]


def _read(event: Event) -> Sequence[Parsed]:
    """All until a time; Instagram names the last one that they saw, and what came before it was seen as well."""
    mid = reading.text(event.told.get("mid"), 500)
    until = reading.milliseconds(event.told.get("watermark")) or event.at
    named = [DeliveryUpdate(mid, "read", at=event.at)] if mid else []
    return [*named, DeliveryUpdate("", "read", at=until, person=event.person, through=until)]


READERS: dict[str, Callable[[Event], Sequence[Parsed]]] = {
    "message": _message,
    "message_edit": _edited,
    "reaction": _reaction,
    "postback": _postback,
    "referral": _came_back,
    "delivery": _delivered,
    "read": _read,
}
