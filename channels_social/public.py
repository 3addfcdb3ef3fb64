"""Files of our messages for platforms that fetch them by an address: signed, good for a day, and never run anywhere."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from inbox import files
from inbox.models import Attachment, Direction
from lib.streams import streamed

SECONDS = 24 * 3600  # that an address is good for
HEAD = 16  # bytes that tell a picture
# What platforms want to see called by its name, and what no browser runs.
NAMED = ("audio/", "video/", "application/pdf", "text/vcard", "text/x-vcard", "text/csv", "text/calendar", "text/rtf")


def reachable() -> bool:
    """Whether a platform can be expected to call us at all, by what we know of our own address."""
    return settings.BASE_URL.startswith("https://") or bool(settings.ALLOW_PRIVATE_NETWORKS)


def url_of(file: Attachment) -> str:
    """Where anybody who has this address can fetch the file for a day."""
    return settings.BASE_URL + reverse("public-file", args=[_signer().sign(str(file.pk))])


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="channels_social.public")


@require_safe
def file(request: HttpRequest, signed: str) -> HttpResponse:
    """A file of a message of ours, by the address that `url_of` gave; 404 once that has expired."""
    try:
        number = int(_signer().unsign(signed, max_age=SECONDS))
    except (BadSignature, ValueError) as error:
        raise Http404 from error
    found = Attachment.objects.filter(pk=number, message__direction=Direction.OUT).exclude(stored="").first()
    if found is None:
        raise Http404  # erased, or taken back
    try:
        picture = files.picture_type(files.get(found.stored, HEAD))
        content = default_storage.open(found.stored)
    except FileNotFoundError as error:
        raise Http404 from error
    kind = picture or (found.content_type if found.content_type.startswith(NAMED) else "application/octet-stream")
    response = FileResponse(content, as_attachment=not picture, filename=found.name, content_type=kind)
    response.streaming_content = streamed(request, content.chunks())
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, no-store"
    return response  # type: ignore[return-value]
