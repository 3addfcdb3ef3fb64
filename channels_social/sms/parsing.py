"""What Twilio tells of messages, by webhook or in its lists, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from channels_social import reading
from channels_social.sms import api
from inbox.adapters import DeliveryUpdate, Ignore, Inbound, Parsed, Party, ReachUpdate, RemoteMedia
from lib import language, phones

KIND = "phone"
MOST_MEDIA = 10
COMING = {"", "received", "receiving"}
# Our messages' states, by Twilio's. What is on its way within Twilio has been taken.
STATES: dict[str, Literal["sent", "delivered", "read", "failed"]] = {
    "accepted": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
# Whole messages that are a request; Twilio heeds the same ones where nobody told it otherwise.
STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}
HELP = {"HELP", "INFO"}
Fields = Mapping[str, str]


def fields_of(raw: bytes) -> Fields:
    """A webhook's form, the same as JSON, or a Message resource, by the names of the form.

    Of a resource, `media` beside it lists its files. Raises ValueError for anything else.
    """
    if not raw.lstrip().startswith(b"{"):
        return {name: reading.text(value) for name, value in parse_qsl(raw.decode(errors="replace"), True)}
    told = reading.table(reading.load(raw))
    resource = reading.table(told.get("resource")) or (told if "sid" in told else {})
    if resource:
        return _form_of(resource, reading.rows(told.get("media")))
    return {reading.text(name, 100): reading.text(value) for name, value in told.items()}


def _form_of(resource: Mapping[str, Any], media: Sequence[Mapping[str, Any]]) -> Fields:
    names = {"MessageSid": "sid", "From": "from", "To": "to", "Body": "body", "NumSegments": "num_segments",
             "MessageStatus": "status", "ErrorCode": "error_code", "AccountSid": "account_sid"}  # fmt: skip
    found = {name: reading.text(resource.get(key)) for name, key in names.items() if resource.get(key) is not None}
    found["NumMedia"] = str(len(media))
    for place, one in enumerate(media):
        found[f"MediaUrl{place}"] = reading.text(one.get("url"), 2000)
        found[f"MediaContentType{place}"] = reading.text(one.get("content_type"), 100)
    return found


def state_of(fields: Fields) -> str:
    return (fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower()


def sid_of(fields: Fields) -> str:
    return reading.text(fields.get("MessageSid") or fields.get("SmsSid"), 64)


def is_message(fields: Fields) -> bool:
    """Whether somebody wrote, and this is not news of something we did."""
    return bool(sid_of(fields)) and state_of(fields) in COMING


def name_of(fields: Fields) -> str:
    """What makes a repeat harmless; empty for what is about no message."""
    sid = sid_of(fields)
    if not sid:
        return ""
    return f"message:{sid}" if is_message(fields) else f"status:{sid}:{state_of(fields)}"


def one_form(sender: str) -> str:
    """A number as WhatsApp's has it, so that it is one person on both; short codes and senders' names as they are."""
    return phones.e164(sender) or sender


def when(resource: Mapping[str, Any]) -> datetime | None:
    """When a resource's message came or left."""
    told = reading.text(resource.get("date_sent") or resource.get("date_created"), 60)
    try:
        found = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)  # "-0000", which says no zone


def parse(raw: bytes, scope: str, at: datetime, message: int = 0) -> Sequence[Parsed]:
    """One message, or one state; `scope` is the channel's, `at` when it came, `message` ours that it names.

    Raises Ignore.
    """
    fields = fields_of(raw)
    if not sid_of(fields):
        if fields.get("AccountSid") or fields.get("CallSid"):
            raise Ignore(_("Twilio tells of something that is no message."))
        raise ValueError("nothing of Twilio")
    return _message(fields, scope, at) if is_message(fields) else _status(fields, at, message)


def _message(fields: Fields, scope: str, at: datetime) -> Sequence[Parsed]:
    sid, told = sid_of(fields), reading.text(fields.get("From"), 320).strip()
    if ":" in told:
        raise Ignore(_("It came by another way than SMS: %(sender)s.") % {"sender": told.partition(":")[0]})
    sender = reading.person(KIND, one_form(told))
    if sender is None:
        raise ValueError("a message of nobody")
    text, media = reading.text(fields.get("Body")), _media(fields)
    asked = request(text, fields.get("OptOutType", "")) if not media else ""
    payload: dict[str, Any] = {"asks": asked} if asked else {}
    said = Inbound(
        key=sid,
        scope=scope,
        sender=sender,
        text=text,
        visible_text=text,
        external_id=sid,
        language=language.detect(text),
        at=at,
        content_kind=_kind(media),
        payload=payload,
        remote=media,
        suppress_auto_reply=bool(asked),  # Twilio answers these words itself
    )
    if asked in {"STOP", "START"}:
        stopped = asked == "STOP"
        return [said, ReachUpdate(sender, at, blocked=None if stopped else False, opted_out=stopped)]
    return [said]


def request(text: str, told: str = "") -> str:
    """STOP, START or HELP where a message asks for that; `told` is what Twilio took it for."""
    if told:
        return told.upper() if told.upper() in {"STOP", "START", "HELP"} else ""
    word = text.strip().upper().rstrip(".!")
    return next((name for name, words in (("STOP", STOP), ("START", START), ("HELP", HELP)) if word in words), "")


def _media(fields: Fields) -> tuple[RemoteMedia, ...]:
    count = min(reading.number(fields.get("NumMedia")), MOST_MEDIA)
    return tuple(
        RemoteMedia({"url": url}, "", reading.text(fields.get(f"MediaContentType{place}"), 100))
        for place in range(count)
        if (url := reading.text(fields.get(f"MediaUrl{place}"), 2000))
    )


def _kind(media: Sequence[RemoteMedia]) -> str:
    if not media:
        return "text"
    family = media[0].content_type.partition("/")[0]
    return family if family in {"image", "audio", "video"} else "file"


def _status(fields: Fields, at: datetime, message: int) -> Sequence[Parsed]:
    told = state_of(fields)
    state = STATES.get(told)
    if state is None:
        raise Ignore(_("Twilio tells of the state “%(state)s”, which says nothing.") % {"state": told[:40]})
    if state != "failed":
        return [DeliveryUpdate(sid_of(fields), state, at=at, reference=message)]
    code = reading.number(fields.get("ErrorCode"))
    words = (
        api.words_of(code, reading.text(fields.get("ErrorMessage"), 300))
        if code
        else _("Twilio called this off.")
        if told == "canceled"
        else _("It did not arrive, and Twilio does not say why.")
    )
    # A phone that is off says nothing of the next message: whoever has one can be written to.
    fault = "" if code in api.OFF else api.fault_of(code)
    failed = DeliveryUpdate(sid_of(fields), "failed", at=at, error=words, reference=message, fault=fault)
    to = reading.text(fields.get("To"), 320).strip()
    if fault != "blocked" or not to:
        return [failed]
    person = Party(KIND, one_form(to))
    stopped = code == api.STOPPED
    return [failed, ReachUpdate(person, at, blocked=None if stopped else True, opted_out=True if stopped else None)]
