"""The door of a chat channel as the web process keeps it for some seconds: each request and socket asks for it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from django.conf import settings

from channels_chat import config
from inbox.models import Channel

KEPT = 3.0  # seconds that changed settings may go unnoticed
MOST = 500  # tokens that are remembered, wrong ones among them
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_known: dict[str, tuple[float, Door | None]] = {}


@dataclass(frozen=True, slots=True)
class Door:
    channel: Channel
    settings: config.Settings

    def admits(self, origin: str) -> bool:
        """Whether pages of this origin may hold the widget: those on the channel's list, and our own.

        `https://*.shop.example` stands for every name below it. An empty list lets in everybody; so does a request
        without an origin, which no browser makes for another site's page.
        """
        allowed = self.settings.origins
        if not origin or not allowed or is_ours(origin):
            return True
        return any(fnmatchcase(origin.lower(), one.lower()) for one in allowed)


def is_ours(origin: str) -> bool:
    """Whether this is an origin of Rabta's own pages."""
    parts = urlsplit(origin)
    return f"{parts.scheme}://{parts.netloc}" == settings.BASE_URL or parts.hostname in settings.ALLOWED_HOSTS


def kept(token: str) -> tuple[Door | None] | None:
    """What `find` would answer without asking the database; None where it would ask."""
    known = _known.get(token)
    return (known[1],) if known is not None and known[0] > time.monotonic() else None


def find(token: str) -> Door | None:
    """The channel of this token, if it takes chats; None for an unknown or paused one."""
    now = time.monotonic()
    kept = _known.get(token)
    if kept is not None and kept[0] > now:
        return kept[1]
    if not TOKEN.fullmatch(token):
        return None
    channel = Channel.objects.select_related("brand").filter(kind="chat", token=token, paused=False).first()
    door = Door(channel, config.of(channel)) if channel is not None else None
    if len(_known) >= MOST:
        _known.clear()
    _known[token] = (now + KEPT, door)
    return door


def forget() -> None:
    """Ask anew: settings have changed in this process."""
    _known.clear()
