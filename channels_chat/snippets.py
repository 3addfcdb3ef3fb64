"""What a developer copies from a chat's Installation page: with their channel's addresses, and nothing secret in it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from inbox.models import Channel

USER = '{"id": "42", "name": "Ayesha Khan", "email": "ayesha@example.com"}'


@dataclass(frozen=True, slots=True)
class Snippet:
    key: str
    name: str
    code: str


def script(channel: Channel, more: str = "") -> str:
    """The tag that puts the chat into a page."""
    return f'<script src="{settings.BASE_URL}{reverse("chat_script", args=[channel.token])}" async{more}></script>'


def page(channel: Channel) -> str:
    """Address of the chat as a page of its own."""
    return settings.BASE_URL + reverse("chat_page", args=[channel.token])


def signing() -> list[Snippet]:
    """The proof of who is logged in, made on their server: `channels_chat.actions.identify.verify` checks it."""
    python = "import hashlib, hmac\n\nhmac.new(secret.encode(), str(user.id).encode(), hashlib.sha256).hexdigest()"
    node = (
        'import crypto from "node:crypto"\n\ncrypto.createHmac("sha256", secret).update(String(user.id)).digest("hex")'
    )
    ruby = 'require "openssl"\n\nOpenSSL::HMAC.hexdigest("SHA256", secret, user.id.to_s)'
    return [
        Snippet("python", "Python", python),
        Snippet("php", "PHP", 'hash_hmac("sha256", (string) $user->id, $secret)'),
        Snippet("node", "Node", node),
        Snippet("ruby", "Ruby", ruby),
    ]


def identify(channel: Channel) -> list[Snippet]:
    """How a page says who is logged in: in the tag, or later."""
    queue = "window.RabtaQueue = window.RabtaQueue || []\n"
    said = 'RabtaQueue.push(["identify", {id: "42", name: "Ayesha Khan", email: "ayesha@example.com"}, "HMAC"])'
    out = 'RabtaQueue.push(["identify", null])'
    with_user = script(channel, f"\n  data-user='{USER}'\n  data-hmac=\"HMAC\"")
    return [
        Snippet("user-tag", _("In the snippet, written by your server"), with_user),
        Snippet("user-call", _("Or from a script, at log-in"), f"{queue}{said}"),
        Snippet("user-gone", _("At log-out"), f"{queue}{out}"),
    ]


def on_site() -> list[Snippet]:
    """What a site tells of its visitors, and a button of its own."""
    queue = "window.RabtaQueue = window.RabtaQueue || []\n"
    attributes = 'RabtaQueue.push(["attributes", {plan: "gold", cart_value: 5400}])'
    track = 'RabtaQueue.push(["track", "cart", {value: 5400, items: 2}])'
    opens = 'document.querySelector("#help").addEventListener("click", () => RabtaQueue.push(["open"]))'
    locale = 'RabtaQueue.push(["locale", "ur"])'
    hears = (
        'RabtaQueue.push(Rabta => {\n  Rabta.on("message", message => console.log(message.name, message.text))\n'
        '  Rabta.on("unread", count => console.log(count))\n  // ready, open, close, sent, chat, rated, invitation\n})'
    )
    return [
        Snippet("attributes", _("How things are with them"), queue + attributes),
        Snippet("track", _("What happened"), queue + track),
        Snippet("open", _("Open the chat from a button of your own"), queue + opens),
        Snippet("locale", _("Its language, where your page does not say it"), queue + locale),
        Snippet("on", _("Hear what happens in it"), queue + hears),
    ]


def elsewhere(channel: Channel) -> list[Snippet]:
    """In an app's webview, in a frame, and what a strict policy has to allow."""
    webview = script(channel, f'\n  data-mode="page"\n  data-user=\'{USER}\'\n  data-hmac="HMAC"')
    wide = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    frame = f'<iframe src="{page(channel)}" title="Chat" width="400" height="600"></iframe>'
    parts = urlsplit(settings.BASE_URL)
    ours = f"{parts.scheme}://{parts.netloc}"
    policy = f"script-src {ours}; connect-src {ours} {ours.replace('http', 'ws', 1)}; img-src {ours}; frame-src {ours}"
    return [
        Snippet(
            "webview",
            _("In an app's webview, for who is logged in: a page on your server"),
            f'<!doctype html>\n<meta charset="utf-8">\n{wide}\n{webview}',
        ),
        Snippet("frame", _("In a frame"), frame),
        Snippet("policy", _("What a strict Content-Security-Policy has to allow"), policy),
    ]
