"""What comes over a visitor's websocket, checked: it is a stranger's, and nothing of it is believed.

docs/channels/chat.md, "The wire", describes the frames.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MOST_FRAME = 64 * 1024  # characters; a message has 5,000, the rest is fields and attributes
MOST_ATTRIBUTES = 50
WORD = re.compile(r"[A-Za-z0-9_-]{8,64}")
KEY = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
HIGHEST = 2**63
DEEPEST = 8  # tables within tables: ours have three


def frame(text: str | None) -> dict[str, Any] | None:
    """A frame; None for what is none. Whatever is in it can be kept: it has no NUL, no half of a character, no number
    that is none or that no column holds.
    """
    if not text or len(text) > MOST_FRAME:
        return None
    try:
        said = json.loads(text)
        said = _kept(said, DEEPEST) if isinstance(said, dict) and isinstance(said.get("t"), str) else None
    except (ValueError, RecursionError):
        return None
    return said


def _kept(value: Any, deeper: int) -> Any:
    """As it came, without what could not be kept. Raises ValueError where it goes too deep."""
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if abs(value) < HIGHEST else None  # nor NaN and infinity
    if not deeper:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [_kept(one, deeper - 1) for one in value]
    return {_text(name): _kept(one, deeper - 1) for name, one in value.items()}


def _text(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def words(value: Any, most: int) -> str:
    """Text, cut to `most` characters, without what PostgreSQL cannot keep; empty for what is no text."""
    return _text(value)[:most] if isinstance(value, str) else ""


def line(value: Any, most: int) -> str:
    """As `words`, in one line."""
    return " ".join(words(value, most * 2).split())[:most]


def word(value: Any) -> str:
    """A client's id of something: letters, digits and dashes; empty for anything else."""
    return value if isinstance(value, str) and WORD.fullmatch(value) else ""


def key(value: Any) -> str:
    """The key of something that settings declare."""
    return value if isinstance(value, str) and KEY.fullmatch(value) else ""


def number(value: Any) -> int:
    """An id; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < HIGHEST else 0


def address(value: Any) -> str:
    """An http(s) address without user and password; empty for anything else."""
    text = words(value, 1000).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    return text


def table(value: Any, *, most: int = MOST_ATTRIBUTES, longest: int = 500) -> dict[str, Any]:
    """A flat table of words, numbers and truths; what is deeper, longer or more is left out."""
    if not isinstance(value, Mapping):
        return {}
    found: dict[str, Any] = {}
    for name, one in list(value.items())[: most * 4]:
        name = line(name, 60)
        if not name or len(found) >= most:
            continue
        if isinstance(one, str):
            found[name] = words(one, longest)
        elif isinstance(one, bool) or one is None or isinstance(one, int | float) and abs(one) < 1e15:
            found[name] = one
    return found
