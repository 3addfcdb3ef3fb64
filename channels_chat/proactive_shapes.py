"""The shapes of journeys and invitations, as docs/channels/chat.md describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_chat.shapes import (
    LANGUAGE,
    Check,
    Problems,
    below,
    by_language,
    flag,
    key,
    listed,
    number,
    one_of,
    scalar,
    shape,
    text,
)

OPS = ("=", "!=", ">", "<", "contains")
MOST_CONDITIONS = 10
pattern = text(300, pattern=re.compile(r"\S+"), wrong=gettext_lazy("An address has no spaces. * stands for anything."))
language = text(12, pattern=LANGUAGE, wrong=gettext_lazy("This is no language."))
name = text(60)

# What each kind of condition is told, and what of that it needs.
CONDITIONS: dict[str, tuple[dict[str, Check], tuple[str, ...]]] = {
    "url": ({"value": pattern}, ("value",)),
    "time": ({"value": number(0, 86_400)}, ("value",)),
    "visits": ({"value": number(1, 1000), "op": one_of(">", "=", "<")}, ("value",)),
    "scroll": ({"value": number(1, 100)}, ("value",)),
    "idle": ({"value": number(1, 3600)}, ("value",)),
    "exit": ({}, ()),
    "returning": ({}, ()),
    "attribute": ({"key": name, "op": one_of(*OPS), "value": scalar(200)}, ("key", "value")),
    "event": ({"value": name, "key": name, "op": one_of(*OPS), "than": scalar(200)}, ("value",)),
    "hours": ({}, ()),
    "language": ({"value": language}, ("value",)),
    "stalled": ({"value": key}, ("value",)),
}
_SHAPES = {
    kind: shape({"is": one_of(kind), "not": flag, **parts}, needs=needs) for kind, (parts, needs) in CONDITIONS.items()
}


def condition(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    """One condition: its parts are those of its kind."""
    kind = value.get("is") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _SHAPES:
        problems.say(below(path, "is"), _("One of: %(options)s.") % {"options": ", ".join(_SHAPES)})
        return None
    found: dict[str, Any] | None = _SHAPES[kind](value, path, problems)
    if found is not None and kind == "event" and ("key" in found) != ("than" in found):
        problems.say(below(path, "than"), _("An event's data are compared by a key and a value: give both."))
    return found


_moment_shape = shape({"url": pattern, "event": name})


def moment(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    """Where a journey begins or ends: a page or an event."""
    found: dict[str, Any] | None = _moment_shape(value, path, problems)
    if found is not None and len(found) != 1:
        problems.say(path, _("Give one of both: a page or an event."))
    return found


journey: Check = shape(
    {"key": key, "name": text(120), "start": moment, "done": moment, "stalled": number(0, 86_400)},
    needs=["key", "start", "done"],
)

_conditions = listed(condition, MOST_CONDITIONS)
_invitation_shape = shape(
    {
        "key": key,
        "name": text(120),
        "on": flag,
        "text": by_language(text(500, lines=True)),
        "all": _conditions,
        "any": _conditions,
        "every_hours": number(0, 8760),
        "most": number(0, 1000),
        "holdout": number(0, 90),
        "agents": flag,
        "goal": key,
    },
    needs=["key", "text"],
)


def invitation(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    """One invitation. Without conditions it would never be shown, which nobody means who switches it on."""
    found: dict[str, Any] | None = _invitation_shape(value, path, problems)
    if found is not None and found.get("on", True) and not (found.get("all") or found.get("any")):
        problems.say(path, _("Without a condition it is never shown: add one, or switch it off."))
    return found


def refer(cleaned: Mapping[str, Any], journeys: set[str], problems: Problems) -> None:
    """Whether the journeys that invitations name are there."""
    words = _("There is no journey “%(name)s”.")
    for at, one in enumerate(cleaned.get("invitations") or ()):
        if one.get("goal") and one["goal"] not in journeys:
            problems.say(f"invitations.{at}.goal", words % {"name": one["goal"]})
        for kind in ("all", "any"):
            for inner, each in enumerate(one.get(kind) or ()):
                if each["is"] == "stalled" and each["value"] not in journeys:
                    problems.say(f"invitations.{at}.{kind}.{inner}.value", words % {"name": each["value"]})
