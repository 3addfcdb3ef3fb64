"""What the tests of an SMS number share: the number, its account at Twilio, who writes there and what is called."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from inbox.actions import receive
from inbox.adapters import adapter_for
from inbox.models import Channel, Receipt, Ticket
from sandbox.phones import core, twilio_acts, twilio_base
from sandbox.phones.models import Account, Person

OURS, ANA = "+15550002222", "+15550001111"
SID, TOKEN = "AC" + "1" * 32, "0123456789abcdef0123456789abcdef"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
NOW = timezone.now()
FORM = "application/x-www-form-urlencoded"


def connect(base: str, account: Account, **settings: Any) -> Channel:
    channel = Channel(kind="sms", slug="sms", name="Shop SMS")
    sid = account.secrets["account_sid"]
    channel.settings = {"account_sid": sid, "number": OURS, "api_url": f"{base}/twilio", **settings}
    channel.secrets = {"auth_token": account.secrets["auth_token"]}
    channel.save()
    return channel


@pytest.fixture
def account(platforms: str, live_server: LiveServer) -> Account:
    found = twilio_base.open_number(OURS, "Shop", sid=SID, token=TOKEN)
    found.settings["origin"] = live_server.url
    found.save()
    return found


@pytest.fixture
def channel(platforms: str, account: Account) -> Channel:
    """Connected, and looked after once: Twilio tells us from now on."""
    channel = connect(platforms, account)
    look_after(channel)
    account.refresh_from_db()
    return channel


@pytest.fixture
def ana(account: Account) -> Person:
    return twilio_acts.meet(account, "Ana Silva", ANA)


def look_after(channel: Channel) -> dict[str, Any]:
    """As it is done now and then."""
    channel.refresh_from_db()
    found = adapter_for("sms").tend(channel)
    channel.condition = {**channel.condition, **found}
    channel.save(update_fields=["condition"])
    return found


def taken_in(account: Account) -> Ticket:
    """Twilio tells what it has to tell; the newest ticket."""
    core.push(account)
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return Ticket.objects.latest("pk")


def fail(account: Account, **fault: Any) -> None:
    """What Twilio answers next in place of taking a message."""
    account.refresh_from_db()
    account.faults = [{"method": "POST Messages", **fault}]
    account.save()


def told(code: int) -> dict[str, Any]:
    return {"code": code, "message": "No.", "more_info": "https://www.twilio.com/docs", "status": 400}


def said(sid: str, text: str, **more: str) -> dict[str, str]:
    form = {"MessageSid": sid, "AccountSid": SID, "From": ANA, "To": OURS, "Body": text, "NumMedia": "0"}
    return {**form, "SmsStatus": "received", **more}


@pytest.fixture
def hooked(db: None, settings: Settings) -> Channel:
    """A channel of which only webhooks come."""
    settings.BASE_URL = "https://inbox.example.com"
    channel = Channel(kind="sms", slug="sms", name="SMS", settings={"account_sid": SID, "number": OURS})
    channel.secrets = {"auth_token": TOKEN}
    channel.save()
    return channel
