"""Views that fail as the database does when it is away, for test_errors.py."""

import psycopg
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from psycopg_pool import PoolTimeout


def pool_is_empty(request: HttpRequest) -> HttpResponse:
    raise OperationalError("couldn't get a connection") from PoolTimeout("couldn't get a connection")


async def server_is_away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")


def has_a_bug(request: HttpRequest) -> HttpResponse:
    cookies, text = dict(request.COOKIES), request.POST.get("text", "")
    raise ValueError("a bug", len(cookies), len(text))


urlpatterns = [path("pool/", pool_is_empty), path("api/away/", server_is_away), path("bug/", has_a_bug)]
handler500 = "config.errors.server_error"
