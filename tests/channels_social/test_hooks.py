"""What comes to the webhook of each platform: nothing unproven leaves a trace, and nothing proven is answered with 500.

One table for all of them: how each signs, what it says, and what strangers and broken platforms could put in its place.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from channels_social import checks, signatures
from config.asgi import application
from inbox.actions import receive
from inbox.adapters import Adapter, kinds
from inbox.models import Channel, Message, Receipt, Ticket
from inbox.views import hooks as views
from lib import signing, standard_webhooks
from sandbox.phones import hooks

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
Signed = dict[str, str]


@dataclass(frozen=True)
class Far:
    """A platform: `good` is a message by its number as it is told, `sign` gives the headers that prove a body."""

    kind: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    good: Callable[[Channel, int], Any]
    sign: Callable[[Channel, bytes], Signed]
    proof: str  # the header that counts

    def channel(self, slug: str = "one", **settings: Any) -> Channel:
        made = Channel(kind=self.kind, slug=slug, name=slug, settings={**self.settings, **settings})
        made.secrets = self.secrets
        made.save()
        return made

    def body(self, channel: Channel, number: int) -> bytes:
        told = self.good(channel, number)
        return urlencode(told).encode() if self.kind == "sms" else json.dumps(told).encode()

    def post(self, channel: Channel, body: bytes, headers: Signed | None = None) -> int:
        given = self.sign(channel, body) if headers is None else headers
        kind = FORM if self.kind == "sms" else JSON
        path = f"/hooks/{channel.kind}/{channel.token}/"
        return Client(raise_request_exception=False).post(path, body, kind, headers=given).status_code


def telegram(channel: Channel, number: int) -> Any:
    who = {"id": 5550001, "first_name": "Ana"}
    chat = {"id": 5550001, "type": "private"}
    said = {"message_id": number, "from": who, "chat": chat, "date": 1760000000, "text": f"Good {number}"}
    return {"update_id": number, "message": said}


def whatsapp(channel: Channel, number: int) -> Any:
    said = {"from": "351910000001", "id": f"wamid.{number}", "timestamp": "1760000000", "type": "text",
            "text": {"body": f"Good {number}"}}  # fmt: skip
    value = {"metadata": {"phone_number_id": channel.settings["phone_number_id"]}, "messages": [said]}
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}


def meta(channel: Channel, number: int) -> Any:
    own = channel.settings.get("page_id") or channel.settings["ig_id"]
    said = {"sender": {"id": "5550001"}, "recipient": {"id": own}, "timestamp": 1760000000000,
            "message": {"mid": f"m_{number}", "text": f"Good {number}"}}  # fmt: skip
    return {"object": hooks.OBJECTS[channel.kind], "entry": [{"id": own, "time": 1760000000000, "messaging": [said]}]}


def sms(channel: Channel, number: int) -> Any:
    return {"MessageSid": f"SM{number}", "AccountSid": "AC1", "From": "+15550001111", "To": channel.settings["number"],
            "Body": f"Good {number}", "NumMedia": "0", "SmsStatus": "received"}  # fmt: skip


def api(channel: Channel, number: int) -> Any:
    return {"type": "message.created", "id": f"r{number}", "from": {"id": "ali"}, "text": f"Good {number}"}


def by_secret(channel: Channel, body: bytes) -> Signed:
    return {"X-Telegram-Bot-Api-Secret-Token": signing.sign("telegram webhook", channel.token)}


def by_digest(channel: Channel, body: bytes) -> Signed:
    return {"X-Hub-Signature-256": hooks.signature(channel.secrets["app_secret"], body)}


def by_twilio(channel: Channel, body: bytes) -> Signed:
    fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    token = channel.secrets["auth_token"]
    return {"X-Twilio-Signature": signatures.twilio(token, checks.hook_url(channel), fields)}


def by_standard(channel: Channel, body: bytes) -> Signed:
    """Each body in a call of its own, and a repeat in the same."""
    return standard_webhooks.headers([SECRET], f"c-{zlib.crc32(body)}", int(time.time()), body)


FARS = [
    Far("telegram", {"mode": "webhook"}, {"token": "1:x"}, telegram, by_secret, "X-Telegram-Bot-Api-Secret-Token"),
    Far("whatsapp", {"phone_number_id": "106", "waba_id": "102"}, {"token": "t", "app_secret": "s3"}, whatsapp,
        by_digest, "X-Hub-Signature-256"),
    Far("facebook", {"page_id": "1029"}, {"token": "t", "app_secret": "s3"}, meta, by_digest, "X-Hub-Signature-256"),
    Far("instagram", {"ig_id": "1784"}, {"token": "t", "app_secret": "s3"}, meta, by_digest, "X-Hub-Signature-256"),
    Far("sms", {"account_sid": "AC1", "number": "+15550002222"}, {"auth_token": "t"}, sms, by_twilio,
        "X-Twilio-Signature"),
    Far("api", {}, {"signing_secret": SECRET}, api, by_standard, "webhook-signature"),
]  # fmt: skip
OWN = {"whatsapp": {"phone_number_id": "107"}, "facebook": {"page_id": "1030"}, "instagram": {"ig_id": "1785"}}
each = pytest.mark.parametrize("far", FARS, ids=lambda far: far.kind)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.BASE_URL = "https://inbox.example.com"


def test_all_kinds_are_in_the_table() -> None:
    told = {kind for kind, adapter in kinds().items() if adapter.__class__.webhook is not Adapter.webhook}
    assert told - {"chatter"} == {far.kind for far in FARS}


def forged(far: Far, channel: Channel, body: bytes) -> list[Signed]:
    """What may stand where the proof stands: nothing, half of it, another one's, one with a single bit turned."""
    good = far.sign(channel, body)
    right = good[far.proof]
    bent = [right[:place] + chr(ord(right[place]) ^ 1) + right[place + 1 :] for place in range(len(right))]
    other = Far(far.kind, far.settings, {name: "other-" + one for name, one in far.secrets.items()}, far.good, far.sign,
                far.proof)  # fmt: skip
    stranger = Channel(kind=far.kind, slug="x", token="another-token", settings=far.settings)
    stranger.secrets = far.secrets if far.kind == "api" else other.secrets
    theirs = far.sign(stranger, body)[far.proof]
    wrong = ["", " ", "x", right[:-1], right[1:], right[: len(right) // 2], right + "A", right * 2, "é" * 20, "\x00",
             "sha256=", "v1,", "sha1=" + right, right.replace("=", ""), *bent[:: max(len(bent) // 12, 1)]]  # fmt: skip
    wrong = [one for one in wrong if one != right] + ([theirs] if theirs != right else [])
    missing = {name: one for name, one in good.items() if name != far.proof}
    return [missing, {}, *({**good, far.proof: one} for one in wrong)]


@each
def test_what_is_not_proven_leaves_no_trace(far: Far) -> None:
    channel = far.channel()
    body = far.body(channel, 1)
    for headers in forged(far, channel, body):
        assert far.post(channel, body, headers) == 403, headers
    if far.kind != "telegram":  # whose proof is about the channel alone
        for bent in (body + b"x", body[:-1], body.replace(b"Good", b"Bad")):
            assert far.post(channel, bent, far.sign(channel, body)) == 403, bent
    assert not Receipt.objects.exists()
    channel.secrets = {}
    channel.save()
    views.forget()
    for headers in ({}, {far.proof: ""}, {far.proof: "sha256="}):
        assert far.post(channel, body, headers) == 403
    assert not Receipt.objects.exists()


def nested(depth: int) -> str:
    return '{"x":' * (depth // 2) + "[" * (depth // 2) + "]" * (depth // 2) + "}" * (depth // 2)


def hostile(far: Far, channel: Channel) -> list[bytes]:
    """Bodies that nobody means: as such, and (what begins with $) in the place of a good one's text."""
    good = far.body(channel, 7)
    # fmt: off
    found = [
        b"", b" ", b"null", b"true", b"[]", b"{}", b"0", b"-1", b'"text"', b"NaN", b"{", b"[{", b"}", b"{]", b"[1,",
        b"\xff\xfe", b"\x00", b"\x00" * 100, b"\xef\xbb\xbf{}", b"\xed\xa0\x80", b'{"a":"\xff"}', b'"\\ud800"',
        b'{"a":1}' * 2, b"9" * 5000, b"1e99999", b'{"entry":[]}', b'{"object":1,"entry":[{}]}',
        b'{"object":"page","entry":[null,1,[],{"messaging":[null,{}]},{"changes":"x"}]}', b"<xml/>", b"a=b&c", b"%",
        b"&=&",
        b"a=%00%ff%ed%a0%80", b"MessageSid=%00", b"MessageSid=" + b"x" * 5000, good[:-1], good[: len(good) // 2],
        good + good, good[1:], good.replace(b"Good", b"\xff\xfe"), good.replace(b"Good", b"\x00"),
        good.replace(b"Good", b"\xed\xa0\x80"), good.replace(b"Good", b"x" * 200_000),
        b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        *(nested(depth).encode() for depth in (60, 300, 700, 900, 960, 2000)),
    ]
    odd = ["null", "[]", "{}", "1e999", "NaN", "-Infinity", "9" * 4000, "9" * 5000, '"a\\u0000b"', '"\\ud800"',
           '"\\udc00\\ud83d"', '"' + "x" * 150_000 + '"', "true", "[[[[]]]]", '{"id":[]}', "253402300799",
           *map(nested, (60, 300, 700, 800, 900, 930, 960, 980, 2000))]
    # fmt: on
    if far.kind == "sms":
        return found
    told = json.dumps(far.good(channel, 8))
    spots = re.findall(r'"[^"]*"(?=[,}\]])|\b\d+\b(?=[,}\]])', told)
    for place, spot in enumerate(dict.fromkeys(spots)):
        found += [told.replace(spot, one, 1).encode() for one in odd[place % 2 :: 2]]
    return found


@each
def test_no_body_is_answered_with_an_error_of_ours(far: Far) -> None:
    channel = far.channel()
    for body in hostile(far, channel):
        assert far.post(channel, body) in {200, 204, 422, *({403} if far.kind == "sms" else ())}, body[:100]
    assert far.post(channel, far.body(channel, 99)) == 200
    receive.take_in_waiting()
    Receipt.objects.update(received_at=F("received_at") - timedelta(hours=1), next_attempt_at=timezone.now())
    receive.take_in_waiting()  # what waited for something to be about
    assert not Receipt.objects.filter(state="new").exists()
    assert all(Receipt.objects.filter(state__in=["failed", "ignored"]).values_list("reason", flat=True))
    assert Message.objects.filter(text="Good 99").count() == 1
    reasons = set(Receipt.objects.filter(state="failed").values_list("reason", flat=True))
    kinds_of = {one.partition(":")[0] for one in reasons}
    assert kinds_of <= {"ValueError", "JSONDecodeError", "UnicodeDecodeError", "Malformed"}, reasons  # as contracts say


@pytest.mark.parametrize(("kind", "start"), [("whatsapp", "wamid."), ("facebook", "m_"), ("instagram", "m_")])
def test_an_id_however_long_is_one_message(kind: str, start: str) -> None:
    """Longer than the column of what makes a message once, and alike at their beginnings."""
    far = next(one for one in FARS if one.kind == kind)
    channel = far.channel()
    for number in (1, 2, 1):
        long = far.body(channel, number).replace(start.encode(), start.encode() + b"x" * 400)
        assert far.post(channel, long) == 200
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    assert Message.objects.count() == 2


@each
def test_a_call_told_again_is_one_message(far: Far) -> None:
    channel = far.channel()
    body = far.body(channel, 1)
    headers = far.sign(channel, body)
    for _again in range(3):
        assert far.post(channel, body, headers) == 200
    receive.take_in_waiting()
    assert far.post(channel, body, headers) == 200
    receive.take_in_waiting()
    assert Message.objects.count() == Receipt.objects.count() == 1


@each
def test_ids_mean_something_on_their_channel_alone(far: Far) -> None:
    one, other = far.channel(), far.channel("other", **OWN.get(far.kind, {}))
    for channel in (one, other, one, other):
        assert far.post(channel, far.body(channel, 1)) == 200
    receive.take_in_waiting()
    assert Message.objects.count() == Ticket.objects.count() == 2
    assert set(Message.objects.values_list("channel", flat=True)) == {one.pk, other.pk}


async def test_ten_megabytes_are_refused_unread() -> None:
    """Whatever the kind, and before anything is looked up."""
    read, answered = 0, []
    asgi: Any = application

    async def receive_() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1024 * 1024, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message.get("status"))

    for headers in ([], [(b"content-length", str(10 * 1024 * 1024).encode())]):
        scope = {"type": "http", "method": "POST", "path": "/hooks/telegram/x/", "headers": headers}
        read = 0
        await asgi(scope, receive_, send)
        assert read <= 5
    assert answered == [413, None, 413, None]
