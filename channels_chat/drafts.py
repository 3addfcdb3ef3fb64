"""What a settings page shows: values by dotted path, and what is wrong there. And drafts for the preview, which nobody
has saved yet: they lie in the cache for some minutes, under a name that only their page knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.core.cache import cache

KEPT = 900  # seconds


class Draft:
    """The values that a page's inputs show. It remembers which places were asked for what is wrong there, so that the
    page can say the rest at its end.
    """

    def __init__(self, values: Mapping[str, Any], problems: Mapping[str, list[str]] | None = None) -> None:
        self.values = values
        self.problems = dict(problems or {})
        self._told: set[str] = set()

    def value(self, path: str) -> Any:
        """What stands at this path; None where nothing does."""
        place: Any = self.values
        for one in path.split("."):
            if isinstance(place, list):
                place = place[int(one)] if one.isdecimal() and int(one) < len(place) else None
            else:
                place = place.get(one) if isinstance(place, Mapping) else None
        return place

    def wrong(self, path: str) -> list[str]:
        """What is wrong at this path, in sentences."""
        self._told.add(path)
        return self.problems.get(path, [])

    def rest(self) -> list[str]:
        """What is wrong where no input has said so."""
        return [text for path, texts in self.problems.items() if path not in self._told for text in texts]


def keep(channel: int, settings: Mapping[str, Any], name: str = "") -> str:
    """Keep unsaved settings for the preview. Returns the name they lie under."""
    name = name if len(name) == 32 and name.isalnum() else secrets.token_hex(16)
    cache.set(f"chat-draft:{channel}:{name}", dict(settings), KEPT)
    return name


def kept(channel: int, name: str) -> dict[str, Any] | None:
    """Unsaved settings of that name; None once they are gone."""
    found = cache.get(f"chat-draft:{channel}:{name[:32]}") if name else None
    return found if isinstance(found, dict) else None
