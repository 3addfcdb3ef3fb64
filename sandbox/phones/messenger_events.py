"""What Messenger and Instagram tell of a chat, and where the two differ."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from sandbox.phones import chats, files, hooks
from sandbox.phones.models import Account, Line, Media, Person, Told

PAGE_INBOX = 263902037430900  # the app id of Meta's own inbox, in echoes of what is written there
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rules:
    """`fields`: which field tells of what; `most`: of an attachment's bytes, by its type."""

    permission: str
    window_subcode: int
    most: dict[str, int]
    fields: dict[str, str]
    all_fields: frozenset[str] = field(default_factory=frozenset)


RULES = {
    "facebook": Rules(
        permission="pages_messaging",
        window_subcode=2018278,
        most=dict.fromkeys(("image", "audio", "video", "file"), 25 * MB),
        fields={
            "message": "messages",
            "echo": "message_echoes",
            "delivery": "message_deliveries",
            "read": "message_reads",
            "reaction": "message_reactions",
            "edit": "message_edits",
            "postback": "messaging_postbacks",
            "referral": "messaging_referrals",
        },
        all_fields=frozenset({"feed", "standby", "messaging_handovers", "messaging_optins", "mention"}),
    ),
    "instagram": Rules(
        permission="instagram_business_manage_messages",
        window_subcode=2534022,
        most={"image": 8 * MB, "audio": 25 * MB, "video": 25 * MB},
        fields={
            "message": "messages",
            "echo": "messages",
            "read": "messaging_seen",
            "reaction": "message_reactions",
            "edit": "message_edit",
            "postback": "messaging_postbacks",
            "referral": "messaging_referral",
        },
        all_fields=frozenset({"comments", "live_comments", "standby", "messaging_handover", "mentions"}),
    ),
}


def new_mid(account: Account) -> str:
    return ("m_" if account.platform == "facebook" else "aWdfZAG1faXRlbToxOk") + secrets.token_urlsafe(24)


def tell(
    account: Account,
    person: Person,
    what: str,
    event: dict[str, Any],
    *,
    ours: bool = False,
    at: datetime | None = None,
    timed: bool = True,
) -> Told | None:
    """Queue an event of a chat; `ours` turns sender and recipient round. To the standby where another app answers."""
    name = RULES[account.platform].fields.get(what)
    if name is None:
        return None
    now = timezone.now()
    them, us = {"id": person.external_id}, {"id": account.external_id}
    whole: dict[str, Any] = {"sender": us if ours else them, "recipient": them if ours else us}
    if timed:
        whole["timestamp"] = chats.millis(at or now)
    key = "standby" if person.attributes.get("thread_owner") else "messaging"
    entry = {"id": account.external_id, "time": chats.millis(now), key: [{**whole, **event}]}
    return hooks.notify(account, "standby" if key == "standby" else name, entry)


def attachments(line: Line) -> list[dict[str, Any]]:
    """Of a line, as they stand in events: with urls that expire."""
    kinds = line.payload.get("kinds", [])
    rows = {one.external_id: one for one in Media.objects.filter(external_id__in=line.payload.get("media", []))}
    found: list[dict[str, Any]] = []
    for number, external_id in enumerate(line.payload.get("media", [])):
        kind = kinds[number] if number < len(kinds) else "file"
        if external_id in rows:
            found.append({"type": kind, "payload": {"url": files.url_of(rows[external_id])}})
    return found


def tell_message(line: Line, more: dict[str, Any] | None = None) -> Told | None:
    """Queue the person's line; `more` is what its message has besides text, attachments and what it answers."""
    person = line.person
    assert person is not None
    message: dict[str, Any] = {"mid": line.external_id}
    if line.text:
        message["text"] = line.text
    if found := attachments(line):
        message["attachments"] = found
    if line.reply_to:
        answered = chats.found(line.account, line.reply_to, person)
        own = answered is not None and not answered.ours
        message["reply_to"] = {"mid": line.reply_to, "is_self_reply": own}
    return tell(line.account, person, "message", {"message": {**message, **(more or {})}}, at=line.at)


def tell_echo(line: Line, app_id: int | str) -> Told | None:
    """Queue an echo of what we said, by our app or by Meta's own inbox."""
    person = line.person
    assert person is not None
    message: dict[str, Any] = {"mid": line.external_id, "is_echo": True}
    if line.account.platform == "facebook" and str(app_id).isdecimal():
        message["app_id"] = int(app_id)
    if metadata := line.payload.get("metadata"):
        message["metadata"] = metadata
    if line.text:
        message["text"] = line.text
    if found := attachments(line):
        message["attachments"] = found
    if line.reply_to:
        message["reply_to"] = {"mid": line.reply_to}
    return tell(line.account, person, "echo", {"message": message}, ours=True, at=line.at)


def tell_delivered(line: Line) -> Told | None:
    """It has come to the person's phone; Instagram does not tell of that."""
    if line.account.platform != "facebook" or line.person is None:
        return None
    line.state = "delivered"
    line.save(update_fields=["state"])
    delivery = {"mids": [line.external_id], "watermark": chats.millis(line.at)}
    return tell(line.account, line.person, "delivery", {"delivery": delivery}, timed=False)


def tell_change(account: Account, name: str, value: dict[str, Any]) -> Told | None:
    """Queue a change of a field: a comment, mostly."""
    now = int(timezone.now().timestamp())
    entry = {"id": account.external_id, "time": now, "changes": [{"field": name, "value": value}]}
    return hooks.notify(account, name, entry)
