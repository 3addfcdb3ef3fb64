"""`Idempotency-Key` on every POST: the same request again gets the first answer again, and changes nothing twice.

The key's row is written in the same transaction as the change. Of two requests at the same time the second waits on
that row, then gets the first one's answer; after a crash neither the change nor the key is there, and the retry runs.
Errors are not kept: they changed nothing, so the same key may be used for the corrected request.

An answer is given again to the token that got it, while its agent has the same role and still sees what it is about.
Secrets are told once: that answer is not kept, nor is any that may name somebody who was erased.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError, connection, transaction
from django.urls import resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.models import KEPT_FOR, ApiToken, IdempotencyKey
from api.problems import Conflict, Unprocessable
from inbox.actions import erasing, naming
from lib import signing

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_HEADERS = ("Location", "ETag")
WAIT_SECONDS = 10  # how long the second of two simultaneous requests waits for the first
PRUNED_AT_ONCE = 100


def once(request: Request, view: Any, handler: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
    """Run `handler`, of this API view, under the request's key, or give the answer that it gave before."""
    key = request.headers[HEADER]
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise ValidationError({HEADER: [_("Give 1 to 255 printable characters.")]})
    target = f"{request.method} {request.path}"[:300]
    digest = _digest(request)
    with transaction.atomic():
        row, mine = _claim(request, key, target, digest)
        if not mine:
            return _again(row, target, digest, view, kwargs)
        response = handler(request, *args, **kwargs)
        if response.status_code >= 400:
            transaction.set_rollback(True)
            return response
        row.status = response.status_code
        kept = {name: response[name] for name in KEPT_HEADERS if name in response}
        if not view.tells_secret(response.data):
            row.answer = signing.seal([JSONRenderer().render(response.data).decode(), kept, view.agent.role])
        row.save(update_fields=["status", "answer"])
    return response


def _claim(request: Request, key: str, target: str, digest: str) -> tuple[IdempotencyKey, bool]:
    """(the key's row, whether this request is the one to run)."""
    token = request.auth
    assert isinstance(token, ApiToken)
    old = timezone.now() - KEPT_FOR
    expired = IdempotencyKey.objects.filter(created_at__lt=old).select_for_update(skip_locked=True)
    IdempotencyKey.objects.filter(pk__in=expired.values("pk")[:PRUNED_AT_ONCE]).delete()
    IdempotencyKey.objects.filter(token=token, key=key, created_at__lt=old).delete()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])
        row = IdempotencyKey(token=token, key=key, request=target, digest=digest)
        # ON CONFLICT DO NOTHING waits for another transaction that holds the same key, then tells nothing of the row.
        IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Conflict(
                _("A request with this Idempotency-Key is still running. Ask again in a moment."), "still_running"
            ) from error
        raise
    found = IdempotencyKey.objects.get(token=token, key=key)
    return found, found.status == 0


def _again(row: IdempotencyKey, target: str, digest: str, view: Any, named: Mapping[str, Any]) -> Response:
    if row.request != target or row.digest != digest:
        raise Unprocessable(
            _("This Idempotency-Key was used for another request. Take a new key for a new request."), "key_reused"
        )
    if view.lookup_field in named:
        view.sees(named[view.lookup_field])
    answer, headers, role = signing.unseal(row.answer) if row.answer else ("", {}, "")
    if role != view.agent.role:
        raise Conflict(
            _(
                "This was done under this Idempotency-Key before, and its answer is not told again. Look at what is"
                " there, or take a new key to do it once more."
            ),
            "answer_gone",
        )
    if not named and "Location" in headers:  # what was made then
        view.sees(resolve(headers["Location"].removeprefix(settings.BASE_URL)).kwargs[view.lookup_field])
    return Response(json.loads(answer), status=row.status, headers={**headers, REPLAYED: "true"})


@erasing.also
def forget(person: naming.Person) -> None:
    """Any answer may name them, and is sealed: that each was given is known still, but no more what it said."""
    IdempotencyKey.objects.exclude(answer="").update(answer="")


def prune() -> int:
    """Forget keys past their day, answers and all; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _digest(request: Request) -> str:
    """SHA-256 of what the body says; a multipart body is sent with another boundary each time, so its parts count."""
    data = request.data
    if hasattr(data, "lists"):
        data = {name: [_part(value) for value in values] for name, values in data.lists()}
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _part(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    content = hashlib.sha256()
    for chunk in value.chunks():
        content.update(chunk)
    value.seek(0)
    return [value.name, value.content_type, content.hexdigest()]
