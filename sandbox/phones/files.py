"""Files on Meta's servers: kept, fetched from a link, and downloaded by urls that soon expire."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import quote, urlencode, urlsplit

import requests
from django.conf import settings
from django.core.signing import Signer
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lib import http, net
from sandbox.phones import chats, core
from sandbox.phones.models import Account, Media, Platform

SECONDS = {Platform.WHATSAPP.value: 300}  # how long a url is good for; Messenger's and Instagram's for days
OTHERS_SECONDS = 3 * 24 * 3600
PIECE = 64 * 1024


class NotFetched(Exception):
    """A link that the platform could not fetch; the text says why."""


class TooBig(NotFetched):
    """It is there, but larger than the platform takes."""


def keep(
    account: Account, content: bytes, content_type: str, name: str = "", *, size: int | None = None, days: int = 30
) -> Media:
    """Put a file on the platform's servers. `size` may claim more bytes than are kept here."""
    return Media.objects.create(
        account=account,
        external_id=chats.digits(16),
        content=content,
        content_type=content_type[:127],
        name=name[:255],
        size=len(content) if size is None else size,
        expires_at=timezone.now() + timedelta(days=days),
    )


def sha256(media: Media) -> str:
    """The digest as WhatsApp's webhooks give it."""
    return base64.b64encode(hashlib.sha256(bytes(media.content)).digest()).decode()


def base(account: Account) -> str:
    """Where this platform is, for the urls it gives away."""
    return str(account.settings.get("origin") or settings.BASE_URL).rstrip("/")


def url_of(media: Media, *, seconds: int | None = None) -> str:
    """Where the file can be had for a while: WhatsApp's with the account's token only, the others' by anybody."""
    good = SECONDS.get(media.account.platform, OTHERS_SECONDS) if seconds is None else seconds
    until = int(time.time()) + good
    name = quote(media.name or f"{media.external_id}{mimetypes.guess_extension(media.content_type) or ''}")
    query = urlencode({"mid": media.external_id, "ext": until, "hash": _hash(media.external_id, until)})
    return f"{base(media.account)}/sandbox/phones/graph/attachments/{name}?{query}"


def _hash(external_id: str, until: int) -> str:
    return Signer(salt="sandbox.phones.files").signature(f"{external_id}:{until}")


@require_safe
def download(request: HttpRequest, name: str) -> HttpResponseBase:
    """A file by the url that `url_of` gave; 404 once that has expired, 401 without WhatsApp's token."""
    mid, ext = request.GET.get("mid", ""), request.GET.get("ext", "")
    media = Media.objects.select_related("account").filter(external_id=mid).first()
    if media is None or not ext.isdecimal() or _hash(mid, int(ext)) != request.GET.get("hash"):
        return HttpResponse("URL signature mismatch", status=403, content_type="text/plain")
    account = media.account
    if (fault := core.fault(account, "GET download")) is not None and not fault.get("after"):
        core.write_down(account, "GET download", {"mid": mid}, fault.get("status", 500), {})
        return core.answered(fault)
    status = 200
    if int(ext) < time.time():
        status = 404
    elif account.platform == Platform.WHATSAPP:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        good = given and given == account.secrets.get("token") and not account.settings.get("token_state")
        status = 200 if good else 401
    core.write_down(account, "GET download", {"mid": mid}, status, {})
    if status != 200:
        return HttpResponse(status=status)
    response = StreamingHttpResponse(_pieces(media), content_type=media.content_type)
    response["Content-Length"] = str(media.size)
    if media.name:
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(media.name)}"
    return response


def _pieces(media: Media) -> Iterator[bytes]:
    """The content, and zeros up to the size that it claims to have."""
    yield bytes(media.content)
    left = media.size - len(media.content)
    while left > 0:
        yield bytes(min(PIECE, left))
        left -= PIECE


def fetch(account: Account, url: str, most: int, *, days: int = 30) -> Media:
    """Fetch a link into the platform's servers. Raises NotFetched, or TooBig beyond `most` bytes."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise NotFetched("no valid url")
    try:
        with http.Session() as session, session.get(url, stream=True) as response:
            if response.status_code != 200:
                raise NotFetched(f"HTTP code {response.status_code}")
            if int(response.headers.get("Content-Length") or 0) > most:
                raise TooBig(f"more than {most} bytes")
            content = http.body(response, most)
            kind = response.headers.get("Content-Type", "application/octet-stream").split(";")[0].strip()
    except http.TooLarge as error:
        raise TooBig(str(error)) from error
    except (requests.RequestException, net.Refused, OSError, ValueError) as error:
        raise NotFetched(type(error).__name__) from error
    return keep(account, content, kind, PurePosixPath(urlsplit(url).path).name, days=days)
