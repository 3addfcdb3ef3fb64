"""What strangers and broken platforms send: nothing of it stops a channel, and nothing unproven is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F
from django.test import Client
from django.utils import timezone

from inbox.actions import receive
from inbox.adapters import adapter_for
from inbox.models import Channel, Message, Receipt, Ticket
from inbox.views import hooks
from lib import signing

GOOD = {
    "message_id": 5, "from": {"id": 1, "first_name": "A"}, "chat": {"id": 1, "type": "private"}, "date": 1760000000,
    "text": "Good",
}  # fmt: skip


@pytest.fixture
def channel(db: None) -> Channel:
    made = Channel(kind="telegram", slug="bot", name="Bot", settings={"mode": "webhook"})
    made.secrets = {"token": "1:x"}
    made.save()
    return made


def post(client: Client, channel: Channel, body: bytes, **headers: str) -> int:
    secret = {"X-Telegram-Bot-Api-Secret-Token": signing.sign("telegram webhook", channel.token)}
    url = f"/hooks/telegram/{channel.token}/"
    return client.post(url, body, "application/json", headers={**secret, **headers}).status_code


def update(number: int, **message: Any) -> bytes:
    return json.dumps({"update_id": number, "message": {**GOOD, "message_id": number, **message}}).encode()


# fmt: off
HOSTILE = [
    b"", b"null", b"[]", b"0", b'"text"', b"{}", b"{", b"\xff\xfe", b"\x00", b"[" * 100_000,
    b'{"update_id":' + b"9" * 5000 + b"}",
    b'{"update_id":null}', b'{"update_id":true}', b'{"update_id":"1"}', b'{"update_id":1.5}', b'{"update_id":{}}',
    b'{"update_id":1}', b'{"update_id":2,"message":null}', b'{"update_id":3,"message":[]}',
    b'{"update_id":4,"message":{}}',
    b'{"update_id":5,"message":{"message_id":1}}', b'{"update_id":6,"edited_message":{}}',
    b'{"update_id":7,"message_reaction":{}}', b'{"update_id":8,"callback_query":{"id":1}}',
    b'{"update_id":9,"nonsense":{}}',
    b'{"update_id":10,"message_reaction":{"user":{"id":1},"new_reaction":"x","chat":7}}',
    update(11, text="a\x00b\ud800c"), update(12, text=["list"]), update(13, text={"a": 1}), update(14, text=7),
    update(15, date="yesterday"), update(16, date=10**30), update(17, date=-1), update(18, date=None),
    update(19, **{"from": {"id": "x" * 5000, "first_name": "y" * 9000}}),
    update(20, chat={"id": {}, "type": "private"}),
    update(21, photo="x"), update(22, photo=[{}]), update(23, photo=[None, 3, {"file_id": 5}]),
    update(24, document=[]),
    update(25, text="x" * 200_000), update(26, location={"latitude": "x"}), update(27, contact={"phone_number": {}}),
    update(28, reply_to_message="x"), update(29, reply_to_message={"message_id": []}),
    update(30, poll={"q": "\x00" * 9}),
    update(31, media_group_id={"x": 1}, caption="c"), update(32, sticker={"file_id": "s", "emoji": {"a": []}}),
    update(33, voice={"file_id": "v", "duration": "long", "file_size": -5, "mime_type": 7}),
    update(34, text="<script>alert(1)</script>", forward_origin={"type": []}), update(35, chat={"id": 1, "type": []}),
    update(36, **{"from": None}), update(37, message_id="x\x00"),
    update(38, unknown={"deep": [[[[[[[[[["x"]]]]]]]]]]}),
]
# fmt: on


def test_hostile_updates_stop_nothing(client: Client, channel: Channel) -> None:
    for body in HOSTILE:
        assert post(client, channel, body) == 200, body[:80]
    assert post(client, channel, update(99, text="Good")) == 200
    receive.take_in_waiting()
    Receipt.objects.update(received_at=F("received_at") - timedelta(hours=1), next_attempt_at=timezone.now())
    receive.take_in_waiting()  # what waited for something to be about
    assert not Receipt.objects.filter(state="new").exists()
    assert Message.objects.filter(text="Good").exists()
    failed = Receipt.objects.filter(state="failed")
    assert 5 < failed.count() < len(HOSTILE)
    assert all(failed.values_list("reason", flat=True))
    for ticket in Ticket.objects.all():
        assert len(ticket.preview) <= 300


def test_what_is_not_proven_leaves_no_trace(client: Client, channel: Channel) -> None:
    right = signing.sign("telegram webhook", channel.token)
    for wrong in (
        "",
        "x",
        right[:-1],
        right + "a",
        right.upper()[:-1],
        "\x00",
        "é" * 16,
        signing.sign("other", channel.token),
    ):
        assert post(client, channel, update(1), **{"X-Telegram-Bot-Api-Secret-Token": wrong}) == 403, wrong
    assert not Receipt.objects.exists()


def test_the_same_number_on_two_channels_is_two_messages(client: Client, channel: Channel) -> None:
    other = Channel(kind="telegram", slug="other", name="Other", settings={"mode": "webhook"})
    other.secrets = {"token": "2:x"}
    other.save()
    for one in (channel, other, channel, other):
        assert post(client, one, update(1)) == 200
    receive.take_in_waiting()
    assert Message.objects.count() == Ticket.objects.count() == 2
    # A quote on one of them never leads into the other's ticket, though the numbers are the same.
    assert post(client, other, update(2, reply_to_message={"message_id": 1, "date": 1})) == 200
    receive.take_in_waiting()
    assert Message.objects.latest("pk").ticket.channel == other


def test_a_database_that_is_away_has_the_platform_tell_it_again(
    client: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(receive, "put", away)
    assert post(client, channel, update(1)) == 503


def test_a_paused_channel_keeps_what_comes(client: Client, channel: Channel) -> None:
    channel.paused = True
    channel.save()
    hooks.forget()
    assert post(client, channel, update(1)) == 200
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("url", ["https://[", "https://api.example.com:x/", "https://api.example.com:99999"])
@pytest.mark.parametrize("kind", ["telegram", "whatsapp", "facebook", "instagram", "sms"])
def test_what_is_no_address_of_an_api_is_told_at_its_field(db: None, kind: str, url: str) -> None:
    form = adapter_for(kind).settings_form({"api_url": url})
    assert not form.is_valid() and "api_url" in form.errors
