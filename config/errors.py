"""Answers for requests that failed in Rabta itself."""

import sys

import psycopg
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.utils.translation import gettext as _
from django.views.defaults import server_error as plain_server_error

RETRY_AFTER = 5  # seconds
# https://www.postgresql.org/docs/current/errcodes-appendix.html: too many connections, and the server going or coming
PASSING = {"53300", "57P01", "57P02", "57P03"}


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a database that is away or overloaded is a 503 that says when to come back, all else a 500."""
    if is_passing(sys.exception()):
        response = unavailable(request)
        response.headers["Retry-After"] = str(RETRY_AFTER)
        return response
    return plain_server_error(request)


def is_passing(error: BaseException | None) -> bool:
    """Whether a failure lies in reaching the database: no free connection in the pool, or no server."""
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    return isinstance(cause, psycopg.OperationalError) and (cause.sqlstate is None or cause.sqlstate in PASSING)


def unavailable(request: HttpRequest) -> HttpResponse:
    title = _("Rabta cannot reach its database at the moment. Nothing was saved; try again in a few seconds.")
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": title}
        return JsonResponse(problem, status=503, content_type="application/problem+json")
    try:
        return render(None, "503.html", {"text": title}, status=503)  # no request: it would ask the database who asks
    except TemplateDoesNotExist:
        return HttpResponse(title, status=503, content_type="text/plain; charset=utf-8")
