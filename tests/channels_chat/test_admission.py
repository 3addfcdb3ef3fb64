"""What is asked before a chat is asked of every client, and nothing is that the widget does not ask."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import Any

import pytest

from channels_chat import config, deeds, intake
from channels_chat.doors import Door
from channels_chat.models import Chat, Visitor
from tests.channels_chat.cast import chat_channel

pytestmark = pytest.mark.django_db

NAME = {"key": "name", "label": {"en": "Name"}}
EMAIL = {"key": "email", "kind": "email", "label": {"en": "E-mail"}, "required": True}
ORDER = {"key": "order", "label": {"en": "Order"}, "required": True}
TERMS = {"key": "terms", "kind": "check", "label": {"en": "Terms"}, "required": True}
SECRET = "the shop's own secret of thirty-two signs"


def door(**settings: Any) -> Door:
    channel = chat_channel(**settings)
    return Door(channel, config.of(channel))


def words(**said: Any) -> dict[str, Any]:
    """A first frame as the widget sends it."""
    return {"cid": uuid.uuid4().hex, "visit": uuid.uuid4().hex, "consent": False, "fields": {}, "from": "::1", **said}


def both(shop: Door, **said: Any) -> list[str]:
    """Why the form is not taken, and why a message that comes without it is not."""
    before = Visitor.objects.count()
    met = deeds.start(shop, 0, "en", words(**said))
    refused = [one for one in met.frames if one["t"] == "no"]
    ready = deeds.prepare(shop, 0, "en", words(**said), [])
    assert all(one["text"] and one["cid"] for one in refused)
    assert Visitor.objects.count() - before == len({met.visitor, ready.visitor} - {0})
    return [refused[0]["why"] if refused else "", ready.why]


def test_nobody_begins_without_the_consent_that_is_asked_for() -> None:
    shop = door(consent=True)
    assert both(shop) == ["consent"] * 2
    assert both(shop, consent="yes") == ["consent"] * 2
    assert both(shop, consent=True) == [""] * 2
    assert both(door(name="Other")) == [""] * 2
    assert not Visitor.objects.filter(channel=shop.channel, consented_at__isnull=True).exists()


@pytest.mark.parametrize(
    "fields", [{}, {"order": "4711"}, {"email": "ali@shop.example"}, {"order": " ", "email": "a@b.c"}]
)
def test_nobody_begins_without_the_fields_that_are_required(fields: dict[str, Any]) -> None:
    assert both(door(prechat=[NAME, EMAIL, ORDER]), fields=fields) == ["fields"] * 2


@pytest.mark.parametrize("value", ["ali", "ali@", "ali@shop", "a b@shop.example", 7, True])
def test_an_address_is_one(value: Any) -> None:
    optional = {**EMAIL, "required": False}
    assert both(door(prechat=[optional]), fields={"email": value}) == ["fields"] * 2
    assert both(door(name="Other", prechat=[optional]), fields={"email": ""}) == [""] * 2


def test_what_is_filled_in_is_taken() -> None:
    shop = door(prechat=[NAME, EMAIL, ORDER, TERMS])
    given = {"email": "Ali@shop.example", "order": "4711", "terms": True}
    assert both(shop, fields={**given, "terms": False}) == ["fields"] * 2
    assert both(shop, fields=given) == [""] * 2
    said = words(fields=given, topic="")
    ready = deeds.prepare(shop, 0, "en", said, [])
    assert ready.row is not None
    [took] = intake.take([intake.Said(shop.channel, ready.row, said["cid"], "Hello", meta=ready.meta)])
    assert took is not None
    chat = Chat.objects.get()
    assert (chat.fields, chat.visitor.email) == (given, "ali@shop.example")


def test_what_the_site_says_need_not_be_filled_in() -> None:
    """The widget does not ask for it: whether it is proven, and whether it is any good."""
    shop = door(prechat=[EMAIL, ORDER])
    shop.channel.secrets = {"identity_secret": SECRET}
    shop.channel.save()
    user = {"id": "7", "email": "no address", "order": 4711}
    proof = hmac.new(SECRET.encode(), b"7", hashlib.sha256).hexdigest()
    assert both(shop, user=user) == [""] * 2
    assert both(shop, user=user, hmac=proof, fields={"email": "no address", "order": 4711}) == [""] * 2
    assert both(shop, user={"id": "8", "email": "a@b.example"}, hmac=proof) == ["fields"] * 2


def test_who_has_a_session_is_not_asked_again() -> None:
    """The next chat of somebody who comes back begins without the form; so does one that began before it was set up."""
    shop = door()
    met = deeds.start(shop, 0, "en", words())
    strict = Door(shop.channel, config.read({"consent": True, "prechat": [ORDER]}))
    assert deeds.start(strict, met.visitor, "en", words()).frames == []
    assert deeds.prepare(strict, met.visitor, "en", words(), []).why == ""
