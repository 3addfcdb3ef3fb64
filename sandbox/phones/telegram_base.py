"""What Telegram's methods share: an account made, parameters read, lines numbered, files taken, refusals."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from lib import http
from sandbox.phones import core
from sandbox.phones.models import Account, Line, Media, Person
from sandbox.phones.telegram_shapes import FILE_KINDS

MB = 1024 * 1024
MOST_PHOTO, MOST_FILE, MOST_DOWNLOAD = 10 * MB, 50 * MB, 20 * MB
MOST_PHOTO_BY_URL, MOST_FILE_BY_URL = 5 * MB, 20 * MB


class Refused(Exception):
    """An answer that is no success: HTTP status, the description, and what `parameters` says."""

    def __init__(self, status: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters or {}


def bad(text: str) -> Refused:
    return Refused(400, f"Bad Request: {text}")


def open_bot(name: str, username: str, *, bot_id: int = 0) -> Account:
    """A bot as BotFather makes one; its token is in `secrets["token"]`."""
    number = str(bot_id or 7_000_000_000 + random.randbelow(999_999_999))
    return Account.objects.create(
        platform="telegram",
        external_id=number,
        name=name,
        secrets={"token": f"{number}:AA{random.token_urlsafe(25)[:33]}"},
        settings={"username": username},
    )


class Parameters:
    """What a call says: by query, form, JSON or multipart, where nested things may be JSON in a text."""

    def __init__(self, request: HttpRequest) -> None:
        self.values: dict[str, Any] = dict(request.GET.items())
        self.files: dict[str, UploadedFile[Any]] = {}
        if request.content_type == "application/json":
            try:
                body = json.loads(request.body or b"{}")
            except ValueError as error:
                raise bad("can't parse JSON object") from error
            self.values |= body if isinstance(body, dict) else {}
        elif request.method == "POST":
            self.values |= dict(request.POST.items())
            self.files = {key: value for key, value in request.FILES.items() if isinstance(value, UploadedFile)}

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "1", "yes"}

    def json(self, name: str) -> Any:
        """An object or an array, or None where there is none. Raises Refused."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from error

    def asked(self) -> dict[str, Any]:
        """For the list of calls."""
        files = {name: f"({file.name}, {file.size} bytes)" for name, file in self.files.items()}
        return {
            key: value if len(str(value)) < 5000 else f"{str(value)[:5000]}…" for key, value in self.values.items()
        } | files


def add_line(account: Account, person: Person, **more: Any) -> Line:
    """A line with the chat's next message id: those of different chats are alike, as only one chat's are unique."""
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)
        last = Line.objects.filter(account=account, person=person, public=False).order_by("-pk").first()
        number = int(last.external_id) + 1 if last else 1
        return Line.objects.create(account=account, person=person, external_id=str(number), **more)


def chat_of(account: Account, given: Parameters) -> Person:
    """Whom a call is for. Raises Refused as the server does for those who are not there, never came, or left."""
    if not given.text("chat_id"):
        raise bad("chat_id is empty")
    person = Person.objects.filter(account=account, external_id=given.text("chat_id")).first()
    if person is None:
        raise bad("chat not found")
    if person.attributes.get("deactivated"):
        raise Refused(403, "Forbidden: user is deactivated")
    if person.blocked:
        raise Refused(403, "Forbidden: bot was blocked by the user")
    if not person.lines.filter(ours=False).exists():
        raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
    return person


def line_of(account: Account, person: Person, number: str, missing: str) -> Line:
    found = Line.objects.filter(account=account, person=person, external_id=number, deleted_at=None).first()
    if found is None:
        raise bad(missing)
    return found


def not_too_fast(account: Account, person: Person) -> None:
    """The limits that `settings["rate"]` asks for: {"chat": most a second, "bot": most a second, "retry_after": 1}."""
    rate = account.settings.get("rate")
    if not rate:
        return
    recent = Line.objects.filter(account=account, ours=True, at__gt=timezone.now() - timedelta(seconds=1))
    over = recent.count() >= rate.get("bot", 30) or recent.filter(person=person).count() >= rate.get("chat", 1)
    if over:
        wait = int(rate.get("retry_after", 1))
        raise Refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})


def file_of(account: Account, given: Parameters, value: Any, kind: str) -> Media:
    """The file that a parameter names: uploaded (itself or `attach://`), at an address, or known by its id."""
    text = "" if value is None else str(value)
    uploaded = given.files.get(text.removeprefix("attach://")) if text.startswith("attach://") else None
    if uploaded is not None:
        return _uploaded(account, uploaded, kind)
    if text.startswith(("http://", "https://")):
        return _fetched(account, text, kind)
    found = Media.objects.filter(account=account, external_id=text).first()
    if found is None:
        raise bad("wrong file identifier/HTTP URL specified")
    return found


def upload_of(account: Account, given: Parameters, name: str, kind: str) -> Media:
    """The file of a method's own parameter (`photo` of sendPhoto)."""
    if name in given.files:
        return _uploaded(account, given.files[name], kind)
    if not given.text(name):
        raise bad(f"there is no {name.replace('_', ' ')} in the request")
    return file_of(account, given, given.text(name), kind)


def _uploaded(account: Account, file: UploadedFile[Any], kind: str) -> Media:
    size = file.size or 0
    if size > MOST_FILE:
        raise Refused(413, "Request Entity Too Large")
    if kind == "photo" and size > MOST_PHOTO:
        raise bad(f"file of size {size} bytes is too big for a photo; the maximum size is {MOST_PHOTO} bytes")
    if not size:
        raise bad("file must be non-empty")
    prefix = FILE_KINDS[kind]
    return core.keep(
        account, file.read(), file.content_type or "application/octet-stream", file.name or "", prefix=prefix
    )


def _fetched(account: Account, url: str, kind: str) -> Media:
    most = MOST_PHOTO_BY_URL if kind == "photo" else MOST_FILE_BY_URL
    try:
        with http.Session() as session, session.get(url, stream=True) as answer:
            answer.raise_for_status()
            content = http.body(answer, most)
            content_type = answer.headers.get("Content-Type", "application/octet-stream")
    except (requests.RequestException, OSError) as error:
        raise bad("failed to get HTTP URL content") from error
    if kind == "photo" and not content_type.startswith("image/"):
        raise bad("wrong type of the web page content")
    return core.keep(account, content, content_type, url.rpartition("/")[2], prefix=FILE_KINDS[kind])


def may_be_http() -> bool:
    """Whether private networks are allowed here, and with them what Telegram itself would refuse: plain http."""
    return bool(settings.ALLOW_PRIVATE_NETWORKS)
