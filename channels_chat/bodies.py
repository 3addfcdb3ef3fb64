"""Files of visitors before Django reads them: what is too large, or does not say how large it is, is refused unread.

Django takes in a request's whole body, whatever its size, before a view can say no; and of one that does not say its
length it would make nothing in the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from channels_chat import config, doors

Application = Callable[[Any, Any, Any], Awaitable[None]]
PLACE = re.compile(r"/chat/([A-Za-z0-9_-]{1,64})/files/")
AROUND = 64 * 1024  # bytes that a form has beside its file


def most(mb: int) -> int:
    """Bytes of a request with a file of at most so many MB."""
    return mb * 1024 * 1024 + AROUND


def bounded(pages: Application) -> Application:
    """`pages`, to which no file of a visitor comes that is larger than the channel takes."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        found = PLACE.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        if found is None:
            await pages(scope, receive, send)
            return
        kept = doors.kept(found[1])
        door = kept[0] if kept else await sync_to_async(doors.find)(found[1])
        mb = door.settings.file_mb if door is not None else config.MOST_MB
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"").decode("latin-1")
        if not length.isdecimal():
            await _refuse(scope, send, 411, mb)
        elif int(length[:20]) > most(mb):
            await _refuse(scope, send, 413, mb)
        else:
            await pages(scope, receive, send)

    return application


async def _refuse(scope: Any, send: Any, status: int, mb: int) -> None:
    """In words, and without reading what is still on its way: the connection ends."""
    asked = QueryDict(scope.get("query_string", b"")).get("locale", "")
    with translation.override(asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
        told = {"why": "too_large", "text": _("Files may have at most %(mb)s MB.") % {"mb": mb}}
    body = json.dumps(told).encode()
    origin = dict(scope["headers"]).get(b"origin")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
        *([(b"access-control-allow-origin", origin), (b"vary", b"Origin")] if origin else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
