"""Which sites may show a channel's chat."""

from __future__ import annotations

from urllib.parse import urlsplit

from channels_chat.config import Settings


def allowed(settings: Settings, origin: str, host: str) -> bool:
    """Whether a page of `origin` (the header's text) may talk to this chat; `host` is our own.

    Without a list every site may. Ours always may: the full page, the sandbox. `https://*.example.com` stands for
    every name below example.com.
    """
    if not settings.origins:
        return True
    asked = urlsplit(origin.strip().lower())
    if not asked.scheme or not asked.hostname:
        return False
    if asked.netloc == host.lower():
        return True
    return any(_fits(one.strip().lower().rstrip("/"), asked.scheme, asked.netloc) for one in settings.origins)


def _fits(pattern: str, scheme: str, netloc: str) -> bool:
    wanted, separator, name = pattern.partition("://")
    if not separator:
        wanted, name = scheme, pattern
    if wanted != scheme:
        return False
    return netloc.endswith(name[1:]) if name.startswith("*.") else netloc == name
