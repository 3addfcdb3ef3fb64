"""Some of a channel's settings, as a page saves them: the others stay as they are.

They are put among the stored ones while the channel's row is locked, so that of two people who save different sections
at once neither undoes what the other did.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

Rows = list[dict[str, Any]]


class Part(dict[str, Any]):
    """Whole settings by their names; what says nothing is taken away."""

    def over(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that change, as they shall be."""
        return dict(self)


class Inside(Part):
    """Parts of one setting that is an object."""

    def __init__(self, name: str, parts: Mapping[str, Any]) -> None:
        super().__init__()
        self.name, self.parts = name, dict(parts)

    def over(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        return {self.name: {**(stored.get(self.name) or {}), **self.parts}}


class Worded(Part):
    """Texts by language: those that a page asks for. What else the organisation says stays."""

    def __init__(self, texts: Any) -> None:
        super().__init__()
        given = texts if isinstance(texts, Mapping) else {}
        self.texts = {name: one for name, one in given.items() if isinstance(one, Mapping)}

    def over(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        before = stored.get("texts") or {}
        return {
            "texts": {name: {**before.get(name, {}), **self.texts.get(name, {})} for name in {**before, **self.texts}}
        }


class Listed(Part):
    """A list within the settings (`invitations`, `flow.steps`) after this was done to it."""

    def __init__(self, path: str, change: Callable[[Rows], Rows]) -> None:
        super().__init__()
        self.path, self.change = path.split("."), change

    def over(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        top, *inner = self.path
        if not inner:
            return {top: self.change(copy.deepcopy(list(stored.get(top) or ())))}
        whole = copy.deepcopy(dict(stored.get(top) or {}))
        whole[inner[0]] = self.change(list(whole.get(inner[0]) or ()))
        return {top: whole}


def put(key: str, value: Mapping[str, Any]) -> Callable[[Rows], Rows]:
    """This in the place of the one of that key; at the end where there is none, or for a new one (no key)."""

    def change(rows: Rows) -> Rows:
        if key and any(row["key"] == key for row in rows):
            return [dict(value) if row["key"] == key else row for row in rows]
        return [*rows, dict(value)]

    return change


def out(key: str) -> Callable[[Rows], Rows]:
    """Without the one of that key."""
    return lambda rows: [row for row in rows if row["key"] != key]


def move(key: str, by: int) -> Callable[[Rows], Rows]:
    """The one of that key a place further on, or back."""

    def change(rows: Rows) -> Rows:
        at = next((place for place, row in enumerate(rows) if row["key"] == key), None)
        if at is not None and 0 <= at + by < len(rows):
            rows[at], rows[at + by] = rows[at + by], rows[at]
        return rows

    return change
