"""Notifications in the browser: Web Push (RFC 8030, 8291 and 8292), sent by a worker through `lib.http`.

The service sees who is told and when, never what: the words are encrypted for the browser.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections import defaultdict
from datetime import timedelta
from email.utils import parseaddr

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from py_vapid import Vapid02, VapidException

from inbox import access, frames, previews, second_factor
from inbox.models import Agent, Notification, NotificationKind, PushSubscription, Setting
from inbox.notify import title
from lib import http, net, signing

logger = logging.getLogger(__name__)

BATCH = 100
TTL = 12 * 3600  # seconds that a service keeps it for a browser that is off
OFFER_TTL = 30  # of a chat that is offered: a moment later somebody else is asked
TOO_OLD = timedelta(hours=1)  # of a queue that stood still: the page tells of it
MOST_FAILURES = 20  # one after another, then a browser is given up
KEY = "vapid"
SECONDS = 10.0


def private_key() -> Vapid02:
    """The key by which push services know this deployment; made once, kept sealed."""
    row = Setting.objects.filter(pk=KEY).first()
    if row is None:
        made = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        row, _created = Setting.objects.get_or_create(pk=KEY, defaults={"value": signing.seal(made.decode())})
    key = Vapid02(private_key=serialization.load_pem_private_key(signing.unseal(row.value).encode(), password=None))
    key.conf["no-strict"] = True  # else it takes no address at a host without a dot, such as a demo's
    return key


def public_key() -> str:
    """What a browser asks its push service for: the key of `private_key` as an uncompressed point, base64url."""
    point = private_key().public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def send_due() -> int:
    """Send what is due, some at a time; returns how many notifications were handled."""
    done = 0
    while taken := _send_batch():
        done += taken
    return done


def _send_batch() -> int:
    # Taken off the list before it is sent: what a dying worker had in hand stands on the page, and nowhere twice.
    with transaction.atomic():
        due = Notification.objects.select_for_update(skip_locked=True, of=("self",)).filter(push_due=True)
        rows = list(due.select_related("ticket", "ticket__customer", "by").order_by("pk")[:BATCH])
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(push_due=False)
    if not rows:
        return 0
    browsers: dict[int, list[PushSubscription]] = defaultdict(list)
    for one in PushSubscription.objects.filter(agent__in={row.agent_id for row in rows}):
        browsers[one.agent_id].append(one)
    agents = {agent.pk: agent for agent in frames.with_sight({row.agent_id for row in rows})}
    locked_out = {pk for pk, agent in agents.items() if second_factor.is_missing(agent)}
    for row in rows:
        agent = agents.get(row.agent_id)
        late = timezone.now() - row.created_at > TOO_OLD
        if agent is None or late or agent.pk in locked_out or not access.sees(agent, row.ticket):
            continue
        for browser in browsers[row.agent_id]:
            _send(browser, message(row, agent, browser.language), urgent=row.kind == NotificationKind.CHAT)
    return len(rows)


def message(row: Notification, agent: Agent, language: str) -> dict[str, str]:
    """What a browser shows: its service worker reads these."""
    with translation.override(language or agent.language or settings.LANGUAGE_CODE):
        subject = "" if row.kind == NotificationKind.CHAT else previews.told(row.ticket.subject)
        return {
            "title": title(row.kind, str(row.by) if row.by else "", row.ticket.customer.name),
            "body": f"#{row.ticket_id} {subject}".strip()[:200],
            "url": reverse("ticket", args=[row.ticket_id]),
            "tag": f"ticket-{row.ticket_id}",
            "language": language or agent.language,
        }


def _send(
    browser: PushSubscription, told: dict[str, str], seconds: float | None = None, *, urgent: bool = False
) -> bool:
    """Hand one to the push service, in SECONDS at most. What is `urgent` is shown now or not at all.

    A browser that took its permission back, or is gone for long, is forgotten.
    """
    from pywebpush import WebPushException, webpush  # here, for few processes send and all would be slower to start

    try:
        # Cut off as a whole, hence no connection kept: an answer that never ends would hold up everybody's mail.
        with net.cut_after(seconds or SECONDS), http.Session() as session:
            webpush(
                {"endpoint": browser.endpoint, "keys": {"p256dh": browser.p256dh, "auth": browser.auth}},
                json.dumps(told),
                vapid_private_key=private_key(),
                vapid_claims={"sub": f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"},
                ttl=OFFER_TTL if urgent else TTL,
                timeout=seconds or SECONDS,
                headers={"Urgency": "high" if urgent else "normal"},
                requests_session=session,
            )
    except WebPushException as error:
        status = error.response.status_code if error.response is not None else 0
        return _failed(browser, gone=status in {404, 410}, why=f"status {status}")
    except (requests.RequestException, net.Refused, OSError, ValueError, VapidException) as error:  # also: no such key
        return _failed(browser, gone=False, why=repr(error))
    PushSubscription.objects.filter(pk=browser.pk).update(failures=0, used_at=timezone.now())
    return True


def _failed(browser: PushSubscription, *, gone: bool, why: str) -> bool:
    logger.info("a push was not sent: %s", why)
    found = PushSubscription.objects.filter(pk=browser.pk)
    if gone or browser.failures + 1 >= MOST_FAILURES:
        found.delete()
    else:
        found.update(failures=F("failures") + 1)
    return False


def test(agent: Agent) -> int:
    """Send a word to the browsers of this agent, the newest first, for some seconds: somebody waits for it.

    Returns how many services took it.
    """
    told = {"title": _("Rabta"), "body": _("Notifications reach this browser."), "url": "/", "tag": "test"}
    sent, until = 0, time.monotonic() + SECONDS
    for browser in PushSubscription.objects.filter(agent=agent).order_by("-pk"):
        if (left := until - time.monotonic()) <= 0:
            break
        sent += _send(browser, told, left)
    return sent
