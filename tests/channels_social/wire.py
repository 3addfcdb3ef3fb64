"""The emulated platforms without a wire: what Rabta posts is answered in the test's own thread and transaction, unless
the platform is out just then. Every request that leaves is counted. Time passes by moving back what is due.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from django.db.models import F
from django.test import Client
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from inbox import delivery, polling, tending
from inbox.actions import receive
from inbox.models import Channel, Message, Ticket
from lib import http, standard_webhooks
from sandbox.phones import core, messenger, telegram_acts, twilio_acts, twilio_base, whatsapp
from sandbox.phones.acts import Given
from sandbox.phones.models import Account, Line, Person, Told
from sandbox.phones.telegram_base import open_bot
from tests.channels_social import meta

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
HERE = "http://testserver"
PHONES = f"{HERE}/sandbox/phones"
Trouble = Callable[[requests.PreparedRequest], "tuple[int, Any, dict[str, str]] | None"]


def refused(request: requests.PreparedRequest) -> None:
    raise requests.ConnectionError(NewConnectionError(HTTPConnection("x"), "refused"))


def silent(request: requests.PreparedRequest) -> None:
    raise requests.ReadTimeout("no answer")


@dataclass
class Wire:
    """Stands in for the network. `trouble` answers in place of the platform, or raises; None lets all through."""

    trouble: Trouble | None = None
    calls: list[str] = field(default_factory=list)
    far: Callable[[requests.PreparedRequest], tuple[int, bytes]] | None = None  # of addresses that are no emulator's

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        outgoing = not url.path.startswith("/hooks/")
        if outgoing:
            self.calls.append(f"{request.method} {url.path}")
            if self.trouble is not None and (told := self.trouble(request)) is not None:
                return answer(request, *told)
        if outgoing and self.far is not None and not url.path.startswith("/sandbox/"):
            status, content = self.far(request)
            return answer(request, status, content, {})
        headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
        kind = headers.pop("Content-Type", "")
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        path = url.path + (f"?{url.query}" if url.query else "")
        got = Client().generic(str(request.method), path, body, kind, headers=headers)
        content = b"".join(got) if got.streaming else got.content
        return answer(request, got.status_code, content, dict(got.items()))


def answer(request: requests.PreparedRequest, status: int, body: Any, headers: dict[str, str]) -> requests.Response:
    found = requests.Response()
    found.status_code, found.request, found.url = status, request, str(request.url)
    found.headers = CaseInsensitiveDict(headers)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found.raw = io.BytesIO(content)
    found._content, found._content_consumed = content, True  # type: ignore[attr-defined]
    return found


def passes(span: timedelta) -> None:
    """So much time goes by: whatever waits, here and on the platforms, is due so much earlier."""
    earlier: Any = {name: F(name) - span for name in ("next_send_at", "next_poll_at")}
    Channel.objects.update(**earlier)
    for channel in Channel.objects.exclude(condition={}):
        for name, told in channel.condition.items():
            if name in {tending.TENDED, tending.RESTS} and told:
                channel.condition[name] = (datetime.fromisoformat(told) - span).isoformat()
        channel.save(update_fields=["condition"])
    waiting = Message.objects.filter(next_attempt_at__isnull=False)
    waiting.update(next_attempt_at=F("next_attempt_at") - span, trying_since=F("trying_since") - span)
    Told.objects.filter(state="waiting").update(next_at=F("next_at") - span)
    http.rates._until = {key: until - span.total_seconds() for key, until in http.rates._until.items()}


def sweep() -> int:
    """What the workers would do now, each thing once as far as it is due; returns how many messages left."""
    for pk, _kind in polling.due_channels():
        polling.poll(pk)
    for pk, _kind in tending.due_channels():
        tending.tend(pk)
    core.push()
    receive.take_in_waiting()
    return sum(delivery.deliver(pk) for pk, _kind in delivery.due_channels())


class Side:
    """A channel and its far side. People are known by a name, tickets by their writer."""

    KINDS = ("telegram", "whatsapp", "facebook", "instagram", "sms", "api")

    def __init__(self, kind: str, wire: Wire) -> None:
        self.kind = kind
        self.wire = wire
        self.people: dict[str, Person] = {}
        self.taken: list[tuple[str, str]] = []  # by software of one's own
        self.account, self.channel = getattr(self, f"_{kind}")()

    def _telegram(self) -> tuple[Account, Channel]:
        account = open_bot("Shop", "shop_bot", bot_id=700123)
        return account, self._made({"mode": "poll", "api_url": f"{PHONES}/telegram"}, account.secrets)

    def _whatsapp(self) -> tuple[Account, Channel]:
        account = Account.objects.create(
            platform="whatsapp", external_id="106", name="Shop", secrets={"token": "token-w", "app_secret": "s3"},
            settings={"waba_id": "102", "app_id": "555", "display_phone_number": "15550783881", "origin": HERE},
        )  # fmt: skip
        own = {"phone_number_id": "106", "waba_id": "102", "api_url": f"{PHONES}/graph"}
        return account, self._made(own, account.secrets)

    def _facebook(self) -> tuple[Account, Channel]:
        account = meta.open_account(self.kind, PHONES)
        own = "page_id" if self.kind == "facebook" else "ig_id"
        settings = {own: account.external_id, "api_url": f"{PHONES}/graph", "app_id": meta.APP}
        channel = self._made(settings, account.secrets)
        meta.subscribe(channel, account, HERE)
        return account, channel

    _instagram = _facebook

    def _sms(self) -> tuple[Account, Channel]:
        account = twilio_base.open_number("+15550002222", "Shop", sid="AC" + "1" * 32, token="0123456789abcdef" * 2)
        account.settings["origin"] = HERE
        account.save()
        settings = {"account_sid": account.secrets["account_sid"], "number": "+15550002222",
                    "api_url": f"{PHONES}/twilio"}  # fmt: skip
        return account, self._made(settings, {"auth_token": account.secrets["auth_token"]})

    def _api(self) -> tuple[None, Channel]:
        self.wire.far = self._takes
        return None, self._made({"webhook_url": "http://shop.example/rabta"}, {"signing_secret": SECRET})

    def _made(self, settings: dict[str, Any], secrets: dict[str, str]) -> Channel:
        made = Channel(kind=self.kind, slug=self.kind, name=self.kind.title(), settings=settings)
        made.secrets = secrets
        made.save()
        return made

    def _takes(self, request: requests.PreparedRequest) -> tuple[int, bytes]:
        told = json.loads(request.body or b"{}")
        if told["type"] == "message.created":
            self.taken.append((told["to"]["id"], told["text"]))
        return 200, b"{}"

    def subscribed(self) -> Side:
        """Looked after once: the platform tells us of news from now on."""
        tending.tend(self.channel.pk)
        if self.account is not None:
            self.account.refresh_from_db()
        return self

    def says(self, who: str, text: str) -> None:
        """Somebody writes there; it comes with the next sweep."""
        if self.account is None:
            event = {"type": "message.created", "id": f"{who}-{text}", "from": {"id": who}, "text": text}
            body = json.dumps(event).encode()
            headers = standard_webhooks.headers([SECRET], f"c-{who}-{text}", int(time.time()), body)
            url = f"/hooks/api/{self.channel.token}/"
            assert Client().post(url, body, "application/json", headers=headers).status_code == 200
            return
        acts: Any = {"telegram": telegram_acts, "sms": twilio_acts, "whatsapp": whatsapp}.get(self.kind, messenger)
        if who not in self.people:
            phone = f"+1555000{1000 + len(self.people)}"
            self.people[who] = acts.meet(self.account, who, phone if self.kind != "whatsapp" else phone[1:])
        person = self.people[who]
        acts.text(self.account, person, Given(text=text) if self.kind in {"telegram", "sms"} else text)

    def ticket(self, who: str) -> Ticket:
        """The ticket of somebody whose texts begin with their name."""
        return Ticket.objects.filter(channel=self.channel, messages__text__startswith=who, messages__direction="in")[
            :1
        ].get()

    def there(self) -> list[tuple[str, str]]:
        """What of ours the platform has taken: (to whom, text) in its order."""
        if self.account is None:
            return self.taken
        rows = Line.objects.filter(account=self.account, ours=True).order_by("pk")
        return list(rows.values_list("person__name", "text"))
