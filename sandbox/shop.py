"""A shop with the chat on it: any customer's site, for the demo and tests. It knows Rabta by its script tag alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from inbox.models import Channel
from sandbox import reviews
from sandbox.shop_words import PRODUCTS, WORDS

CHANNEL = "shop-chat"
AYESHA = {"id": "ayesha-1", "name": "Ayesha Khan", "email": "ayesha.khan@example.com", "plan": "gold"}
LOGGED_IN = "sandbox-shop"


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    return _page(request, "front")


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    found = next((one for one in PRODUCTS if one.slug == slug), None)
    if found is None:
        raise Http404
    return _page(request, "product", slug)


@require_safe
def step(request: HttpRequest, step: str) -> HttpResponse:
    """The cart, the checkout, the thanks."""
    return _page(request, step)


@require_POST
def log_in(request: HttpRequest) -> HttpResponse:
    """In as Ayesha, or out again."""
    if request.POST.get("who") == "ayesha":
        request.session[LOGGED_IN] = True
    else:
        request.session.pop(LOGGED_IN, None)
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if safe else reverse("sandbox:shop"))


@require_safe
def strict(request: HttpRequest) -> HttpResponse:
    """A page with the strictest policy that the widget works under: no inline script, no inline style, no eval."""
    response = _page(request, "front")
    response["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"
    )
    return response


@require_safe
def hostile(request: HttpRequest) -> HttpResponse:
    """A page whose style sheet is against everything that is not its own."""
    return _page(request, "front", hostile=True)


def _page(request: HttpRequest, name: str, slug: str = "", *, hostile: bool = False) -> HttpResponse:
    urdu = request.GET.get("lang") == "ur"
    at = int(urdu)
    spa = request.GET.get("spa") == "1"
    kept = "&".join([*(["lang=ur"] if urdu else []), *(["spa=1"] if spa else [])])
    channel = Channel.objects.filter(kind="chat", slug=CHANNEL, paused=False).first()
    products = [
        {"slug": one.slug, "place": place, "price": one.price, "name": one.names[at], "told": one.told[at]}
        for place, one in enumerate(PRODUCTS, 1)
    ]
    context = {
        "name": name,
        "language": "ur" if urdu else "en",
        "direction": "rtl" if urdu else "ltr",
        "t": {key: words[at] for key, words in WORDS.items()},
        "products": products,
        "product": next((one for one in products if one["slug"] == slug), None),
        "prices": json.dumps({one["slug"]: [one["name"], one["price"]] for one in products}),
        "kept": f"?{kept}" if kept else "",
        "other_language": "?" + "&".join([*([] if urdu else ["lang=ur"]), *(["spa=1"] if spa else [])]),
        "other_way": "?" + "&".join([*(["lang=ur"] if urdu else []), *([] if spa else ["spa=1"])]),
        "spa": spa,
        "hostile": hostile,
        "channel": channel,
        "logged_in": bool(request.session.get(LOGGED_IN)),
        **(reviews.of(slug) if slug else {}),
        **(_identity(channel) if channel and request.session.get(LOGGED_IN) else {}),
    }
    response = render(request, "sandbox/shop.html", context)
    ours = f"ws://{request.get_host()} wss://{request.get_host()}"
    response["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {ours}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def _identity(channel: Channel) -> dict[str, Any]:
    """What the shop's server says of who is logged in, proven under the channel's secret."""
    secret = str(channel.secrets.get("identity_secret", ""))
    if not secret:
        return {}
    return {
        "shopper": json.dumps(AYESHA),
        "hmac": hmac.new(secret.encode(), AYESHA["id"].encode(), hashlib.sha256).hexdigest(),
    }
