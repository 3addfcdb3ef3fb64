"""What the tests of a WhatsApp number share: the number and its templates, who writes there, what is called."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from channels_social import checks
from inbox import delivery
from inbox.actions import receive
from inbox.adapters import adapter_for
from inbox.models import Channel, Message, Receipt, Ticket
from sandbox.phones import core, hooks, whatsapp
from sandbox.phones.models import Account, Person

NUMBER, WABA, TOKEN, SECRET = "106540352242922", "102290129340398", "EAAtoken123", "s3cr3t_app"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
TEMPLATES: list[dict[str, Any]] = [
    {
        "id": "900",
        "name": "order_update",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": "Hello {{1}}, order {{2}} is on its way."},
            {"type": "FOOTER", "text": "Rabta Shop"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]},
        ],
    },
    {
        "id": "901",
        "name": "named",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Order {{order}}"},
            {"type": "BODY", "text": "It comes {{day}}."},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}"}]},
        ],
    },
    {
        "id": "902",
        "name": "picture",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look"}],
    },
    {
        "id": "903",
        "name": "sale",
        "language": "en_US",
        "status": "REJECTED",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Buy"}],
    },
]


def open_number(base: str, number: str = NUMBER, **settings: Any) -> Account:
    return Account.objects.create(
        platform="whatsapp",
        external_id=number,
        name="Rabta Shop",
        secrets={"token": TOKEN, "app_secret": SECRET},
        settings={
            "waba_id": WABA,
            "app_id": "555",
            "display_phone_number": "15550783881",
            "origin": base.removesuffix("/sandbox/phones"),
            "templates": TEMPLATES,
            **settings,
        },
    )


def connect(base: str, number: str = NUMBER, **settings: Any) -> Channel:
    channel = Channel(kind="whatsapp", slug=f"shop-{number}", name="Shop")
    channel.settings = {"phone_number_id": number, "waba_id": WABA, "api_url": f"{base}/graph", **settings}
    channel.secrets = {"token": TOKEN, "app_secret": SECRET}
    channel.save()
    return channel


@pytest.fixture
def account(platforms: str) -> Account:
    return open_number(platforms, require_proof=True)


@pytest.fixture
def channel(platforms: str, account: Account) -> Channel:
    """Connected: it has told WhatsApp where to call, and knows the templates."""
    channel = connect(platforms)
    lines = adapter_for("whatsapp").check(channel)
    assert all(line.ok for line in lines), lines
    account.refresh_from_db()
    return channel


@pytest.fixture
def ana(account: Account) -> Person:
    return whatsapp.meet(account, "Ana Silva", "351910000001", handle="ana.s", country="PT")


def taken_in(account: Account) -> Ticket:
    """What WhatsApp has to tell comes, and is read; the newest ticket."""
    core.push(account)
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return Ticket.objects.latest("pk")


def sent(channel: Channel, message: Message) -> Message:
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    return message


def call(channel: Channel, payload: Any, secret: str = SECRET, **headers: str) -> int:
    body = payload if isinstance(payload, bytes) else hooks.body(payload)
    signed = {"X-Hub-Signature-256": hooks.signature(secret, body), **headers}
    return requests.post(checks.hook_url(channel), data=body, headers=signed, timeout=5).status_code


def envelope(*values: dict[str, Any], number: str = NUMBER, field: str = "messages") -> dict[str, Any]:
    about = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}}
    changes = [{"value": {**about, **one}, "field": field} for one in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}


def refused(code: int, status: int = 400) -> dict[str, Any]:
    return {"method": "POST messages", "status": status, "body": {"error": {"message": f"(#{code}) No", "code": code}}}


def arrange_fault(account: Account, *faults: dict[str, Any]) -> None:
    account.refresh_from_db()
    account.faults = list(faults)
    account.save()
