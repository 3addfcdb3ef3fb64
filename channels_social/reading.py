"""What strangers' JSON says, as values that the database takes: no NUL, no half characters, no endless numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from inbox.adapters import Party

LONGEST_TEXT = 100_000
FARTHEST = 2.0**33  # seconds from 1970: the year 2242
NOTHING: Mapping[str, Any] = {}


def load(raw: bytes) -> Any:
    """The JSON in these bytes. Raises ValueError for anything else, also for what nests without end."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def answer(response: requests.Response) -> Any:
    """The JSON that a platform answered with; None for anything else. Raises as reading a response does."""
    try:
        return load(response.content)
    except ValueError:
        return None


def table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else NOTHING


def rows(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; whatever else stands in it is left out."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """A string without NUL, and without halves of characters, which no column takes. Numbers as they are written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")[:longest]


def seconds(value: Any) -> datetime | None:
    """Unix time in seconds, as a number or a string; None for what is none, or lies so far off that it means nothing:
    on the last day of all, another zone has no date to show.
    """
    try:
        found = float(value)
        return datetime.fromtimestamp(found, UTC) if abs(found) < FARTHEST else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def milliseconds(value: Any) -> datetime | None:
    try:
        return seconds(float(value) / 1000)
    except (TypeError, ValueError, OverflowError):
        return None


def number(value: Any) -> int:
    """A size or a position; 0 for what is none."""
    try:
        return min(max(int(value), 0), 2**62)
    except (TypeError, ValueError, OverflowError):
        return 0


def plain(value: Any, depth: int = 6) -> Any:
    """Any JSON as the database keeps it: every string as `text` makes it, what lies too deep left out.

    Python reads numbers that JSON does not have, and that no database takes (`NaN`, 1e999): they are kept as words.
    """
    if isinstance(value, Mapping):
        return {text(key, 200): plain(one, depth - 1) for key, one in list(value.items())[:200]} if depth else {}
    if isinstance(value, list):
        return [plain(one, depth - 1) for one in value[:200]] if depth else []
    if isinstance(value, int | float) and not -(2**63) < value < 2**63:
        return text(value, 10_000)
    return text(value, 10_000) if isinstance(value, str) else value


def name_of(*words: Any) -> str:
    return " ".join(text(" ".join(text(one) for one in words if one), 400).split())[:200]


def person(kind: str, value: Any, name: str = "", scope: str = "") -> Party | None:
    """Somebody by the platform's id; None where there is none."""
    found = text(value, 320).strip()
    return Party(kind, found, name, scope) if found else None
