"""`/attachments/<id>/` and `/uploads/`: files out and in. What strangers sent never runs here."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from inbox import access, files
from inbox.actions import uploads
from inbox.files import PICTURES, PLAYED
from inbox.models import Agent, Attachment
from inbox.views.shell import AgentRequest, agent_only
from lib.streams import streamed

PIXEL = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


@require_safe
@agent_only
def attachment(request: AgentRequest, pk: int) -> HttpResponse:
    """A file as a download; raster pictures, sound and film are shown in the page when asked for with `show=inline`."""
    found = access.get_attachment(request.user, pk)
    if not found.stored:
        raise Http404  # erased
    inline = request.GET.get("show") == "inline" and found.content_type in PICTURES | PLAYED
    try:
        content = default_storage.open(found.stored)
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        content,
        as_attachment=not inline,
        filename=found.name,
        content_type=found.content_type if inline else "application/octet-stream",
    )
    response.streaming_content = streamed(request, content.chunks())
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response  # type: ignore[return-value]


@require_safe
@agent_only
def photo(request: AgentRequest, pk: int) -> HttpResponse:
    """An agent's picture, for whoever works here."""
    name = Agent.objects.filter(pk=pk).values_list("photo", flat=True).first()
    return _shown(name or "")


@require_safe
@agent_only
def picture(request: AgentRequest, pk: int) -> HttpResponse:
    """A customer's picture, for whoever may see the customer.

    Where there is none (any more), or none for them, the answer is a 404 with one pixel that is seen through: browsers
    draw it in place of the sign of a broken picture, and the initials below it stand there.
    """
    try:
        return _shown(access.get_customer(request.user, pk).picture)
    except Http404:
        return HttpResponse(PIXEL, status=404, content_type="image/gif", headers={"Cache-Control": "no-store"})


def _shown(name: str) -> HttpResponse:
    """A picture of ours, whose address names what is in it. Raises Http404."""
    try:
        content = files.get(name)
    except FileNotFoundError as error:
        raise Http404 from error
    response = picture_of(content)
    response["Cache-Control"] += ", immutable"
    return response


def picture_of(content: bytes) -> HttpResponse:
    """A picture as browsers may show it, and nothing more of it: nothing in it runs, and no other site embeds it."""
    response = HttpResponse(content, content_type=files.picture_type(content) or "application/octet-stream")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=86400"
    return response


@require_POST
@agent_only
def upload(request: AgentRequest) -> HttpResponse:
    """Take one file that a composer will name; answers the piece of the form that names it."""
    file = request.FILES.get("file")
    if file is None:
        return HttpResponse(_("Choose a file."), status=400, content_type="text/plain; charset=utf-8")
    if file.size is None or file.size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return HttpResponse(_("This file is too large."), status=413, content_type="text/plain; charset=utf-8")
    return render(request, "inbox/_upload.html", {"file": _kept(request, file)}, status=201)


def uploaded(request: AgentRequest) -> list[int]:
    """The files that came along with a plain form, as waiting uploads of its agent."""
    return [_kept(request, file).pk for file in request.FILES.getlist("files")]


def _kept(request: AgentRequest, file: UploadedFile[bytes]) -> Attachment:
    name, kind = file.name or "", file.content_type or ""
    return uploads.upload(by=request.user, name=name, content_type=kind, content=file.read())
