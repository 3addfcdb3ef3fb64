"""WhatsApp, against its emulator: the settings of a channel, how it is looked after and what it warns of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from channels_social import checks
from inbox import tending
from inbox.actions import reply
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel
from sandbox.phones import chats, whatsapp
from sandbox.phones.models import Account, Person
from tests.channels_social.whatsapp import NUMBER, SECRET, TOKEN, WABA, account, ana, channel, connect, sent, taken_in

__all__ = ["account", "ana", "channel"]


@pytest.mark.servers
def test_it_is_looked_after(channel: Channel, account: Account, sana: Agent) -> None:
    adapter = adapter_for("whatsapp")
    assert account.settings["override_callback_uri"] == checks.hook_url(channel)
    assert channel.condition["number"] == "15550783881"
    assert adapter.warnings(channel) == []
    assert adapter.tend(channel)["subscribed"] is False
    chats.arrange(account, override_callback_uri=None)
    assert adapter.tend(channel)["subscribed"] is True
    chats.arrange(account, missing_permissions=["whatsapp_business_management"])
    channel.condition = {**channel.condition, **adapter.tend(channel)}
    assert "whatsapp_business" in adapter.warnings(channel)[0]
    assert len(channel.condition["templates"]) == 2  # as they were read last
    soon = timezone.now() + timedelta(days=3)
    channel.condition = {"expires_at": soon.isoformat(), "quality": "RED"}
    assert len(adapter.warnings(channel)) == 2
    channel.condition = {"expires_at": (timezone.now() - timedelta(days=1)).isoformat()}
    assert "expired" in adapter.warnings(channel)[0]
    chats.arrange(account, missing_permissions=None, token_state="expired")
    (line,) = adapter.check(channel)
    assert (line.ok, "expired" in str(line.detail)) == (False, True)


@pytest.mark.servers
def test_that_whatsapp_had_stopped_telling_is_told(channel: Channel, account: Account) -> None:
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert (channel.condition["told"], adapter_for("whatsapp").warnings(channel)) == (True, [])
    chats.arrange(account, override_callback_uri=None)
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert "had stopped telling" in adapter_for("whatsapp").warnings(channel)[0]


@pytest.mark.servers
def test_a_revoked_token_stops_the_channel_and_says_so(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    chats.arrange(account, token_state="expired")
    message = sent(channel, reply.reply(ticket, by=sana, text="Hi"))
    channel.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert "token" in channel.out_error
    assert TOKEN not in channel.out_error


def test_settings_are_checked(db: None) -> None:
    adapter = adapter_for("whatsapp")
    good = {"phone_number_id": NUMBER, "waba_id": WABA, "token": TOKEN, "app_secret": SECRET}
    for wrong in ({"phone_number_id": "+351 910"}, {"api_version": "26"}, {"api_url": "ftp://x"}, {"token": ""}):
        assert not adapter.settings_form({**good, **wrong}).is_valid(), wrong
    channel = connect("http://x")
    assert not adapter.settings_form(good).is_valid()  # connected already
    assert adapter.settings_form({**good, "token": "", "app_secret": ""}, channel).is_valid()
    assert adapter.keeps_secret("token", {"waba_id": "1"}, {"waba_id": "1", "name": "x"})
    assert not adapter.keeps_secret("token", {"waba_id": "1"}, {"waba_id": "2"})
    assert not adapter.keeps_secret("token", {}, {"api_url": "https://other.example"})
