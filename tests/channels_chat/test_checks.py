"""What Test connection says of a chat, and what warns of trouble to come."""

from __future__ import annotations

import pytest
from django.test import override_settings

from channels_chat import checks
from channels_chat.adapter import ChatAdapter
from channels_chat.models import Desk
from inbox.models import Agent, Channel, Team
from tests.channels_chat.cast import chosen

pytestmark = pytest.mark.django_db


def failing(channel: Channel) -> dict[str, str]:
    return {line.name: str(line.detail) for line in ChatAdapter().check(channel) if not line.ok}


def test_a_chat_that_works_has_nothing_to_complain_of(shop: Channel, sana: Agent) -> None:
    chosen(shop, origins=["https://shop.example"])
    lines = ChatAdapter().check(shop)
    assert [line.name for line in lines if line.ok] == ["Sites", "Live layer", "People"]
    assert all(str(line.detail) for line in lines)
    assert ChatAdapter().warnings(shop) == []


def test_nobody_takes_chats(shop: Channel, sana: Agent, omar: Agent, team: Team) -> None:
    Desk.objects.create(agent=sana, takes=False)
    assert not failing(shop)
    Desk.objects.create(agent=omar, takes=False)
    assert "People" in failing(shop)
    assert "Nobody takes chats of Shop" in ChatAdapter().warnings(shop)[0]
    elsewhere = Team.objects.create(name="Elsewhere", slug="elsewhere")
    Desk.objects.all().delete()
    shop.teams.add(elsewhere)
    assert "People" in failing(shop)


def test_the_mailbox_that_answers_go_on_from(shop: Channel, sana: Agent, support: Channel) -> None:
    chosen(shop, continuity={"channel": "support", "after": 60})
    [told] = failing(shop).values()
    assert "Support" in told  # it has no SMTP server
    assert ChatAdapter().warnings(shop) == [told]
    support.settings |= {"smtp": {"host": "smtp.example.org", "port": 587, "security": "starttls"}}
    support.save()
    assert not failing(shop)
    support.paused = True
    support.save()
    assert "paused" in checks.mailbox_trouble(shop)
    support.delete()
    assert "gone" in checks.mailbox_trouble(shop)


def test_routes_that_lead_nowhere(shop: Channel, sana: Agent) -> None:
    Team.objects.create(name="Empty", slug="empty")
    chosen(shop, routes=[{"team": "empty"}, {"team": "gone"}, {"team": "support", "topic": "weather"}])
    told = " ".join(ChatAdapter().warnings(shop))
    assert "“Empty”, which has no members" in told
    assert "“gone”, which is gone" in told
    assert "“weather”" in told
    assert "Support" not in told


def test_a_broken_live_layer_and_a_broken_site_say_what_to_do(shop: Channel, sana: Agent) -> None:
    chosen(shop, origins=["shop.example/path"])
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]}}
    with override_settings(CHANNEL_LAYERS={"default": layer}):
        told = failing(shop)
    assert "Redis" in told["Live layer"]
    assert "shop.example/path" in told["Sites"]
