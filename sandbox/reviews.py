"""The shop's reviews: any software that has Rabta answer what people write on its pages.

It knows of Rabta what an integrator knows: an address to post to, and a secret that both sides sign with.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import timedelta
from typing import Any

import requests
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from channels_social.checks import hook_url
from inbox import wake
from inbox.models import Channel
from lib import http, standard_webhooks
from sandbox.models import Review, ReviewAnswer
from sandbox.shop_words import PRODUCTS

logger = logging.getLogger(__name__)

SLUG = "reviews"
SHOPPER = "sandbox-shopper"
SHOWN = 50
AGAIN = timedelta(seconds=10)
TRIES = 100


class ReviewForm(forms.Form):
    name = forms.CharField(max_length=80)
    text = forms.CharField(max_length=2000)
    stars = forms.IntegerField(min_value=1, max_value=5, required=False)
    about = forms.IntegerField(required=False)  # the review that this is a comment on


def channel() -> Channel | None:
    return Channel.objects.filter(kind="api", slug=SLUG).first()


def of(product: str) -> dict[str, Any]:
    """The reviews of a product, the latest first, with what was said below each; how good it is on the whole."""
    found = list(
        Review.objects.filter(product=product, about=None).prefetch_related("comments__answers", "answers")[:SHOWN]
    )
    rated = [one.stars for one in found if one.stars]
    return {"reviews": found, "average": round(sum(rated) / len(rated), 1) if rated else None, "places": range(1, 6)}


@require_POST
def write(request: HttpRequest, slug: str) -> HttpResponse:
    """A review, or a comment on one: kept, and told."""
    product = next((one for one in PRODUCTS if one.slug == slug), None)
    form = ReviewForm(request.POST)
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = reverse("sandbox:shop-product", args=[slug])
    if product is None:
        raise Http404
    if not form.is_valid():
        return redirect(f"{back}#reviews")
    given = form.cleaned_data
    about = Review.objects.filter(product=slug, about=None, pk=given["about"] or 0).first()
    if about is None and not given["stars"]:
        return redirect(f"{back}#reviews")
    shopper = request.session.setdefault(SHOPPER, f"shopper-{uuid.uuid4().hex[:12]}")
    stars = None if about else given["stars"]
    made = Review.objects.create(
        product=slug, shopper=shopper, name=given["name"], stars=stars, text=given["text"], about=about
    )
    wake.run("sandbox.tasks.push", [], "social")
    return redirect(f"{back}#r{made.pk}")


def event(review: Review) -> dict[str, Any]:
    """What Rabta is told: a review with what people say below it is one thread."""
    root = review.about or review
    product = next((one for one in PRODUCTS if one.slug == review.product), None)
    page = f"{settings.BASE_URL}{reverse('sandbox:shop-product', args=[review.product])}#r{review.pk}"
    told: dict[str, Any] = {
        "type": "message.created",
        "id": review.key,
        "from": {"id": review.shopper, "name": review.name},
        "text": review.text,
        "thread": {"id": root.key, "title": product.names[0] if product else review.product, "url": page},
        "public": True,
        "at": review.at.isoformat(),
    }
    told["thread"]["kind"] = "review"
    if review.stars:
        told["rating"] = {"value": review.stars, "of": 5}
    if review.about:
        told["in_reply_to"] = review.about.key
    return told


def push() -> int:
    """Tell what is due, oldest first; returns how many were told."""
    due = Review.objects.filter(told_at=None, next_at__lte=timezone.now(), tries__lt=TRIES).order_by("pk")
    waiting = list(due.select_related("about")[:100])
    where = channel() if waiting else None
    if where is None:
        return 0
    told = 0
    with http.Session() as session:
        for review in waiting:
            told += _tell(session, where, review)
    return told


def _tell(session: requests.Session, where: Channel, review: Review) -> int:
    body = json.dumps(event(review)).encode()
    secret = str(where.secrets.get("signing_secret", ""))
    headers = standard_webhooks.headers([secret], f"{review.key}-told", int(time.time()), body)
    review.tries += 1
    review.next_at = timezone.now() + AGAIN
    try:
        answer = session.post(hook_url(where), data=body, headers={"Content-Type": "application/json", **headers})
        if answer.ok:
            review.told_at = timezone.now()
        else:
            logger.warning("a review was not taken: %s %s", answer.status_code, answer.text[:300])
    except (requests.RequestException, OSError) as error:
        logger.warning("a review could not be told: %s", type(error).__name__)
    review.save(update_fields=["tries", "next_at", "told_at"])
    return int(review.told_at is not None)


@csrf_exempt  # who calls is proven by the signature
@require_POST
def hook(request: HttpRequest) -> HttpResponse:
    """Where answers come: each once, below what it answers."""
    where = channel()
    secret = str(where.secrets.get("signing_secret", "")) if where else ""
    try:
        standard_webhooks.verify(secret, request.headers, request.body)
        told = json.loads(request.body)
    except standard_webhooks.Wrong as error:
        return JsonResponse({"detail": str(error)}, status=401)
    except ValueError:
        return JsonResponse({"detail": "This is no JSON."}, status=400)
    if told.get("type") != "message.created":
        return JsonResponse({})
    review = _named(told.get("in_reply_to")) or _named((told.get("thread") or {}).get("id"))
    if review is None:
        return JsonResponse({"detail": "This review is not here any more."}, status=404)
    answer, _made = ReviewAnswer.objects.get_or_create(
        key=str(told["id"])[:60],
        defaults={
            "review": review,
            "author": str(told.get("author", {}).get("name", ""))[:200],
            "text": str(told["text"]),
            "public": bool(told.get("public")),
        },
    )
    return JsonResponse({"external_id": f"answer-{answer.pk}"}, status=201)


def _named(key: Any) -> Review | None:
    number = str(key or "").removeprefix("review-")
    return Review.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 16 else None
