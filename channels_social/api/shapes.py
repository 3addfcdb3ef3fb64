"""What an integrator may say, checked strictly: each fault is told by the name of its field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from channels_social import reading

LONGEST_ID = 200
LONGEST_URL = 2000
MOST_FILES = 20
MOST_METADATA = 8 * 1024  # bytes of JSON
MOST_STARS = 100
OURS = re.compile(r"m[0-9]{1,18}(-[0-9]{1,3})?")  # how Rabta calls its own messages
THREADS = ("review", "comment", "chat")
STATES = ("delivered", "read", "failed")
Table = Mapping[str, Any]


class Malformed(ValueError):
    """What is wrong, by the name of the field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {said}" for name, said in errors.items()))
        self.errors = dict(errors)


class Reader:
    """Reads one object, and notes what is wrong with it under dotted names. What is read is fit for the database."""

    def __init__(self, told: Table, path: str, errors: dict[str, str]) -> None:
        self.told = told
        self.path = path
        self.errors = errors
        self.asked: set[str] = set()

    def wrong(self, name: str, said: str) -> None:
        where = f"{self.path}.{name}" if self.path and name else self.path or name
        self.errors.setdefault(where, said)

    def value(self, name: str, *, needed: bool = False) -> Any:
        self.asked.add(name)
        found = self.told.get(name)
        if needed and found is None:
            self.wrong(name, _("This is needed."))
        return found

    def text(self, name: str, longest: int, *, needed: bool = False) -> str:
        found = self.value(name, needed=needed)
        if found is None:
            return ""
        if not isinstance(found, str):
            self.wrong(name, _("This has to be a string."))
            return ""
        if len(found) > longest:
            self.wrong(name, _("At most %(most)d characters.") % {"most": longest})
        elif needed and not found.strip():
            self.wrong(name, _("This is needed."))
        return reading.text(found, longest)

    def id(self, name: str, *, needed: bool = True) -> str:
        """A name that something has with the integrator: what it is made of is theirs, but it is one line."""
        found = self.text(name, LONGEST_ID, needed=needed)
        if found and (found != self.told.get(name) or found != found.strip() or not found.isprintable()):
            self.wrong(name, _("No blanks around it, no signs that cannot be printed."))
        return found

    def url(self, name: str, *, needed: bool = False, plain: bool = False) -> str:
        """An address that is opened by people; `plain` lets http through, where private networks are allowed."""
        found = self.text(name, LONGEST_URL, needed=needed)
        if not found:
            return ""
        try:
            parts = urlsplit(found)
            good = parts.scheme in ({"https", "http"} if plain else {"https"}) and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            self.wrong(name, _("This has to be an address that begins with https://."))
        return found

    def choice(self, name: str, among: Sequence[str], *, needed: bool = False) -> str:
        found = self.text(name, 100, needed=needed)
        if found and found not in among:
            self.wrong(name, _("This has to be one of: %(names)s.") % {"names": ", ".join(among)})
        return found

    def flag(self, name: str, otherwise: bool | None) -> bool | None:
        found = self.value(name)
        if found is None:
            return otherwise
        if not isinstance(found, bool):
            self.wrong(name, _("This has to be true or false."))
            return otherwise
        return found

    def number(self, name: str, most: float, *, needed: bool = False, whole: bool = False) -> float | None:
        found = self.value(name, needed=needed)
        if found is None:
            return None
        right = isinstance(found, int) if whole else isinstance(found, int | float)
        if isinstance(found, bool) or not right or not 0 <= found <= most:
            self.wrong(name, _("This has to be a number from 0 to %(most)s.") % {"most": most})
            return None
        return float(found)

    def moment(self, name: str) -> datetime | None:
        found = self.text(name, 40)
        if not found:
            return None
        try:
            at = parse_datetime(found)
        except ValueError:
            at = None
        if at is None or timezone.is_naive(at) or not 1970 < at.year < 3000:
            self.wrong(name, _("This has to be a time with its zone, such as 2026-11-27T09:30:00Z."))
            return None
        return at

    def inner(self, name: str, *, needed: bool = False) -> Reader | None:
        found = self.value(name, needed=needed)
        if found is None:
            return None
        if not isinstance(found, Mapping):
            self.wrong(name, _("This has to be an object."))
            return None
        return Reader(found, f"{self.path}.{name}" if self.path else name, self.errors)

    def done(self) -> None:
        """What nobody asked for was meant to do something: it is told rather than left out."""
        for name in sorted(map(str, set(self.told) - self.asked))[:20]:
            self.wrong(reading.text(name, 60), _("There is no such field. Fields of your own go into “metadata”."))


def person(event: Reader) -> dict[str, str]:
    told = event.inner("from", needed=True)
    if told is None:
        return {}
    found = {"id": told.id("id"), "name": " ".join(told.text("name", 200).split())}
    # What nobody has proven: docs/channels/api.md says what becomes of it.
    found["email"] = told.text("email", 320).strip().lower()
    found["picture"] = told.url("picture", plain=settings.ALLOW_PRIVATE_NETWORKS)
    told.done()
    return found


def thread(event: Reader) -> dict[str, str]:
    told = event.inner("thread")
    if told is None:
        return {}
    found = {
        "id": told.id("id"),
        "title": " ".join(told.text("title", 300).split()),
        "url": told.url("url", plain=settings.ALLOW_PRIVATE_NETWORKS),
        "kind": told.choice("kind", THREADS),
    }
    told.done()
    return {name: value for name, value in found.items() if value}


def rating(event: Reader) -> dict[str, float]:
    told = event.inner("rating")
    if told is None:
        return {}
    value, most = told.number("value", MOST_STARS, needed=True), told.number("of", MOST_STARS)
    most = 5.0 if most is None else most
    told.done()
    if value is None:
        return {}
    if most < 1 or value > most:
        told.wrong("value", _("This has to be a number from 0 to %(most)s.") % {"most": f"{most:g}"})
    return {name: int(one) if one == int(one) else one for name, one in (("value", value), ("of", most))}


def attachments(event: Reader) -> list[dict[str, Any]]:
    told = event.value("attachments")
    if told is None:
        return []
    if not isinstance(told, list) or len(told) > MOST_FILES:
        event.wrong("attachments", _("This has to be a list of at most %(most)d.") % {"most": MOST_FILES})
        return []
    found = []
    for place, one in enumerate(told):
        name = f"attachments.{place}"
        if not isinstance(one, Mapping):
            event.wrong(name, _("This has to be an object."))
            continue
        file = Reader(one, f"{event.path}.{name}" if event.path else name, event.errors)
        found.append(
            {
                "url": file.url("url", needed=True, plain=settings.ALLOW_PRIVATE_NETWORKS),
                "name": file.text("name", 255),
                "content_type": file.text("content_type", 127),
                "size": int(file.number("size", 2**50, whole=True) or 0),
            }
        )
        file.done()
    return found


def metadata(event: Reader) -> Any:
    told = event.inner("metadata")
    if told is None:
        return {}
    if len(json.dumps(told.told)) > MOST_METADATA:
        event.wrong("metadata", _("At most %(most)d bytes of JSON.") % {"most": MOST_METADATA})
    return reading.plain(told.told)
