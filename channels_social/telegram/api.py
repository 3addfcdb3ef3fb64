"""The Bot API (core.telegram.org/bots/api): calls, and what its refusals mean.

The token stands in every address: nothing of an address goes into a log or an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests
from django.utils.translation import gettext as _

from channels_social import errors, reading
from channels_social.messenger import Part
from inbox import files, presses
from inbox.adapters import DeliveryError
from inbox.models import Message
from lib import http

PHOTO_BYTES = 10 * 1024 * 1024
FILE_BYTES = 50 * 1024 * 1024
PHOTOS = {"image/jpeg", "image/png", "image/webp"}
METHODS = {
    "video/mp4": ("sendVideo", "video"),
    "audio/ogg": ("sendVoice", "voice"),
    "audio/mpeg": ("sendAudio", "audio"),
}
DEFAULT_WAIT = 5.0  # seconds, where "too many requests" does not say how long
SEND_SECONDS = 30.0
SHORT_LABEL = 6  # letters: buttons that stand side by side
LEAST_SIDE = 128  # pixels of a picture beside a name
SHOW_SECONDS = 5.0

# What a description begins with or holds, lower-cased, for each class; the first that fits. Source: the server's own
# code (tdlib/telegram-bot-api).
BLOCKED = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "bot is not a member",
    "bot can't initiate conversation",
    "chat not found",
    "bots can't send messages to bots",
)


class Telegram:
    """One bot. Raises DeliveryError for all that goes wrong."""

    def __init__(self, session: requests.Session, base: str, token: str) -> None:
        self.session = session
        self.base = base
        self.token = token
        self.keeps_rates = True  # whether "too many" makes whoever else uses this token wait

    def call(self, method: str, *, seconds: float = http.READ_SECONDS, **fields: Any) -> Any:
        """Call a method with JSON; returns its `result`."""
        given = {name: value for name, value in fields.items() if value is not None}
        return self._ask(method, seconds, json=given)

    def show(self, method: str, **fields: Any) -> None:
        """Call what is a courtesy: it takes seconds at most, and what it is refused is nobody else's."""
        self.keeps_rates = False
        try:
            self.call(method, seconds=SHOW_SECONDS, **fields)
        finally:
            self.keeps_rates = True

    def upload(self, method: str, field: str, file: tuple[str, bytes, str], fields: Mapping[str, str]) -> Any:
        """Call a method with a file (name, content, type)."""
        return self._ask(method, SEND_SECONDS, data=dict(fields), files={field: file})

    def _ask(self, method: str, seconds: float, **body: Any) -> Any:
        wait = http.rates.wait(self.token)
        if wait > 0:
            raise errors.rate(_("Telegram asked for a pause."), wait)
        try:
            response = self.session.post(
                f"{self.base}/bot{self.token}/{method}", timeout=(http.CONNECT_SECONDS, seconds), **body
            )
            told = reading.table(reading.answer(response))
        except (requests.RequestException, OSError) as error:
            # Without its text, which holds the address, and with it the token.
            raise errors.of_request(error, "Telegram") from None
        if response.status_code == 200 and told.get("ok") is True:
            return told.get("result")
        refused = refusal(response.status_code, told)
        if refused.fault == "rate" and refused.retry_after and self.keeps_rates:
            http.rates.note(self.token, refused.retry_after)
        raise refused

    def picture_of(self, user: int) -> str:
        """The path of the smallest form of somebody's newest picture that is sharp enough; "" where they show none."""
        photos = self.call("getUserProfilePhotos", user_id=user, limit=1)
        sizes = next(iter(_lists(reading.table(photos).get("photos"))), [])
        sizes.sort(key=lambda one: reading.number(one.get("width")))
        if not sizes:
            return ""
        chosen = next((one for one in sizes if reading.number(one.get("width")) >= LEAST_SIDE), sizes[-1])
        found = self.call("getFile", file_id=reading.text(chosen.get("file_id"), 300))
        return reading.text(reading.table(found).get("file_path"), 1000)

    def probe(self) -> None:
        self.call("getMe")

    def send_part(self, message: Message, part: Part) -> str:
        chat = message.to[0]["address"]
        quoted = message.in_reply_to.rpartition(":")[2] if part.first and message.in_reply_to else ""
        reply = {"message_id": int(quoted), "allow_sending_without_reply": True} if quoted.isdecimal() else None
        if part.file is None:
            sent = self.call(
                "sendMessage",
                seconds=SEND_SECONDS,
                chat_id=chat,
                text=part.text,
                reply_parameters=reply,
                reply_markup=_keyboard(message) if part.last else None,
            )
            return _id(chat, sent)
        if part.file.size > FILE_BYTES:
            raise errors.permanent(_("Telegram takes files of at most 50 MB: “%(name)s” is larger.") % _named(part))
        photo = part.file.content_type in PHOTOS and part.file.size <= PHOTO_BYTES
        method, field = (
            ("sendPhoto", "photo") if photo else METHODS.get(part.file.content_type, ("sendDocument", "document"))
        )
        fields = {"chat_id": chat} | ({"caption": part.text} if part.text else {})
        if reply:
            fields["reply_parameters"] = json.dumps(reply)
        content = files.get(part.file.stored)
        sent = self.upload(method, field, (part.file.name, content, part.file.content_type), fields)
        return _id(chat, sent)


def _keyboard(message: Message) -> dict[str, Any] | None:
    """The buttons below a message: short ones side by side (core.telegram.org/bots/api#inlinekeyboardmarkup)."""
    keys = [
        {"text": one["label"], "callback_data": presses.data(message, one["key"])} for one in presses.under(message)
    ]
    if not keys:
        return None
    wide = 1 if any(len(one["text"]) > SHORT_LABEL for one in keys) else 6
    return {"inline_keyboard": [keys[place : place + wide] for place in range(0, len(keys), wide)]}


def _lists(value: Any) -> list[list[dict[str, Any]]]:
    return [[dict(one) for one in reading.rows(row)] for row in value] if isinstance(value, list) else []


def _named(part: Part) -> dict[str, str]:
    return {"name": part.file.name if part.file else ""}


def _id(chat: str, sent: Any) -> str:
    """What a message is called: its number is unique within its chat alone."""
    number = reading.table(sent).get("message_id")
    if not isinstance(number, int):
        raise DeliveryError(_("Telegram gave an answer that cannot be read."), permanent=False, unknown=True)
    return f"{chat}:{number}"


def refusal(status: int, told: Mapping[str, Any]) -> DeliveryError:
    """What an answer that is not `ok` means."""
    code = reading.number(told.get("error_code")) or status
    said = reading.text(told.get("description"), 500)
    words = said.lower()
    wait = reading.number(reading.table(told.get("parameters")).get("retry_after"))
    if code == 429:
        return errors.rate(_("Telegram takes no more for the moment."), float(wait or DEFAULT_WAIT))
    if code >= 500 or not told:
        return errors.transient(_("Telegram has trouble of its own (%(status)s).") % {"status": code})
    if code == 401 or (code == 404 and words in {"", "not found"}):
        return errors.auth(_("Telegram knows this token no more. Give the bot's new one in the settings."))
    if code == 409:
        return errors.auth(
            _("Something else asks Telegram for this bot's messages: another program, or a webhook. Stop one of them.")
        )
    if any(one in words for one in BLOCKED):
        return errors.blocked(_("This customer has blocked the bot, or left: nothing gets through to them."))
    if "file is too big" in words or "request entity too large" in words:
        return errors.permanent(_("Telegram says that this file is too large."))
    if "message is too long" in words or "caption is too long" in words:
        return errors.permanent(_("Telegram says that this text is too long."))
    return errors.permanent(_("Telegram refused this: %(said)s") % {"said": said or code})
