"""Chats by the API: the same settings, checked alike; the secret is told to nobody."""

from __future__ import annotations

import json

import pytest

from channels_chat.forms import SECRET
from inbox.models import Agent, Channel
from tests.api.conftest import Api
from tests.channels_chat.test_forms import GOOD

pytestmark = pytest.mark.django_db


def test_a_chat_is_connected_and_changed_by_the_api(zoya: Agent) -> None:
    api = Api(zoya, "admin")
    answer = api.post("/channels/", {"kind": "chat", "slug": "shop", "settings": GOOD})
    assert answer.status_code == 201, answer.content
    assert answer.json()["settings"] == GOOD
    channel = Channel.objects.get(slug="shop")
    secret = channel.secrets[SECRET]
    wrong = {**GOOD, "queue": {"offer": 1}, "colours": "red"}
    refused = api.call("PATCH", "/channels/shop/", {"settings": wrong})
    assert refused.status_code == 400
    assert "queue.offer" in json.dumps(refused.json())
    assert "colours" in json.dumps(refused.json())
    changed = api.call("PATCH", "/channels/shop/", {"settings": {"name": "Shop"}})
    assert changed.json()["settings"] == {"name": "Shop"}
    channel.refresh_from_db()
    assert channel.secrets == {SECRET: secret}
    assert secret not in api.get("/channels/shop/").content.decode()
    checked = api.post("/channels/shop/check/", {})
    assert [line["name"] for line in checked.json()["checks"]] == ["Sites", "Live layer", "People"]
