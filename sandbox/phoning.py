"""The demo's messengers: the shop's bot, numbers and pages on the emulated platforms, and who has written there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from channels_social import checks, graph
from inbox.actions import channels
from inbox.adapters import kinds
from inbox.models import Brand, Channel, Team
from sandbox import reviews
from sandbox.models import Review
from sandbox.phones import chats, facebook, faces, messenger, telegram_acts, twilio_acts, whatsapp
from sandbox.phones.acts import Given
from sandbox.phones.models import Account, Person

PHONES = "/sandbox/phones"
FIELDS = {
    "whatsapp": ["messages"],
    "facebook": [
        "messages", "message_echoes", "message_deliveries", "message_reads", "message_reactions", "message_edits",
        "messaging_postbacks", "messaging_referrals", "feed",
    ],
    "instagram": [
        "messages", "message_reactions", "messaging_postbacks", "messaging_referral", "messaging_seen", "message_edit",
        "comments",
    ],
}  # fmt: skip
TEMPLATES: list[dict[str, Any]] = [
    {
        "id": "901",
        "name": "order_update",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [
            {
                "type": "BODY",
                "text": "Hello {{1}}, there is news about your order {{2}}: {{3}}",
                "example": {"body_text": [["Ayesha", "1042", "it leaves today"]]},
            },
            {"type": "FOOTER", "text": "Karvaan"},
        ],
    },
    {
        "id": "902",
        "name": "order_update",
        "language": "ur",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "محترم {{1}}، آپ کے آرڈر {{2}} کے بارے میں خبر: {{3}}"}],
    },
    {
        "id": "903",
        "name": "are_you_there",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hello {{1}}, may we go on with your question? Just answer here."}],
    },
    {
        "id": "904",
        "name": "new_shawls",
        "language": "en_US",
        "status": "APPROVED",
        "category": "MARKETING",
        "components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "New shawls are here."}],
    },
]


@dataclass(frozen=True, slots=True)
class Place:
    """One account of the shop: how the platform knows it, and the channel that it is in Rabta.

    `says` lets somebody write there, once the account is new.
    """

    kind: str
    slug: str
    name: str
    account: Callable[[], Account]
    settings: Callable[[Account], dict[str, Any]]
    says: Callable[[Account], Any]


def _origin(path: str) -> str:
    return f"{settings.BASE_URL}{PHONES}/{path}"


def _account(platform: str, external_id: str, name: str, secrets: dict[str, Any], kept: dict[str, Any]) -> Account:
    made = {"name": name, "secrets": secrets, "settings": kept}
    return Account.objects.get_or_create(platform=platform, external_id=external_id, defaults=made)[0]


def _telegram() -> Account:
    secrets = {"token": "700100200:AAdemo-karvaan-demo-karvaan-demo-1"}
    return _account("telegram", "700100200", "Karvaan", secrets, {"username": "karvaan_bot"})


def _whatsapp() -> Account:
    kept = {
        "waba_id": "102290129340398",
        "app_id": "555001",
        "display_phone_number": "924235550100",
        "templates": TEMPLATES,
        "coexistence": True,
    }
    secrets = {"token": "EAAdemowhatsapp", "app_secret": "demo-karvaan"}
    return _account("whatsapp", "106540352242922", "Karvaan", secrets, kept)


def _facebook() -> Account:
    secrets = {"token": "EAAdemofacebook", "app_secret": "demo-karvaan"}
    return _account("facebook", "1029384756", "Karvaan", secrets, {"app_id": "555001", "username": "karvaan"})


def _instagram() -> Account:
    secrets = {"token": "IGAdemoinstagram", "app_secret": "demo-karvaan"}
    return _account("instagram", "178414001", "Karvaan", secrets, {"app_id": "555001", "username": "karvaan"})


def _sms() -> Account:
    secrets = {"account_sid": f"AC{'ca4baa' * 5}00", "auth_token": "demo-karvaan-demo-karvaan-demo-1"}
    kept = {"messaging_service_sid": f"MG{'ca4baa' * 5}00"}
    return _account("sms", "+924235550101", "Karvaan", secrets, kept)


def _hamid(account: Account) -> None:
    who = faces.give(telegram_acts.meet(account, "Hamid Raza"))
    telegram_acts.start(account, who, Given())
    telegram_acts.text(account, who, Given(text="Salam! Do you deliver to Gilgit, and how long does it take?"))


def _ayesha(account: Account) -> None:
    who = whatsapp.meet(account, "Ayesha Khan", "+923001234567")
    whatsapp.text(account, who, "السلام علیکم، کیا میرا آرڈر 1042 آج آئے گا؟")


def _maria(account: Account) -> None:
    who = faces.give(messenger.meet(account, "Maria Lopez"))
    messenger.text(account, who, "Do you also have the blue shawl in a larger size?")
    post = facebook.post(account, "New in the shop: shawls from Hunza, woven by hand.")
    facebook.comment(account, messenger.meet(account, "Ayesha Khan"), post, "Beautiful! What does the red one cost?")


def _sofia(account: Account) -> None:
    who = faces.give(messenger.meet(account, "Sofia Rossi", handle="sofia.rossi"))
    messenger.text(account, who, "Ciao! Is the lamp in your story still to be had?")


def _bilal(account: Account) -> None:
    who = twilio_acts.meet(account, "Bilal Ahmed", "+923215550142")
    twilio_acts.text(account, who, Given(text="Please call me about order 1038"))


TELLS = {"show_activity": True}  # that somebody reads and writes is shown, so that one can see it on the phones

PLACES = (
    Place(
        "telegram", "telegram", "Karvaan on Telegram", _telegram,
        lambda one: {"token": one.secrets["token"], "mode": "webhook", "api_url": _origin("telegram"), **TELLS}, _hamid,
    ),
    Place(
        "whatsapp", "whatsapp", "Karvaan on WhatsApp", _whatsapp,
        lambda one: {
            "phone_number_id": one.external_id, "waba_id": one.settings["waba_id"], **one.secrets,
            "api_url": _origin("graph"), **TELLS,
        }, _ayesha,
    ),
    Place(
        "facebook", "facebook", "Karvaan on Facebook", _facebook,
        lambda one: {"page_id": one.external_id, **one.secrets, "api_url": _origin("graph"), **TELLS}, _maria,
    ),
    Place(
        "instagram", "instagram", "Karvaan on Instagram", _instagram,
        lambda one: {"ig_id": one.external_id, **one.secrets, "api_url": _origin("graph"), **TELLS}, _sofia,
    ),
    Place(
        "sms", "sms", "Karvaan by SMS", _sms,
        lambda one: {"number": one.external_id, **one.secrets, "api_url": _origin("twilio")}, _bilal,
    ),
)  # fmt: skip


def ensure() -> list[Channel]:
    """The demo's messengers; what people have set of them stays, but for where the platforms are."""
    found = []
    for place in PLACES:
        if place.kind not in kinds():
            continue
        account = place.account()
        channel = Channel.objects.filter(slug=place.slug).first()
        if channel is None:
            care = Team.objects.get(slug="care")
            where = channels.Place(place.name, Brand.objects.filter(name="Karvaan").first(), care, (care,))
            channel = channels.create(place.kind, place.slug, place.settings(account), by=None, place=where)
            _called(channel, account)
            if not Person.objects.filter(account=account).exists():
                place.says(account)
        else:
            _moved(channel, place.settings(account)["api_url"])
            _called(channel, account)
        found.append(channel)
    if "api" in kinds():
        found.append(_reviews())
    return found


def _reviews() -> Channel:
    """The shop's product pages, as any software is connected; somebody was not content."""
    url = f"{settings.BASE_URL}/sandbox/shop/reviews/hook/"
    channel = reviews.channel()
    if channel is None:
        care = Team.objects.get(slug="care")
        place = channels.Place("Karvaan product reviews", Brand.objects.filter(name="Karvaan").first(), care, (care,))
        given = {"webhook_url": url, "public": "yes"}
        channel = channels.create("api", reviews.SLUG, given, by=None, place=place)
        if not Review.objects.exists():
            said = "The colours are lovely, but it is smaller than I thought. Is there a larger one?"
            Review.objects.create(product="shawl", shopper="shopper-nadia", name="Nadia Hussain", stars=3, text=said)
    elif channel.settings.get("webhook_url", "").endswith("/sandbox/shop/reviews/hook/"):
        channel.settings = {**channel.settings, "webhook_url": url}  # the pages may have another port than before
        channel.save(update_fields=["settings"])
    return channel


def _called(channel: Channel, account: Account) -> None:
    """What the owner of an app fills in at Meta: where it calls, and by which word it knows that it is right."""
    if channel.kind in FIELDS:
        url, word = checks.hook_url(channel), graph.verify_token(channel)
        chats.arrange(account, webhook_url=url, verify_token=word, subscribed_fields=FIELDS[channel.kind])


def _moved(channel: Channel, url: str) -> None:
    """The pages may have another port than at the last start."""
    if channel.settings.get("api_url", "").partition(PHONES)[1] and channel.settings["api_url"] != url:
        channel.settings = {**channel.settings, "api_url": url}
        channel.save(update_fields=["settings"])
