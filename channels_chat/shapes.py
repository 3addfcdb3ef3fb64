"""Reading JSON of strangers by its shape. A check takes what was given and gives what is kept; what is wrong it says by
its dotted path (`invitations.0.all.1.value`) and gives None. Posted pages pass, too: their numbers and ticks are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_NUMBER = 12  # characters
MOST_LANGUAGES = 30
MOST_PROBLEMS = 50  # said at once: nobody reads more, and a hostile list may have millions


class Problems:
    """What is wrong, by dotted path."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def say(self, path: str, text: StrOrPromise) -> None:
        if len(self.found) < MOST_PROBLEMS:
            self.found.setdefault(path, []).append(str(text))


Check = Callable[[Any, str, Problems], Any]


def below(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def empty(value: Any) -> bool:
    """Whether this says nothing: numbers and false do say something."""
    return value is None or value == "" or (isinstance(value, list | dict) and not value)


def shown(name: object) -> str:
    """A stranger's name for something, fit to be read out."""
    text = str(name).encode("utf-8", "replace").decode()
    return CONTROL.sub("", text)[:60]


def text(most: int, *, lines: bool = False, pattern: re.Pattern[str] | None = None, wrong: StrOrPromise = "") -> Check:
    """Text of at most so many characters, on one line or several; `pattern` has to fit all of it."""

    def check(value: Any, path: str, problems: Problems) -> str | None:
        if not isinstance(value, str):
            problems.say(path, _("Give text."))
            return None
        if len(value) > most * 2 + 100:
            clean = value  # too long whatever is left out of it
        else:
            clean = CONTROL.sub("", value.replace("\r\n", "\n"))
            clean = clean.strip() if lines else " ".join(clean.split())
        if len(clean) > most:
            problems.say(path, _("At most %(n)d characters.") % {"n": most})
        elif not clean.isascii() and clean != clean.encode("utf-8", "ignore").decode():
            problems.say(path, _("This is no text that can be kept: half of a character."))
        elif clean and pattern is not None and not pattern.fullmatch(clean):
            problems.say(path, wrong)
        else:
            return clean
        return None

    return check


def key(value: Any, path: str, problems: Problems) -> str | None:
    """A short name for programs."""
    if isinstance(value, str) and KEY.fullmatch(value):
        return value
    problems.say(path, _("Letters, digits, - and _ alone, at most 60."))
    return None


def flag(value: Any, path: str, problems: Problems) -> bool | None:
    """True or false; an empty text is a box that was not ticked."""
    if value is True or (isinstance(value, str) and value in ("true", "on", "1")):
        return True
    if value is False or (isinstance(value, str) and value in ("false", "off", "0", "")):
        return False
    problems.say(path, _("Say true or false."))
    return None


def number(low: int, high: int) -> Check:
    """A whole number between these two, both included."""

    def check(value: Any, path: str, problems: Problems) -> int | None:
        given = value
        if (
            isinstance(value, str)
            and len(value) <= LONGEST_NUMBER
            and re.fullmatch(r"\s*-?[0-9]+\s*", value)
            or isinstance(value, float)
            and value.is_integer()
        ):
            given = int(value)
        if not isinstance(given, int) or isinstance(given, bool):
            problems.say(path, _("Give a whole number."))
        elif not low <= given <= high:
            problems.say(path, _("Between %(low)d and %(high)d.") % {"low": low, "high": high})
        else:
            return given
        return None

    return check


def scalar(most: int) -> Check:
    """A number or a text: what programs compare. A text that is a number becomes one."""

    def check(value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"  # as it is compared
        if isinstance(value, int | float):
            if abs(value) < 10**15:  # NaN is not
                return value
            problems.say(path, _("This number is too large."))
            return None
        clean = text(most)(value, path, problems)
        if clean and len(clean) <= LONGEST_NUMBER and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", clean):
            return float(clean) if "." in clean else int(clean)
        return clean

    return check


def one_of(*options: str) -> Check:
    def check(value: Any, path: str, problems: Problems) -> str | None:
        if isinstance(value, str) and value in options:
            return value
        problems.say(path, _("One of: %(options)s.") % {"options": ", ".join(options)})
        return None

    return check


def listed(one: Check, most: int, *, lines: bool = False, unique: str = "") -> Check:
    """A list; with `lines` also text, one a line. `unique` names what no two of its objects may share."""

    def check(value: Any, path: str, problems: Problems) -> list[Any] | None:
        if lines and isinstance(value, str):
            value = [line for line in value.splitlines() if line.strip()]
        if not isinstance(value, list):
            problems.say(path, _("Give a list."))
            return None
        if len(value) > most:
            problems.say(path, _("At most %(n)d.") % {"n": most})
            return None
        found = [one(given, below(path, at), problems) for at, given in enumerate(value)]
        if unique:
            _refuse_twice(found, path, unique, problems)
            return found
        return [*dict.fromkeys(found)] if lines else found

    return check


def _refuse_twice(found: Sequence[Any], path: str, name: str, problems: Problems) -> None:
    seen: set[Any] = set()
    for at, given in enumerate(found):
        value = given.get(name) if isinstance(given, dict) else None
        if value in seen and value is not None:
            problems.say(below(below(path, at), name), _("There is one of that key already."))
        seen.add(value)


def shape(parts: Mapping[str, Check], *, needs: Sequence[str] = ()) -> Check:
    """An object of these parts and no others. What says nothing is left out."""

    def check(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            problems.say(path, _("Give an object."))
            return None
        for name in list(value)[: MOST_PROBLEMS + len(parts)]:
            if name not in parts:
                unknown = below(path, shown(name))
                problems.say(unknown, _("%(name)s is not a setting of a chat.") % {"name": unknown})
        found = {}
        for name, one in parts.items():
            given = value.get(name)
            if empty(given) and not (one is flag and given == ""):
                if name in needs:
                    problems.say(below(path, name), _("This is needed."))
                continue
            kept = one(given, below(path, name), problems)
            if not empty(kept):
                found[name] = kept
        return found

    return check


def by_language(one: Check) -> Check:
    """An object by language (`en`, `ur`, `pt-BR`…)."""

    def check(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            problems.say(path, _('Give an object with a text for each language, such as {"en": "…"}.'))
            return None
        if len(value) > MOST_LANGUAGES:
            problems.say(path, _("At most %(n)d.") % {"n": MOST_LANGUAGES})
            return None
        found = {}
        for name, given in value.items():
            if not isinstance(name, str) or not LANGUAGE.fullmatch(name):
                problems.say(below(path, shown(name)), _("This is no language: give its code, such as en or pt-BR."))
            elif not empty(given):
                kept = one(given, below(path, name), problems)
                if not empty(kept):
                    found[name] = kept
        return found

    return check
