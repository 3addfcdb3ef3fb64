"""The widget's one script: its modules, its sheet, and a channel's settings and words, put together and minified.

The modules are plain pieces of one function; the order of MODULES is the order in which they stand in it.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import rjsmin
import zopfli.gzip
from django.conf import settings
from django.urls import reverse

from channels_chat.config import Field, of
from channels_chat.shades import shades
from channels_chat.shrinking import short
from channels_chat.words import WORDS, words
from inbox.models import Channel

FOLDER = Path(__file__).parent / "static" / "channels_chat" / "widget"
MODULES = (
    "base",
    "state",
    "outbox",
    "wire",
    "tabs",
    "icons",
    "lines",
    "thread",
    "forms",
    "ends",
    "files",
    "composer",
    "status",
    "window",
    "launcher",
    "site",
    "inviting",
    "api",
)
SPOKEN = re.compile(r'\bt\("(\w+)"')  # a word by its key
MOST_KEPT = 64  # scripts in memory: one for each channel and state of its settings


def script(channel: Channel) -> tuple[bytes, bytes, str]:
    """The script of a channel: plain, gzipped, and its ETag."""
    return _built(json.dumps(setup(channel), ensure_ascii=False, separators=(",", ":"), sort_keys=True), _stamp())


def setup(channel: Channel) -> dict[str, Any]:
    """What the widget knows of its channel. Nothing in it is secret: anybody can read it."""
    chat = of(channel)
    inviting = [one for one in chat.invitations if one.get("on")]
    return {
        "token": channel.token,
        "path": reverse("chat_page", args=[channel.token]),
        "base": settings.BASE_URL,
        "name": chat.name,
        "colour": shades(chat.colour),
        "position": chat.position,
        "theme": chat.theme,
        "langs": list(chat.languages),
        "words": {language: list(words(chat, language).values()) for language in chat.languages},
        "hours": chat.hours,
        "prechat": [_field(one) for one in chat.prechat],
        "topics": [{"key": one.get("key"), "label": one.get("label")} for one in chat.topics],
        "offline": [_field(one) for one in chat.offline],
        "consent": chat.consent,
        "files": chat.files,
        "mb": chat.file_mb,
        "transcript": chat.transcript,
        "rating": chat.rating,
        "preview": chat.preview,
        "bot": bool(chat.flow and chat.flow.get("on", True)),
        "site": bool(chat.visitors or chat.journeys or inviting),  # connect on every page, not only where somebody asks
        "journeys": list(chat.journeys),
        "invitations": inviting,
    }


def _field(one: Field) -> dict[str, Any]:
    return {
        "key": one.key,
        "kind": one.kind,
        "label": dict(one.label),
        "required": one.required,
        "options": list(one.options),
    }


def _stamp() -> float:
    """When the modules were changed last: they change under a developer's hands alone."""
    return max(path.stat().st_mtime for path in FOLDER.iterdir()) if settings.DEBUG else 0.0


@lru_cache(maxsize=MOST_KEPT)
def _built(given: str, stamp: float) -> tuple[bytes, bytes, str]:
    given = given.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    # The settings come last: the code before them is the same for all, and packed as well for each of them.
    text = f'(C=>{{"use strict";\n{_code(stamp)}\n}})({given});\n'.encode()
    return text, zopfli.gzip.compress(text), f'"{sha256(text).hexdigest()[:24]}"'


@lru_cache(maxsize=2)
def _code(stamp: float) -> str:
    modules = "\n".join((FOLDER / f"{name}.js").read_text() for name in MODULES)
    sheet = json.dumps(_small(Path(FOLDER / "widget.css").read_text()), ensure_ascii=False)
    return f"const SHEET={sheet};\n{short(rjsmin.jsmin(SPOKEN.sub(_placed, modules)))}"


def _placed(found: re.Match[str]) -> str:
    return f"t({list(WORDS).index(found[1])}"


def _small(sheet: str) -> str:
    """A style sheet without comments and needless blanks."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    sheet = re.sub(r"\s+", " ", sheet)
    return re.sub(r" ?([{};,]) ?", r"\1", sheet).replace(": ", ":").replace(";}", "}").strip()
