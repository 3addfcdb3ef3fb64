"""A bare webhook to measure ours against: it checks a signature over the body and inserts one row.

As ASGI application `same` it has Rabta's own middleware around it, as `plain` none at all.
"""

from __future__ import annotations

import hashlib
import hmac
import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if os.environ.get("BENCH_BARE"):
    settings.ROOT_URLCONF = "tests.bench.bare_hook"
    django.setup()
    if os.environ["BENCH_BARE"] == "plain":
        settings.MIDDLEWARE = []

from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

SECRET = b"bench"
TABLE = "CREATE TABLE bench_hook (id bigserial PRIMARY KEY, raw bytea NOT NULL, at timestamptz NOT NULL DEFAULT now())"


@csrf_exempt
def hook(request: HttpRequest) -> HttpResponse:
    body = request.body
    made = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(made, request.headers.get("X-Signature", "")):
        return HttpResponse(status=403)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_hook (raw) VALUES (%s)", [body])
    return HttpResponse()


urlpatterns = [path("hook/", hook)]
application = ASGIHandler() if os.environ.get("BENCH_BARE") else None
