"""What a customer can do on each emulated platform, for the page where one plays them.

A platform's module describes itself once, with `register`; the page draws what it finds and knows no platform by name:

    register(Platform(key="telegram", meet=meet, acts=(Act("text", _("Send"), text, needs=frozenset({"text"})), …)))

`PLATFORMS` is filled by `load`, which imports the modules in `MODULES` that are there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db.models import F
from django.utils.functional import Promise

from sandbox.phones.models import Account, Line, Person

MODULES = ("telegram_acts", "twilio_acts", "whatsapp_acts", "facebook_acts", "instagram_acts")  # of sandbox.phones
NOTHING: frozenset[str] = frozenset()


class Cannot(Exception):
    """The platform does not let its people do this now; the text says why, to who plays them."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that the person sends: its name, its type, its bytes."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """What the page hands to an act: text, files (several make an album, where the platform has those), the line that
    the act is about (to edit, to react to, to answer, to press a button of), and which of the act's `choices`.
    """

    text: str = ""
    files: tuple[Upload, ...] = ()
    line: Line | None = None
    choice: str = ""


def _any(line: Line) -> bool:
    return True


def _none(line: Line) -> list[tuple[str, str]]:
    return []


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a customer can do.

    `name` is its name in forms ("text", "photo", "react"…), `label` what stands on its button. `do(account, person,
    given)` does it: it makes the line, queues what the platform tells by `core.tell`, and may raise `Cannot`.
    `needs` of {"text", "file", "line"} is what it cannot do without; `takes` what it can use besides. An act that
    needs a line stands at every line that `fits` says yes to (own lines, lines with buttons, posts…); "line" in
    `takes` alone means that it can answer a line. `choices` are (value, label) to pick from, those of a line
    `choices_of(line)` (its buttons). `main` is what the composer's own button does: with text, and with a file where
    it takes one.
    """

    name: str
    label: str | Promise
    do: Callable[[Account, Person, Given], Line | None]
    needs: frozenset[str] = NOTHING
    takes: frozenset[str] = NOTHING
    fits: Callable[[Line], bool] = _any
    choices: tuple[tuple[str, str | Promise], ...] = ()
    choices_of: Callable[[Line], list[tuple[str, str]]] = _none
    main: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong on demand: `fault` is put into the account's faults (see `core.fault`), or `do` does
    what no fault can (move the last inbound line back in time…).
    """

    name: str
    label: str | Promise
    fault: dict[str, Any] = field(default_factory=dict)
    do: Callable[[Account], None] | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform as the page knows it. `meet(account, name, phone)` makes somebody new there; `needs_phone` says
    whether they are known by a number that has to be typed. `key` is a `models.Platform`. `opened(account, person)` is
    called when the person looks at the conversation (receipts). The page draws of a line, besides its text and state,
    from its payload: "media" (external ids of `Media`), "place" {"latitude", "longitude", "name"}, "contact" {"name",
    "phone"}, "buttons" [[label, value]…]; what lies under a post (`public`) hangs under the line whose external id its
    `thread` is.
    """

    key: str
    meet: Callable[[Account, str, str], Person]
    acts: tuple[Act, ...]
    troubles: tuple[Trouble, ...] = ()
    needs_phone: bool = False
    opened: Callable[[Account, Person], None] | None = None

    def act(self, name: str) -> Act | None:
        return next((one for one in self.acts if one.name == name), None)

    def at_line(self, line: Line) -> list[Act]:
        """What can be done with a line."""
        return [one for one in self.acts if "line" in one.needs and not line.deleted_at and one.fits(line)]


def older(hours: int) -> Callable[[Account], None]:
    """For a trouble's `do`: all that was said moves back in time, so that windows close and old things stay."""

    def move(account: Account) -> None:
        Line.objects.filter(account=account).update(at=F("at") - timedelta(hours=hours))

    return move


PLATFORMS: dict[str, Platform] = {}


def register(platform: Platform) -> None:
    """Make a platform known; the page shows it from then on."""
    PLATFORMS[platform.key] = platform


def load() -> dict[str, Platform]:
    """All platforms there are."""
    for name in MODULES:
        if find_spec(f"sandbox.phones.{name}"):
            import_module(f"sandbox.phones.{name}")
    return PLATFORMS
