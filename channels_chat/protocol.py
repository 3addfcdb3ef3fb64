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


def frame(text: str | None) -> dict[str, Any] | None:
    """A frame; None for what is none."""
    if not text or len(text) > MOST_FRAME:
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("t"), str) else None


def words(value: Any, most: int) -> str:
    """Text, cut to `most` characters, without what PostgreSQL cannot keep; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    return value[:most].replace("\x00", "").encode("utf-8", "replace").decode()


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
