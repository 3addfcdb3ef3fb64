"""What one answer takes on its channel: how long its words may be, and which files go with them.

`fitting.js` looks at files by the same rule before they are uploaded, and `counting.js` counts by the same limits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from inbox.counting import Limit

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class File(Protocol):
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Files:
    """Which files an answer takes.

    `kinds` are beginnings of content types, each with the bytes that one such file may have; the first that fits
    counts, "" fits any, and what none fits is not taken: nothing is where there are no kinds. `refusal` says so, and
    what would do instead ({name} is the file's), `said` what is taken, beside the button.
    """

    kinds: tuple[tuple[str, int], ...]
    refusal: StrOrPromise = ""
    said: StrOrPromise = ""


def up_to(most: int, *beginnings: str) -> tuple[tuple[str, int], ...]:
    """Kinds that may have so many bytes each; without beginnings any kind."""
    return tuple((one, most) for one in beginnings or ("",))


def uploads() -> int:
    """Bytes that Rabta itself takes of one file."""
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


@dataclass(frozen=True, slots=True)
class Takes:
    """What one kind of answer takes. `limit` is that of its words (None: any length); with `sms` it is also told how
    many text messages the networks count.
    """

    limit: Limit | None = None
    files: Files = field(default_factory=lambda: Files(up_to(uploads())))
    sms: bool = False


def allowed(files: Files, content_type: str) -> int | None:
    """The bytes that a file of this type may have; None where it is not taken at all."""
    kind = content_type.split(";")[0].strip().lower()
    return next((most for beginning, most in files.kinds if kind.startswith(beginning)), None)


def problem(files: Files, given: Iterable[File]) -> str:
    """Why one of these cannot go along, and what would do, in words for whoever writes; empty if all can."""
    for one in given:
        most = allowed(files, one.content_type)
        if most is None:
            return str(files.refusal).replace("{name}", one.name)
        if one.size > most:
            return large().replace("{name}", one.name).replace("{most}", words(most))
    return ""


def words(size: int) -> str:
    """Bytes of a limit for people: platforms tell them in whole megabytes, or few kilobytes."""
    if size < 1024 * 1024:
        return _("%(number)s KB") % {"number": size // 1024}
    return _("%(number)s MB") % {"number": size // (1024 * 1024)}


def large() -> str:
    return _("“{name}” is too large: {most} go here at most. Make it smaller, or send a link to it.")


def data(takes: Takes) -> dict[str, str]:
    """What the scripts of the composer read of it, as attributes `data-…`."""
    files = takes.files
    kinds = [(beginning, most, words(most)) for beginning, most in files.kinds]
    most = words(min(uploads(), max((one for _kind, one in files.kinds), default=0)))
    said = str(files.said) or (_("up to %(most)s each") % {"most": most} if kinds else str(files.refusal))
    told = {"files": json.dumps(kinds), "refusal": str(files.refusal), "large": large(), "said": said}
    if takes.limit is not None:
        limit = takes.limit
        told |= {"longest": str(limit.longest), "unit": limit.unit, "most": str(limit.most)}
    return told | ({"sms": "yes"} if takes.sms else {})
