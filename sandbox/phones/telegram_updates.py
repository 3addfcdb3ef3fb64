"""What Telegram tells a bot: updates with their numbers, by long poll or by webhook."""

from __future__ import annotations

import json
import re
import time
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from sandbox.phones import core
from sandbox.phones.models import Account, Told
from sandbox.phones.telegram_base import Parameters, Refused, bad, may_be_http

NOT_UNASKED = {"chat_member", "message_reaction", "message_reaction_count"}
FIRST_UPDATE = 870_000_001
LIVES = timedelta(hours=24)  # an update that nobody fetched
LONGEST_POLL = 10.0  # seconds; the real server's 50 would hold a thread of ours for each bot
LOOK_EVERY = 0.2
PORTS = {80, 88, 443, 8443}


def tell(account: Account, kind: str, content: dict[str, Any], chat: str, *, at: datetime | None = None) -> Told | None:
    """Queue an update ("message", "edited_message"…); None where the bot has not asked for its kind."""
    now = account_now(account).settings
    allowed = now.get("allowed_updates")
    if kind not in allowed if allowed else kind in NOT_UNASKED:
        return None
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        last = Told.objects.filter(account=account).order_by("-pk").first()
        number = last.payload["update_id"] + 1 if last else FIRST_UPDATE
        told = core.tell(account, {"update_id": number, kind: content}, order=chat, at=at)
        if not now.get("webhook"):  # it waits for a poll, and is no work for `push` until a webhook is set
            told.next_at = told.at + LIVES
            told.save(update_fields=["next_at"])
        return told


def account_now(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def waiting(account: Account) -> QuerySet[Told]:
    return Told.objects.filter(account=account, state="waiting", at__gt=timezone.now() - LIVES).order_by("pk")


def _wanted(given: Parameters) -> list[str] | None:
    found = given.json("allowed_updates")
    if found is not None and not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
        raise bad("can't parse allowed_updates: expected an array of strings")
    return found


def get_updates(account: Account, given: Parameters) -> list[Any]:
    """Wait for updates up to `timeout`. Raises Refused (409) where a webhook is set or another poller comes."""
    me = uuid.uuid4().hex
    with core.changing(account) as row:
        if row.settings.get("webhook"):
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        row.settings["poller"] = me
        wanted = _wanted(given)
        if wanted is not None:
            row.settings["allowed_updates"] = wanted
    _forget(account, given.number("offset"))
    most = min(max(given.number("limit", 100), 1), 100)
    until = time.monotonic() + min(max(given.number("timeout"), 0), LONGEST_POLL)
    while not (found := [told.payload for told in waiting(account)[:most]]) and time.monotonic() < until:
        if not connection.in_atomic_block:
            connection.close()  # a waiting poll keeps no other request from its turn at the database
        time.sleep(LOOK_EVERY)
        if account_now(account).settings.get("poller") != me:
            raise Refused(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
    return found


def _forget(account: Account, offset: int) -> None:
    """What lies below the offset is confirmed; a negative one leaves so many of the last."""
    told = waiting(account)
    if offset > 0:
        told.filter(payload__update_id__lt=offset).update(state="told")
    elif offset < 0:
        kept = list(told.order_by("-pk").values_list("pk", flat=True)[:-offset])
        told.exclude(pk__in=kept).update(state="told")


def set_webhook(account: Account, given: Parameters) -> str:
    """Returns the description. Raises Refused."""
    url = given.text("url")
    if not url:
        return delete_webhook(account, given)
    secret = given.text("secret_token")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
        raise bad("secret token contains unallowed characters" if len(secret) <= 256 else "secret token is too long")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and may_be_http()):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS and not may_be_http():
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    wanted = _wanted(given)
    webhook = {"url": url, "secret_token": secret, "max_connections": given.number("max_connections", 40)}
    with core.changing(account) as row:
        if wanted is not None:
            row.settings["allowed_updates"] = wanted
        same = (row.settings.get("webhook") or {}).get("url") == url
        row.settings["webhook"] = webhook
        row.settings.pop("poller", None)
    if given.flag("drop_pending_updates"):
        waiting(account).update(state="dropped")
    waiting(account).update(next_at=timezone.now())
    return "Webhook is already set" if same else "Webhook was set"


def delete_webhook(account: Account, given: Parameters) -> str:
    with core.changing(account) as row:
        was = row.settings.pop("webhook", None)
    if given.flag("drop_pending_updates"):
        waiting(account).update(state="dropped")
    return "Webhook was deleted" if was else "Webhook is already deleted"


def webhook_info(account: Account, given: Parameters) -> dict[str, Any]:
    row = account_now(account)
    webhook = row.settings.get("webhook") or {}
    found = {
        "url": webhook.get("url", ""),
        "has_custom_certificate": False,
        "pending_update_count": waiting(account).count(),
    }
    for name in ("last_error_date", "last_error_message", "max_connections"):
        if webhook.get(name):
            found[name] = webhook[name]
    if row.settings.get("allowed_updates"):
        found["allowed_updates"] = row.settings["allowed_updates"]
    return found


class Webhook(core.Sender):
    """One update a call, the secret in a header; a failure is tried again until the update is a day old."""

    def request(self, account: Account, told: Told) -> core.Request | None:
        webhook = account.settings.get("webhook")
        if not webhook:
            return None
        headers = {"Content-Type": "application/json"}
        if webhook.get("secret_token"):
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook["secret_token"]
        return core.Request(webhook["url"], json.dumps(told.payload, separators=(",", ":")).encode(), headers)

    def again(self, told: Told, answer: requests.Response | None) -> timedelta | None:
        now = timezone.now()
        said = f"Wrong response from the webhook: {answer.status_code} {answer.reason}" if answer is not None else ""
        with core.changing(told.account) as row:
            webhook = row.settings.get("webhook") or {}
            webhook["last_error_date"] = int(now.timestamp())
            webhook["last_error_message"] = said or f"Connection failed: {told.answer}"[:200]
            since = (
                webhook.setdefault("gone_since", now.timestamp())
                if answer is not None and answer.status_code == 410
                else None
            )
            if since is None:
                webhook.pop("gone_since", None)
            elif now.timestamp() - since > 23 * 3600:
                row.settings.pop("webhook", None)
        if told.at < now - LIVES:
            return None
        asked = answer.headers.get("Retry-After", "") if answer is not None else ""
        if asked.isdigit():
            return timedelta(seconds=min(int(asked), 3600))
        ceiling = 60 + told.pk % 61  # random, and for one update the same
        return timedelta(seconds=min(2 ** (told.attempts - 1), ceiling) if told.attempts < 12 else ceiling)


core.SENDERS["telegram"] = Webhook()
