"""A chat channel's settings as the code reads them: every value has a default, so that `{}` is a working chat.

`channels_chat.forms` validates what is stored; docs/channels/chat.md describes each setting. Texts are kept by
language: {"en": "…", "ur": "…"}; `said` picks one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inbox.models import Channel

Texts = Mapping[str, str]

MOST_TEXT = 5000  # characters of one message of a visitor
FILE_MB, MOST_MB = 10, 25  # of one file: unless somebody chose, and what may be chosen


@dataclass(frozen=True, slots=True)
class Queue:
    """How waiting chats find an agent. Seconds."""

    offer: int = 30  # until an offer that nobody accepts goes to the next
    most_wait: int = 300  # until a waiting visitor is asked to leave a message instead
    agent_gone: int = 60  # until the chats of an agent without an open page go back to the queue
    visitor_gone: int = 60  # until a visitor without an open page counts as gone
    warn: int = 600  # of silence of the visitor, until they are warned
    close: int = 300  # after the warning, until the chat ends


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: before the chat, offline, or sent by an agent.

    `kind`: text, email, phone, area, choice, check.
    """

    key: str
    kind: str = "text"
    label: Texts = field(default_factory=dict)
    required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Which team takes it: the first route whose given parts all match. `page` is a pattern as `*/billing/*`."""

    team: str
    page: str = ""
    topic: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    name: str
    origins: tuple[str, ...]
    languages: tuple[str, ...]
    position: str  # "end" or "start" of the line
    colour: str
    theme: str  # auto, light or dark
    texts: Mapping[str, Texts]  # our words by key, where the organisation has its own
    hours: Mapping[str, Any] | None  # {"zone": "Asia/Karachi", "days": [[["09:00", "17:00"]], …Monday first]}
    prechat: tuple[Field, ...]  # asked before the chat; none: it begins with the first message
    topics: tuple[Mapping[str, Any], ...]  # [{"key", "label": Texts}]
    offline: tuple[Field, ...]
    forms: tuple[Mapping[str, Any], ...]  # that agents can send: [{"key", "title": Texts, "fields": [Field…]}]
    consent: bool  # the visitor ticks a box before the first message
    files: bool
    file_mb: int
    preview: bool  # agents see what the visitor types
    transcript: bool
    rating: bool
    visitors: bool  # who is on the site is shown to agents
    queue: Queue
    routes: tuple[Route, ...]
    continuity: Mapping[str, Any] | None  # {"channel": slug of a mailbox, "after": seconds}
    journeys: tuple[Mapping[str, Any], ...]
    invitations: tuple[Mapping[str, Any], ...]
    flow: Mapping[str, Any] | None

    def said(self, key: str, language: str, otherwise: str = "") -> str:
        """The organisation's own words for `key` in this language."""
        return self.texts.get(language, {}).get(key) or otherwise


def _field(given: Mapping[str, Any]) -> Field:
    return Field(
        given["key"],
        given.get("kind", "text"),
        given.get("label") or {},
        bool(given.get("required")),
        tuple(given.get("options") or ()),
    )


EMAIL = Field("email", "email", {"en": "E-mail", "ur": "ای میل"}, True)
NAME = Field("name", "text", {"en": "Name", "ur": "نام"})


def read(given: Mapping[str, Any], name: str = "") -> Settings:
    """Stored settings as values."""
    waits = given.get("queue") or {}
    return Settings(
        name=given.get("name") or name,
        origins=tuple(given.get("origins") or ()),
        languages=tuple(given.get("languages") or ("en", "ur")),
        position=given.get("position") or "end",
        colour=given.get("colour") or "#0f766e",
        theme=given.get("theme") or "auto",
        texts=given.get("texts") or {},
        hours=given.get("hours"),
        prechat=tuple(_field(one) for one in given.get("prechat") or ()),
        topics=tuple(given.get("topics") or ()),
        offline=tuple(_field(one) for one in given.get("offline") or ()) or (NAME, EMAIL),
        forms=tuple(given.get("forms") or ()),
        consent=bool(given.get("consent")),
        files=given.get("files", True) is not False,
        file_mb=int(given.get("file_mb") or FILE_MB),
        preview=bool(given.get("preview")),
        transcript=given.get("transcript", True) is not False,
        rating=given.get("rating", True) is not False,
        visitors=given.get("visitors", True) is not False,
        queue=Queue(**{key: int(waits[key]) for key in Queue.__dataclass_fields__ if waits.get(key) is not None}),
        routes=tuple(
            Route(one["team"], one.get("page", ""), one.get("topic", ""), one.get("language", ""))
            for one in given.get("routes") or ()
        ),
        continuity=given.get("continuity"),
        journeys=tuple(given.get("journeys") or ()),
        invitations=tuple(given.get("invitations") or ()),
        flow=given.get("flow"),
    )


def of(channel: Channel) -> Settings:
    """The settings of a chat channel."""
    return read(channel.settings, channel.name)
