"""What a page was asked for is worked out once: its cards, each of which is fetched by itself, find it under a name.

It is kept for a minute and for its viewer alone, with what of the desk they do not see: for so long numbers may count
what was hidden from them meanwhile. Lists of tickets and files take no such name. Who comes later, or with a name that
there is not, has their address read anew; what the viewer may read is asked of them as they are now.
"""

from __future__ import annotations

import re
import secrets
import zlib
from dataclasses import fields, replace

from django.core.cache import cache

from inbox import access
from inbox.models import Agent
from inbox.rights import Right, may
from reports.engine.hiding import hidden
from reports.engine.question import Question
from reports.engine.sources import restricted
from reports.pages.asked import Asked

SECONDS = 60
PARAM = "once"
# What another version of Rabta kept, just before an upgrade, may lack what this one reads.
SHAPE = zlib.crc32(repr([one.name for kind in (Asked, Question) for one in fields(kind)]).encode())
NAME = re.compile(r"[-\w]{1,40}", re.ASCII)


def keep(asked: Asked) -> str:
    """The name under which `found` has it again."""
    name = secrets.token_urlsafe(12)
    if restricted(asked.question):
        hidden(asked.viewer)  # once, rather than by each card
    nobody = Agent(pk=asked.viewer.pk)
    cache.set(_key(asked.viewer, name), (replace(asked, viewer=nobody), access.sight(asked.viewer)), SECONDS)
    return name


def found(viewer: Agent, name: str) -> Asked | None:
    """What this viewer's page of that name was asked for, and with it what of the desk they do not see."""
    kept: tuple[Asked, access.Sight] | None = cache.get(_key(viewer, name)) if NAME.fullmatch(name) else None
    if kept is None:
        return None
    asked, sight = kept
    if asked.own == may(viewer, Right.REPORTS):  # that has changed since
        return None
    viewer._sight = sight  # type: ignore[attr-defined]
    return replace(asked, viewer=viewer)


def _key(viewer: Agent, name: str) -> str:
    return f"reports:page:{SHAPE}:{viewer.pk}:{name}"
