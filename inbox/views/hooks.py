"""`/hooks/<kind>/<channel-token>/`: where platforms tell us what is new. Verified, stored, answered; read later."""

from __future__ import annotations

import hashlib
import time

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from inbox.actions import receive
from inbox.adapters import RawReceipt, Unverified, kinds
from inbox.models import Channel

PREFIX = "/hooks/"
MOST_BYTES = 4 * 1024 * 1024  # of one call: WhatsApp sends up to 3 MB
KEPT = 3.0  # seconds that changed settings may go unnoticed
MOST_KEPT = 500
_kept: dict[tuple[str, str], tuple[float, Channel | None]] = {}


@csrf_exempt  # who calls is proven by the platform's own signature
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, kind: str, token: str) -> HttpResponse:
    """Take in what a platform tells. 404 for an unknown channel, 403 for a call that is not proven, 200 once all of it
    is stored, 503 where it cannot be: the platform tells it again.
    """
    channel = find(kind, token)
    if channel is None:
        raise Http404
    adapter = kinds()[kind]
    try:
        if request.method == "GET":
            return adapter.handshake(request, channel)
        body = request.body
        try:
            raws, response = adapter.webhook(request, channel, body)
        except ValueError:
            # It is theirs and nobody can read it: kept, to be seen among the channel's failed receipts.
            raws, response = [RawReceipt(body, f"unread:{hashlib.sha256(body).hexdigest()}")], None
        receive.put(channel, raws)
    except Unverified:
        return HttpResponse(status=403)
    except (OperationalError, InterfaceError):
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    return response if response is not None else HttpResponse()


def find(kind: str, token: str) -> Channel | None:
    """The channel of this address, as this process remembers it for some seconds; None where there is none."""
    now = time.monotonic()
    kept = _kept.get((kind, token))
    if kept is not None and kept[0] > now:
        return kept[1]
    if kind not in kinds() or len(token) > 64:
        return None
    channel = Channel.objects.filter(kind=kind, token=token).first()
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[kind, token] = (now + KEPT, channel)
    return channel


def forget() -> None:
    """Ask anew: a channel has changed in this process."""
    _kept.clear()
