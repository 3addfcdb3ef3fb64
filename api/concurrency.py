"""ETag, If-Match and If-None-Match (RFC 9110): nobody overwrites what they have not seen."""

import hashlib
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import PreconditionFailed


def etag_of(data: Any) -> str:
    """A strong validator of one representation."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


def answer(request: Request, data: Any) -> Response:
    """The representation with its ETag; 304 without a body when the client has it already."""
    etag = etag_of(data)
    if request.method in {"GET", "HEAD"}:
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if "*" in known or etag in {tag.removeprefix("W/") for tag in known}:
            return Response(status=304, headers={"ETag": etag})
    return Response(data, headers={"ETag": etag})


def require_match(request: Request, data: Any) -> None:
    """Raises PreconditionFailed when the request's If-Match names another state than `data`, the one under lock."""
    known = parse_etags(request.headers["If-Match"])
    if "*" not in known and etag_of(data) not in known:
        raise PreconditionFailed(
            _("This was changed in the meantime. Read it again, then decide."), "changed_meanwhile"
        )
