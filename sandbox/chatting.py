"""The demo's chat: on the pages of its shop, in two languages, with a bit of everything that can be set."""

from __future__ import annotations

from typing import Any

from inbox.actions import channels
from inbox.models import Brand, Channel, Team

SLUG = "shop-chat"
STEPS: list[dict[str, Any]] = [
    {
        "key": "hello",
        "say": {"en": "Hello! What is it about?", "ur": "السلام علیکم! آپ کو کس بارے میں مدد چاہیے؟"},
        "buttons": [
            {"key": "order", "label": {"en": "My order", "ur": "میرا آرڈر"}, "go": "order"},
            {"key": "returns", "label": {"en": "Returns", "ur": "واپسی"}, "go": "returns"},
        ],
    },
    {
        "key": "order",
        "say": {"en": "What is your order number?", "ur": "آپ کا آرڈر نمبر کیا ہے؟"},
        "ask": {"field": "order", "kind": "text", "into": "ticket:order"},
        "go": "@human",
    },
    {
        "key": "returns",
        "say": {
            "en": "You can send anything back within 14 days. The label is in your parcel.",
            "ur": "آپ ۱۴ دن کے اندر کچھ بھی واپس کر سکتے ہیں۔ لیبل آپ کے پارسل میں ہے۔",
        },
        "go": "help",
    },
    {"key": "help", "say": {"en": "Did this help?", "ur": "کیا اس سے مدد ملی؟"}, "helped": True},
]
SETTINGS: dict[str, Any] = {
    "name": "Karvaan shop",
    "languages": ["en", "ur"],
    "colour": "#0f766e",
    "texts": {
        "en": {"title": "Karvaan shop", "greeting": "Salam! Ask us about an order, a delivery, or anything else."},
        "ur": {
            "title": "کاروان شاپ",
            "greeting": "السلام علیکم! آرڈر، ترسیل یا کسی بھی چیز کے بارے میں پوچھیے۔",
        },
    },
    "prechat": [
        {"key": "name", "label": {"en": "Your name", "ur": "آپ کا نام"}},
        {"key": "email", "kind": "email", "label": {"en": "Your e-mail", "ur": "آپ کا ای میل"}},
    ],
    "topics": [
        {"key": "order", "label": {"en": "Order", "ur": "آرڈر"}},
        {"key": "delivery", "label": {"en": "Delivery", "ur": "ترسیل"}},
        {"key": "other", "label": {"en": "Something else", "ur": "کچھ اور"}},
    ],
    "forms": [
        {
            "key": "address",
            "title": {"en": "Where shall it go?", "ur": "کہاں بھیجیں؟"},
            "fields": [
                {"key": "street", "label": {"en": "Street and house", "ur": "گلی اور مکان"}, "required": True},
                {"key": "city", "label": {"en": "City", "ur": "شہر"}, "required": True},
            ],
        }
    ],
    "preview": True,
    "routes": [{"team": "shipping", "topic": "delivery"}],
    "continuity": {"channel": "support", "after": 60},
    "journeys": [
        {
            "key": "checkout",
            "name": "Checkout",
            "start": {"url": "*/checkout*"},
            "done": {"url": "*/thanks*"},
            "stalled": 60,
        }
    ],
    "invitations": [
        {
            "key": "checkout",
            "name": "Help at the checkout",
            "on": True,
            "text": {
                "en": "Questions about your order? We are here.",
                "ur": "آرڈر کے بارے میں کوئی سوال؟ ہم یہاں ہیں۔",
            },
            "all": [],
            "any": [
                {"is": "url", "value": "*/cart*"},
                {"is": "url", "value": "*/checkout*"},
            ],
            "every_hours": 1,
            "most": 0,
            "holdout": 0,
            "agents": False,
            "goal": "checkout",
        }
    ],
    # Off, so that a chat reaches people at once; its steps are there to be tried.
    "flow": {"on": False, "name": {"en": "Karvaan helper", "ur": "کاروان مددگار"}, "start": "hello", "steps": STEPS},
}


def ensure() -> Channel:
    """The demo's chat channel; one that is there stays as people have set it."""
    channel = Channel.objects.filter(slug=SLUG).first()
    if channel is None:
        care, shipping = Team.objects.get(slug="care"), Team.objects.get(slug="shipping")
        brand = Brand.objects.filter(name="Karvaan").first()
        place = channels.Place("Karvaan shop", brand, care, (care, shipping))
        channel = channels.create("chat", SLUG, SETTINGS, by=None, place=place)
    return channel
