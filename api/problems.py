"""Every error of the API as RFC 9457 problem details (`application/problem+json`).

Members: `type`, `title`, `status`, `detail`, `code` (for programs), and `errors` {field: [sentence, ...]} where single
fields are at fault (inner fields dotted: `identity.value`).
"""

import logging
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.utils.log import log_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.errors import UniqueViolation
from rest_framework.exceptions import APIException, ErrorDetail, NotAuthenticated, NotFound, Throttled, ValidationError
from rest_framework.exceptions import PermissionDenied as ScopeDenied
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from inbox.actions.errors import ActionError
from inbox.actions.solving import FieldsMissing
from inbox.files import StoreAway

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5  # what a client is asked to wait while the database is away or all its connections are taken
GENERAL = api_settings.NON_FIELD_ERRORS_KEY


# Codes of actions that another state of the ticket, message or channel would allow.
STATES = {
    "already_left",
    "attachment_gone",
    "closed",
    "ended",
    "erased",
    "fields_missing",
    "filter_gone",
    "gone",
    "in_flight",
    "in_use",
    "last_admin",
    "linked",
    "merged",
    "no_admin",
    "not_merged",
    "opted_out",
    "slug_taken",
    "taken",
    "team_exists",
    "webhook_off",
    "window_closed",
    "written_again",
}


class Conflict(APIException):
    """409: what was asked does not fit what is there now."""

    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"


class Unprocessable(APIException):
    """422: understood, but it cannot be done so."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


class TooLarge(APIException):
    """413: more than this installation takes in one request."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("This is more than is taken in one request.")
    default_code = "too_large"


class PreconditionFailed(APIException):
    """412: the If-Match of the request names an older state."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_code = "changed_meanwhile"


def _writable(text: str) -> str:
    """Without halves of surrogate pairs: JSON may escape them, what repeats them as UTF-8 fails."""
    return text.encode("utf-8", "replace").decode()


def problem(
    status: int,
    *,
    code: str = "",
    detail: str = "",
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem answer. `code` names one of our own problems; without it the HTTP status says all (`about:blank`)."""
    body: dict[str, Any] = {
        "type": f"{settings.BASE_URL}/api/docs/#problem-{code}" if code else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": _writable(detail) or HTTPStatus(status).description,
        "code": code or HTTPStatus(status).phrase.lower().replace(" ", "_"),
    }
    if errors:
        body["errors"] = {_writable(field): [_writable(said) for said in told] for field, told in errors.items()}
    return Response(body, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


def _sentences(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    """(dotted field, sentence) of DRF's nested error detail."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _sentences(inner, path if name == GENERAL else f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list) and inner
            yield from _sentences(inner, f"{path}.{place}" if nested and path else path)
    else:
        yield path, str(detail)


def invalid(detail: Any) -> Response:
    """400 for input that does not validate, each sentence at its field."""
    errors: dict[str, list[str]] = {}
    for field, sentence in _sentences(detail, ""):
        errors.setdefault(field, []).append(sentence)
    general = errors.pop("", [])
    said = " ".join(general) or _("Not accepted: %(fields)s. See errors for what to change.") % {
        "fields": ", ".join(errors)
    }
    return problem(HTTPStatus.BAD_REQUEST, code="invalid", detail=said, errors=errors)


def from_action(error: ActionError) -> Response:
    """An action that could not be done: 409 where the state of things stands against it, 422 where the wish does."""
    status = HTTPStatus.CONFLICT if error.code in STATES else HTTPStatus.UNPROCESSABLE_ENTITY
    errors = None
    if isinstance(error, FieldsMissing):
        errors = {f"attributes.{one.key}": [_("The ticket is not solved without this.")] for one in error.fields}
    return problem(status, code=error.code, detail=str(error.reason), errors=errors)


def taken(error: IntegrityError) -> Response:
    """409: another row has this value already, and there can be only one."""
    named = re.search(r"\((\w+)\)=", getattr(getattr(error.__cause__, "diag", None), "message_detail", None) or "")
    said = _("Something else has this already.")
    return problem(HTTPStatus.CONFLICT, code="taken", detail=said, errors={named[1]: [said]} if named else None)


def unavailable(said: str = "") -> Response:
    """503: the database does not answer, or all its connections are taken; or (`said`) something else is away."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        code="store_unavailable",
        detail=said
        or _(
            "The database is out of reach right now. Please try again shortly; under one Idempotency-Key nothing"
            " happens twice."
        ),
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _from_drf(error: APIException) -> Response:
    headers = {}
    if auth := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth
    if isinstance(error, Throttled):
        wait = int(getattr(error, "wait", None) or 1)
        said = _("Too many requests. Go on in %(seconds)d seconds.") % {"seconds": wait}
        return problem(
            HTTPStatus.TOO_MANY_REQUESTS, code="throttled", detail=said, headers={**headers, "Retry-After": str(wait)}
        )
    if isinstance(error, ValidationError):
        return invalid(error.detail)
    code = error.detail.code if isinstance(error.detail, ErrorDetail) else error.default_code
    said = str(error.detail)
    if isinstance(error, NotAuthenticated):
        said = _("Send a token as “Authorization: Bearer TOKEN”.")
    return problem(error.status_code, code=str(code or ""), detail=said, headers=headers)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: any exception of a view becomes a problem answer."""
    set_rollback()
    if isinstance(error, ActionError):
        return from_action(error)
    if isinstance(error, Http404):
        error = NotFound(_("There is no such thing here, or not for you."))
    elif isinstance(error, PermissionDenied):
        error = ScopeDenied(_("Your role does not allow this."))
    elif isinstance(error, DjangoValidationError):
        error = ValidationError(detail=error.message_dict if hasattr(error, "error_dict") else error.messages)
    if isinstance(error, APIException):
        return _from_drf(error)
    if isinstance(error, IntegrityError) and isinstance(error.__cause__, UniqueViolation):
        return taken(error)
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("no database for %s: %s", context["request"].path, error)
        return unavailable()
    if isinstance(error, StoreAway):
        logger.warning("no storage of files for %s: %s", context["request"].path, error)
        return unavailable(_("The storage of files is out of reach right now. Please try again shortly."))
    # As Django's own handler does, but in the shape that clients of the API parse.
    request = context["request"]._request
    got_request_exception.send(sender=None, request=request)
    answer = problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code="internal",
        detail=_("Something went wrong on our side. It was written to the log."),
    )
    log_response("Internal Server Error: %s", request.path, response=answer, request=request, exception=error)
    return answer
