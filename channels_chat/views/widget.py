"""What a visitor's browser asks for over HTTP: the script, the full page, files in and out. Nothing else is needed.

These answers are for pages of other sites: they know no cookie and no agent, and say so in their headers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from channels_chat import bodies, bundle, doors, uploads
from channels_chat.actions import visitors
from channels_chat.doors import Door
from channels_chat.models import Visitor
from channels_chat.shades import shades
from channels_chat.words import words
from inbox import files, sniffing
from inbox.actions.uploads import upload as keep
from lib.streams import streamed

P = ParamSpec("P")
MOST_UPLOADS = 20  # of one visitor in a minute
RIGHT_TO_LEFT = {"ar", "fa", "he", "ps", "sd", "ug", "ur"}


def for_chats(
    view: Callable[Concatenate[HttpRequest, Door, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
    """Decorator: `token` becomes the chat channel that is open under it; a 404 where there is none, or it is paused."""

    @wraps(view)
    def found(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        door = doors.find(token)
        if door is None:
            raise Http404
        return view(request, door, *args, **kwargs)

    return found  # type: ignore[return-value]  # positional by Django's custom


@require_safe
@for_chats
def script(request: HttpRequest, door: Door) -> HttpResponse:
    """The widget, ready for this channel. Browsers keep it some minutes, and look for a new one while they use it."""
    plain, zipped, etag = bundle.script(door.channel)
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        gzipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(zipped if gzipped else plain, content_type="text/javascript; charset=utf-8")
        if gzipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300, stale-while-revalidate=86400"
    response.for_everybody = True  # type: ignore[attr-defined]  # `Vary`: channels_chat.middleware
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@xframe_options_exempt
@for_chats
def page(request: HttpRequest, door: Door) -> HttpResponse:
    """The chat as a page of its own: for links and for webviews of apps. `?locale=ur` names the language."""
    chat = door.settings
    asked = request.GET.get("locale", "") or translation.get_language_from_request(request)
    language = asked if asked in chat.languages else chat.languages[0]
    context = {
        "channel": door.channel,
        "chat": chat,
        "language": language,
        "direction": "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr",
        "title": words(chat, language)["title"],
        "fill": shades(chat.colour)["fill"],
    }
    response = render(request, "channels_chat/page.html", context)
    ours = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    # Without a list every page may hold it, an app's with a scheme of its own too, which `*` would leave out.
    frames = " ".join(["; frame-ancestors 'self'", *chat.origins]) if chat.origins else ""
    response["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'; connect-src 'self' {ours}; img-src 'self'; form-action 'none'; "
        f"base-uri 'none'{frames}"
    )
    response["Cache-Control"] = "no-cache"
    return response


@csrf_exempt  # a session key in a header is what opens this, and no site can make a browser send it
@for_chats
def upload(request: HttpRequest, door: Door) -> HttpResponse:
    """Keep a visitor's file until a message names it. Answers what names it, or why it was not taken, in words."""
    origin = request.headers.get("Origin", "")
    if not door.admits(origin):
        return JsonResponse({"why": "origin", "text": _("This chat is not open on this site.")}, status=403)
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "X-Rabta-Key"
        response["Access-Control-Max-Age"] = "86400"
    elif request.method == "POST":
        language = request.GET.get("locale", "")
        with translation.override(language if language in dict(django_settings.LANGUAGES) else None):
            response = _taken(request, door)
    else:
        response = HttpResponse(status=405, headers={"Allow": "OPTIONS, POST"})
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        patch_vary_headers(response, ("Origin",))
    response["Cache-Control"] = "no-store"
    return response


def _taken(request: HttpRequest, door: Door) -> JsonResponse:
    chat = door.settings
    visitor = visitors.known(door.channel, request.headers.get("X-Rabta-Key", ""))
    if visitor is None:
        return _refused(403, "key", _("Your chat is not known here any more. Load the page again."))
    if not chat.files:
        return _refused(403, "off", _("This chat takes no files."))
    most = chat.file_mb * 1024 * 1024
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length[:20]) > bodies.most(chat.file_mb):  # as the web process says before
        return _refused(413, "too_large", _("Files may have at most %(mb)s MB.") % {"mb": chat.file_mb})
    if not _within(visitor):
        return _refused(429, "flood", _("That was a lot of files. Try again in a minute."))
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or not file.size:
        return _refused(400, "empty", _("This file is empty."))
    if file.size > most:
        return _refused(413, "too_large", _("Files may have at most %(mb)s MB.") % {"mb": chat.file_mb})
    content = file.read()
    kind = sniffing.kind_of(content, file.name or "", file.content_type or "")
    if kind is None:
        return _refused(415, "kind", _("Files of this kind are not taken here."))
    try:
        row = keep(by=None, name=file.name or "file", content_type=kind, content=content)
    except files.StoreAway:
        return _refused(503, "away", _("Files cannot be stored at present. Try again in a moment."))
    answer = {
        "file": uploads.token_of(visitor, row),
        "name": row.name,
        "type": kind,
        "size": row.size,
        "image": kind in files.PICTURES,
    }
    return JsonResponse(answer, status=201)


def _refused(status: int, why: str, text: str) -> JsonResponse:
    return JsonResponse({"why": why, "text": text}, status=status)


def _within(visitor: Visitor) -> bool:
    """Whether this visitor may send another file in this minute; it is counted."""
    key = f"chat-uploads-{visitor.pk}"
    cache.add(key, 0, 60)
    try:
        return int(cache.incr(key)) <= MOST_UPLOADS
    except ValueError:  # the minute ended in between
        return True


@require_safe
@for_chats
def file(request: HttpRequest, door: Door, signed: str) -> HttpResponse:
    """A file under a signed address: shown if its bytes are a picture's, else a download that runs nowhere."""
    found = uploads.fetched(door.channel, signed)
    if found is None:
        raise Http404
    try:
        content = default_storage.open(found.stored)
    except FileNotFoundError as error:
        raise Http404 from error
    kind = files.picture_type(content.read(16))
    content.seek(0)
    response = FileResponse(
        content, as_attachment=not kind, filename=found.name, content_type=kind or "application/octet-stream"
    )
    response.streaming_content = streamed(request, content.chunks())
    return _for_strangers(response)  # type: ignore[arg-type]


@require_safe
@for_chats
def face(request: HttpRequest, door: Door, signed: str) -> HttpResponse:
    """An agent's picture, for those whom they answer."""
    try:
        content = files.get(uploads.photo_of(door.channel, signed))
    except FileNotFoundError as error:
        raise Http404 from error
    kind = files.picture_type(content)
    if not kind:
        raise Http404
    return _for_strangers(HttpResponse(content, content_type=kind))


def _for_strangers(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # pages of other sites show it
    response["Cache-Control"] = "private, max-age=43200"
    return response
