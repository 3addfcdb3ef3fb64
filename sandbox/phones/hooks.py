"""Webhooks of Meta's platforms: bytes and signature, who is told of what, retries, and being unsubscribed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import requests
from django.utils import timezone

from sandbox.phones import chats, core
from sandbox.phones.models import Account, Platform, Told

OBJECTS = {
    Platform.WHATSAPP.value: "whatsapp_business_account",
    Platform.FACEBOOK.value: "page",
    Platform.INSTAGRAM.value: "instagram",
}
# "Immediate retry, then decreasing frequency": Meta gives no figures, so these are ours.
WAITS = [timedelta(seconds=s) for s in (0, 30, 120, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200)]
WHATSAPP_KEEPS = timedelta(days=7)
OTHERS_KEEP = timedelta(hours=36)
UNSUBSCRIBED_AFTER = timedelta(hours=1)

_gathered: ContextVar[list[dict[str, Any]] | None] = ContextVar("gathered", default=None)


def body(payload: Any) -> bytes:
    """The bytes as Meta writes them: no blanks, and lower-case \\uXXXX for all that is not ASCII."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def signature(app_secret: str, content: bytes) -> str:
    """What stands in X-Hub-Signature-256."""
    return "sha256=" + hmac.new(app_secret.encode(), content, hashlib.sha256).hexdigest()


class MetaSender(core.Sender):
    """Posts envelopes. An app that a page's messages cannot be brought to for an hour is unsubscribed from the page."""

    def request(self, account: Account, told: Told) -> core.Request | None:
        url = account.settings.get("override_callback_uri") or account.settings.get("webhook_url")
        if not url:
            return None
        content = body(told.payload)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signature(account.secrets.get("app_secret", ""), content),
        }
        return core.Request(url, content, headers)

    def again(self, told: Told, answer: requests.Response | None) -> timedelta | None:
        failing = timezone.now() - told.at
        wait = WAITS[min(told.attempts, len(WAITS)) - 1]
        if told.account.platform == Platform.WHATSAPP:
            return wait if failing + wait <= WHATSAPP_KEEPS else None
        entries = told.payload.get("entry", [])
        if not any("messaging" in entry or "standby" in entry for entry in entries):
            return wait if failing + wait <= OTHERS_KEEP else None
        if failing >= UNSUBSCRIBED_AFTER:
            chats.arrange(told.account, subscribed_fields=[])
            return None
        return min(wait, UNSUBSCRIBED_AFTER - failing)


for _platform in OBJECTS:
    core.SENDERS[_platform] = MetaSender()


def subscribed(account: Account) -> list[str]:
    """The fields that the account's owner is told of, as they are now."""
    settings = Account.objects.values_list("settings", flat=True).get(pk=account.pk)
    return list(settings.get("subscribed_fields", []))


def notify(account: Account, field: str, entry: dict[str, Any]) -> Told | None:
    """Queue one entry of a field for telling; None if nobody subscribed to it, or if it waits for `together` to end."""
    if field not in subscribed(account):
        return None
    gathered = _gathered.get()
    if gathered is not None:
        gathered.append(entry)
        return None
    return core.tell(account, {"object": OBJECTS[account.platform], "entry": [entry]})


@contextmanager
def together(account: Account) -> Iterator[None]:
    """What is told in here goes in one webhook call, as Meta does when much happens at once."""
    gathered: list[dict[str, Any]] = []
    before = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(before)
    if gathered:
        core.tell(account, {"object": OBJECTS[account.platform], "entry": _merged(gathered)})


def _merged(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each account; WhatsApp's messages of one person in one value. `messaging` stays one an entry."""
    merged: list[dict[str, Any]] = []
    for entry in entries:
        last = merged[-1] if merged else None
        if last is None or "changes" not in entry or "changes" not in last or last["id"] != entry["id"]:
            merged.append(entry)
            continue
        for change in entry["changes"]:
            value, before = change["value"], last["changes"][-1]["value"]
            if "messages" in value and "messages" in before and value.get("contacts") == before.get("contacts"):
                before["messages"] += value["messages"]
            else:
                last["changes"].append(change)
    return merged


def repeat(told: Told) -> Told:
    """Tell the same a second time: duplicates are to be expected."""
    return core.tell(told.account, told.payload)
