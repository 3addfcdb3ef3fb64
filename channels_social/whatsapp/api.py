"""The Cloud API (developers.facebook.com/docs/whatsapp/cloud-api): sending, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from django.utils.translation import gettext as _

from channels_social import errors, graph, reading
from channels_social.graph import Refused
from channels_social.messenger import Part
from inbox import files, presses
from inbox.adapters import DeliveryError
from inbox.models import Attachment, Message

PLATFORM = "WhatsApp"
MB = 1024 * 1024
MOST = {"image": 5 * MB, "audio": 16 * MB, "video": 16 * MB, "sticker": 100 * 1024, "document": 100 * MB}
TYPES = {
    "image/jpeg": "image",
    "image/png": "image",
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
    "video/mp4": "video",
    "video/3gpp": "video",
    "image/webp": "sticker",
}
# Besides these, what it lets be uploaded at all (its own words to an upload of another type; any text goes as plain).
DOCUMENTS = (
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "audio/opus",
    "text/",
)
WITHOUT_WORDS = {"audio", "sticker"}  # they take no caption
MOST_BUTTONS = 3
THROUGHPUT_SECONDS, PAIR_SECONDS = 5.0, 6.0


class WhatsApp(graph.Graph):
    """One number. Raises DeliveryError for all that goes wrong."""

    def __init__(self, session: requests.Session, base: str, token: str, app_secret: str, number: str) -> None:
        super().__init__(session, base, token, app_secret, PLATFORM, refusal)
        self.number = number

    def probe(self) -> None:
        self.get(self.number, fields="id")

    def send_part(self, message: Message, part: Part) -> str:
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **recipient(message),
            "biz_opaque_callback_data": str(message.pk),
        }
        template = message.payload.get("options", {}).get("template")
        if template and part.first:
            body |= {"type": "template", "template": template}
        else:
            shown = presses.under(message) if part.last else []
            if part.file is not None:
                kind, content = self._file(part, part.file)
            elif shown:
                kind, content = "interactive", _interactive(message, part.text, shown)
            else:
                kind, content = "text", _text(part.text)
            body |= {"type": kind, kind: content}
            if part.first and message.in_reply_to:
                body["context"] = {"message_id": message.in_reply_to}
        sent = self.post(f"{self.number}/messages", body)
        found = reading.text(next((one.get("id") for one in reading.rows(sent.get("messages"))), ""), 500)
        if not found:
            raise DeliveryError(_("WhatsApp gave an answer that cannot be read."), permanent=False, unknown=True)
        return found

    def _file(self, part: Part, file: Attachment) -> tuple[str, dict[str, Any]]:
        """Bring the file there; what a message then says of it."""
        kind = kind_of(file)
        if file.size > MOST[kind]:
            raise errors.permanent(
                _("WhatsApp takes files of at most %(most)s MB: “%(name)s” is larger.")
                % {"most": MOST[kind] // MB, "name": file.name}
            )
        content_type = file.content_type.split(";")[0].strip()
        if content_type.startswith("text/"):
            content_type = "text/plain"  # the only text that it knows; its name says the rest
        kept = self.upload(
            f"{self.number}/media",
            (file.name, files.get(file.stored), content_type),
            {"messaging_product": "whatsapp", "type": content_type},
        )
        named = {"filename": file.name} if kind == "document" else {}
        words = {"caption": part.text} if part.text else {}
        return kind, {"id": reading.text(kept.get("id"), 100), **named, **words}

    def show_read(self, external_id: str, *, writing: bool) -> None:
        """Show the customer that this message, and what came before it, was read; `writing` shows "typing…" for 25
        seconds, or until the answer is there. A courtesy.
        """
        seen: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": external_id}
        if writing:
            seen["typing_indicator"] = {"type": "text"}
        self.show(f"{self.number}/messages", seen)


def _text(text: str) -> dict[str, Any]:
    return {"body": text, "preview_url": "://" in text}


def _interactive(message: Message, text: str, shown: list[dict[str, str]]) -> dict[str, Any]:
    """Words with buttons below: up to three as such, more of them as a list that unfolds
    (developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages, "Interactive").
    """
    keys = [{"id": presses.data(message, one["key"]), "title": one["label"]} for one in shown]
    if len(keys) <= MOST_BUTTONS:
        action: dict[str, Any] = {"buttons": [{"type": "reply", "reply": one} for one in keys]}
        return {"type": "button", "body": {"text": text}, "action": action}
    opens = str(message.payload["buttons"].get("opens") or "…")
    return {"type": "list", "body": {"text": text}, "action": {"button": opens, "sections": [{"rows": keys}]}}


def kind_of(file: Attachment) -> str:
    """As what a file is sent: what is too large for a picture or sound, or no such, is a document."""
    kind = TYPES.get(file.content_type.split(";")[0].strip().lower(), "document")
    return kind if file.size <= MOST[kind] else "document"


def recipient(message: Message) -> dict[str, str]:
    """Whom it goes to: a number as WhatsApp itself writes it, where it has told us, else in digits; or a user id."""
    address = str(message.to[0]["address"])
    if not address.startswith("+"):
        return {"recipient": address}
    return {"to": str(message.payload.get("wa_id") or address.removeprefix("+"))}


# Refusals ------------------------------------------------------------------------------------------------------------

TRANSIENT = {1, 2, 131000, 131016, 131057, 133004}
ACCESS = {3, 10, 131005}
ACCOUNT = {368, 131031, 131042, 131045, 133010}


def refusal(refused: Refused) -> DeliveryError:
    """What an error means: at once, or in a status that comes later."""
    code, said = refused.code, {"said": refused.said}
    if code == 131056:
        return errors.rate(
            _("Too many messages to this customer within a short time: WhatsApp takes the next one a little later."),
            refused.wait or PAIR_SECONDS,
            channel=False,
        )
    if code == 130429:
        return errors.rate(_("WhatsApp takes no more for the moment."), refused.wait or THROUGHPUT_SECONDS)
    if code in {80007, 133016}:
        return errors.rate(_("WhatsApp takes no more for the moment."), refused.wait or graph.RATE_SECONDS)
    if code in TRANSIENT:
        return errors.transient(_("WhatsApp has trouble of its own (%(said)s).") % said)
    if code in ACCOUNT:
        return errors.auth(_account(code) % said)
    if code == 0 and refused.message and refused.status < 500:
        return errors.auth(graph.token_trouble(refused, PLATFORM))
    if code in ACCESS:
        return errors.auth(
            _("WhatsApp does not let this token do that: give it whatsapp_business_messaging (%(said)s).") % said
        )
    if code == 131047:
        return errors.window(_("They wrote last more than 24 hours ago: only a template gets through. Send one."))
    if code == 131026:
        return errors.blocked(
            _("WhatsApp cannot deliver to this customer: the number is not on WhatsApp, or its app is too old.")
        )
    if code == 100 and "appsecret_proof" in refused.message:
        return errors.auth(_("The app secret is not that of the token's app: give the right one in the settings."))
    if code in (words := _words()):
        return errors.permanent(words[code] % said)
    if (known := graph.common(refused, PLATFORM)) is not None:
        return known
    return errors.permanent(_("WhatsApp refused this: %(said)s") % said)


def _account(code: int) -> str:
    return {
        368: _("WhatsApp has restricted this account for breaking its rules: see Business support at Meta (%(said)s)."),
        131031: _("WhatsApp has locked this account: see Business support at Meta (%(said)s)."),
        131042: _("WhatsApp wants a way to pay: see the account's payment settings at Meta (%(said)s)."),
        131045: _("This number is not registered for sending: register it with WhatsApp (%(said)s)."),
        133010: _("This number is not registered with WhatsApp: register it at Meta (%(said)s)."),
    }[code]


def _words() -> Mapping[int, str]:
    """What is final, by its number, in words that say what to do."""
    template = _("The template is not as WhatsApp has it (%(said)s). Test the connection to read templates anew.")
    return {
        131021: _("This is the channel's own number: nobody can be written to by themselves."),
        131030: _("A test number writes only to numbers on its list: add this one at Meta, or use a real number."),
        131048: _(
            "WhatsApp holds this number back, because too many people blocked or reported it. Wait, and ask less."
        ),
        131049: _(
            "WhatsApp chose not to deliver this, to keep people from getting too much of a kind. Try another day."
        ),
        131050: _("This customer asked WhatsApp for no more marketing of yours."),
        130472: _("This customer is part of an experiment of WhatsApp's, and gets no marketing templates."),
        131051: _("WhatsApp does not know messages of this kind."),
        131052: _("WhatsApp could not fetch what they sent: it may be too large. Ask them to send it in another way."),
        131053: _("WhatsApp does not take this file: its kind or its size is not one of those it knows (%(said)s)."),
        132000: template,
        132001: template,
        132005: _("With these values the template is too long (%(said)s)."),
        132007: _("WhatsApp says that this template breaks its rules (%(said)s)."),
        132012: template,
        132015: _("WhatsApp has paused this template, because too many people did not like it. Choose another."),
        132016: _("WhatsApp has switched this template off for good. Choose another."),
        132068: _("The form in this template is blocked (%(said)s)."),
        132069: _("The form in this template is sent too often (%(said)s)."),
    }
