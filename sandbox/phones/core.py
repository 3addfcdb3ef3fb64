"""What emulated platforms share: calls that are written down, faults on demand, and telling by webhook with retries."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils import timezone

from inbox import wake
from lib import http
from sandbox.phones.models import Account, Call, Media, Told

logger = logging.getLogger(__name__)

KEEP_CALLS = 500  # of an account
RECEIVER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook call as it is about to leave: the body's very bytes, and the headers that the platform adds."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Sender:
    """How a platform tells by webhook; one for each platform, registered in `SENDERS`."""

    def request(self, account: Account, told: Told) -> Request | None:
        """What to send; None where nobody asked to be told."""
        raise NotImplementedError

    def again(self, told: Told, answer: requests.Response | None) -> timedelta | None:
        """After a failed attempt (`answer` None: no connection, or none in time), how long until the next; None: never.

        `told.attempts` counts the failed one.
        """
        raise NotImplementedError

    def took(self, told: Told, answer: requests.Response) -> None:
        """After a successful attempt: what the answer's body asks for (a TwiML `<Message>`), if anything."""


SENDERS: dict[str, Sender] = {}
WORK: list[Callable[[Account | None], object]] = []  # what platforms do by themselves before each push (carry an SMS…)


def write_down(account: Account, method: str, asked: Any, status: int, answer: Any) -> None:
    """Keep a call, and of very many only the latest."""
    call = Call.objects.create(account=account, method=method[:200], asked=asked, status=status, answer=answer)
    Call.objects.filter(account=account, pk__lte=call.pk - KEEP_CALLS).delete()


def origin(account: Account) -> str:
    """Where this machine's emulators are reached, for addresses in what they tell: `settings["origin"]`, or ours."""
    return str(account.settings.get("origin") or settings.BASE_URL).rstrip("/")


@contextmanager
def changing(account: Account) -> Iterator[Account]:
    """The account's row, locked; what the block changes of its settings, secrets and faults is saved, and `account`
    has it, too. Whoever saves a row without this undoes what others have set meanwhile.
    """
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        yield row
        row.save(update_fields=["settings", "secrets", "faults"])
        account.settings, account.secrets, account.faults = row.settings, row.secrets, row.faults


def keep(account: Account, content: bytes, content_type: str, name: str = "", *, prefix: str = "") -> Media:
    """Put a file on the platform's servers, under an id that nobody guesses."""
    return Media.objects.create(
        account=account,
        external_id=f"{prefix}{uuid.uuid4().hex}",
        content=content,
        content_type=content_type[:127],
        name=name[:255],
        size=len(content),
    )


def _meant(asked: Any, method: str) -> bool:
    """Whether a fault's "method" (a name, a pattern as of files, or a list of them; "" any) means this one."""
    if not asked:
        return True
    return any(fnmatchcase(method, one) for one in ([asked] if isinstance(asked, str) else asked))


def fault(account: Account, method: str) -> dict[str, Any] | None:
    """The first fault that stands for this method, used up by one.

    A fault is {"method" ("" any; a name, a pattern or a list of them), "times" (1), "status", "body" (JSON) or "text"
    (+ "type"), "headers"} answered in place of the deed, or {"after": true, …} answered once the deed is done, or with
    "seconds": the answer is held back that long; "cut": the connection ends in the middle of the answer.
    """
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        for number, one in enumerate(row.faults):
            if _meant(one.get("method"), method):
                left = one.get("times", 1) - 1
                row.faults[number : number + 1] = [{**one, "times": left}] if left > 0 else []
                row.save(update_fields=["faults"])
                return dict(one)
    return None


def answered(found: dict[str, Any]) -> HttpResponseBase:
    """The response that a fault asks for."""
    if found.get("seconds"):
        time.sleep(found["seconds"])
    if found.get("cut"):

        def half() -> Iterator[bytes]:
            yield b'{"ok":'
            raise ConnectionAbortedError("as asked")

        cut = StreamingHttpResponse(half(), content_type="application/json")
        cut["Content-Length"] = "1000"
        return cut
    if "text" in found:
        response: HttpResponse = HttpResponse(found["text"], content_type=found.get("type", "text/html"))
        response.status_code = found.get("status", 200)
    else:
        response = JsonResponse(found.get("body", {}), status=found.get("status", 500), safe=False)
    for name, value in found.get("headers", {}).items():
        response[name] = value
    return response


def with_faults(
    account: Account,
    method: str,
    asked: Any,
    deed: Callable[[], tuple[int, Any, Mapping[str, str]]],
    *,
    notable: Callable[[Any], bool] = bool,
) -> HttpResponseBase:
    """Do what a call asks for, unless a fault stands in its way, and write it down if its answer is `notable`.

    `deed` gives status, body and headers.
    """
    found = fault(account, method)
    if found is not None and not found.get("after"):
        write_down(account, method, asked, found.get("status", 500), found.get("body", {}))
        return answered(found)
    status, body, headers = deed()
    if status >= 400 or notable(body):
        write_down(account, method, asked, status, body)
    if found is not None:
        return answered({"status": status, "body": body, **found})
    response = JsonResponse(body, status=status, safe=False)
    for name, value in headers.items():
        response[name] = value
    return response


def tell(account: Account, payload: Any, *, order: str = "", at: datetime | None = None) -> Told:
    """Queue what the platform has to tell; `push` sends it."""
    now = timezone.now()
    wake.run("sandbox.tasks.push", [], "social")
    return Told.objects.create(account=account, payload=payload, order=order[:100], at=at or now, next_at=now)


def push(account: Account | None = None, *, most: int = 1000) -> int:
    """Send what is due by webhook, of one account or of all; returns how many attempts were made."""
    for work in WORK:
        work(account)
    made = 0
    due = Told.objects.filter(state="waiting", next_at__lte=timezone.now()).order_by("pk")
    if account is not None:
        due = due.filter(account=account)
    held: set[tuple[int, str]] = set()
    with http.Session() as session:
        for pk in list(due.values_list("pk", flat=True)[:most]):
            made += _push(session, pk, held)
    return made


def _push(session: requests.Session, pk: int, held: set[tuple[int, str]]) -> int:
    with transaction.atomic():
        # The row alone: whoever is told may well call the platform's API before answering, which writes the account.
        waiting = Told.objects.select_for_update(skip_locked=True, of=("self",)).select_related("account")
        told = waiting.filter(pk=pk).first()
        if told is None or told.state != "waiting" or (told.account_id, told.order) in held:
            return 0
        before = Q(account=told.account, order=told.order, state="waiting", pk__lt=told.pk)
        if told.order and Told.objects.filter(before).exists():
            held.add((told.account_id, told.order))
            return 0
        sender = SENDERS[told.account.platform]
        request = sender.request(told.account, told)
        if request is None:
            return 0
        told.attempts += 1
        answer: requests.Response | None = None
        try:
            answer = session.post(
                request.url, data=request.body, headers=dict(request.headers), timeout=RECEIVER_SECONDS
            )
            told.answer = str(answer.status_code)
        except (requests.RequestException, OSError) as error:
            told.answer = f"{type(error).__name__}: {error}"[:200]
        if answer is not None and 200 <= answer.status_code < 300:
            told.state = "told"
            sender.took(told, answer)
        elif (wait := sender.again(told, answer)) is None:
            told.state = "gone"
        else:
            told.next_at = timezone.now() + wait
            if told.order:
                held.add((told.account_id, told.order))
        told.save(update_fields=["attempts", "answer", "state", "next_at"])
    return 1
