"""Examples of webhooks and their deliveries, for the description of the API."""

from __future__ import annotations

from typing import Any

from api.examples import AGENT, AT, CHANNEL, LATER, add

HEALTH = {
    "failing_since": None,
    "failures": 0,
    "error": "",
    "held_until": None,
    "disabled_at": None,
    "disabled_reason": "",
}
WEBHOOK: dict[str, Any] = {
    "id": 7,
    "name": "Warehouse",
    "url": "https://warehouse.example.com/rabta",
    "description": "Stops a parcel when its customer writes.",
    "events": ["ticket.created", "message.received"],
    "channels": [CHANNEL],
    "teams": [],
    "active": True,
    "owner": AGENT,
    "health": HEALTH,
    "old_secret_until": None,
    "last_delivery_at": LATER,
    "created_at": AT,
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ASKED = {
    "name": "Warehouse",
    "url": "https://warehouse.example.com/rabta",
    "events": ["ticket.created", "message.received"],
    "channels": ["support"],
}

add(
    {
        "Webhook": WEBHOOK,
        "NewWebhook": {**WEBHOOK, "secret": SECRET},
        "WebhookIn": ASKED,
        "PatchedWebhookPatch": {"active": False},
        "Secret": {"secret": SECRET, "old_secret_until": LATER},
        "WebhookDelivery": {
            "id": 901,
            "message_id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
            "event": 4711,
            "type": "message.received",
            "state": "delivered",
            "attempts": 1,
            "next_attempt_at": None,
            "status": 204,
            "error": "",
            "response": "",
            "duration_ms": 83,
            "created_at": AT,
            "attempted_at": LATER,
            "done_at": LATER,
        },
    },
    {"webhooks": "Other systems that are told what happens, and what was told to each."},
)
