"""Files that platforms keep: fetched to a size, within a time, and taken for what their bytes are."""

from __future__ import annotations

import mimetypes

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from channels_social import errors
from inbox import sniffing
from inbox.adapters import InboundFile, NotFetched, RemoteMedia
from lib import http

SECONDS = 60.0  # for one file in all
SEEN_AND_HEARD = {"image", "audio", "video"}


def most_bytes() -> int:
    return int(settings.MEDIA_MAX_MB) * 1024 * 1024


def download(
    session: requests.Session,
    url: str,
    media: RemoteMedia,
    *,
    headers: dict[str, str] | None = None,
    gone: frozenset[int] = frozenset({404, 410}),
) -> InboundFile:
    """Fetch one file. A page in place of a picture is no picture: it is not kept. Raises NotFetched."""
    most = most_bytes()
    if media.size > most:
        raise NotFetched(too_large(media.size), permanent=True)
    try:
        status, content, claimed = http.download(session, url, most=most, seconds=SECONDS, headers=headers)
    except (requests.RequestException, OSError, ValueError) as error:
        raise errors.of_download(error) from error
    if status in gone:
        raise NotFetched(_("The platform has this file no more."), permanent=True)
    if status != 200:
        raise NotFetched(
            _("The platform did not give this file (%(status)s). It is tried again.") % {"status": status},
            permanent=False,
        )
    return as_file(content, media, claimed)


def as_file(content: bytes, media: RemoteMedia, claimed: str = "") -> InboundFile:
    """What was fetched, by its bytes. Raises NotFetched for a web page where there should be a picture or sound."""
    wanted = (media.content_type or claimed).split(";")[0].strip().lower()
    kind = sniffing.kind_of(content, media.name, wanted)
    if kind is None:
        raise NotFetched(_("This file is a program, and was not kept."), permanent=True)
    if kind == sniffing.UNKNOWN and wanted.split("/")[0] in SEEN_AND_HEARD and _is_page(content):
        raise NotFetched(_("The platform gave a web page in place of this file."), permanent=False)
    if not content and wanted.split("/")[0] in SEEN_AND_HEARD:
        raise NotFetched(_("The platform gave an empty file. It is tried again."), permanent=False)
    return InboundFile(name_of(media, kind), kind, content)


def _is_page(content: bytes) -> bool:
    head = content[:1024].lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html", b"<?xml", b"{"))


def name_of(media: RemoteMedia, kind: str) -> str:
    """A name to offer for download: the sender's, or one by what it is."""
    given = "".join(one for one in media.name.replace("\\", "/").rsplit("/", 1)[-1] if one.isprintable()).strip(". ")
    if given:
        return given[-200:]
    ending = {"image/jpeg": ".jpg", "audio/ogg": ".ogg"}.get(kind) or mimetypes.guess_extension(kind) or ""
    return f"{kind.split('/')[0]}{ending}"


def too_large(size: int) -> str:
    return _("This file has %(mb)s MB, which is more than Rabta takes (%(most)s MB).") % {
        "mb": size // (1024 * 1024),
        "most": settings.MEDIA_MAX_MB,
    }
