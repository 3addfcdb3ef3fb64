"""What an integrator tells: events, checked, as plain values. docs/channels/api.md is the promise of their shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from channels_social import messenger, reading
from channels_social.api import shapes
from channels_social.api.shapes import Malformed, Reader
from inbox.adapters import (
    DeliveryUpdate,
    Edit,
    Ignore,
    Inbound,
    Parsed,
    Party,
    ReachUpdate,
    Reaction,
    RemoteMedia,
    Withdrawal,
)
from lib import language

KIND = "api"
MOST = 100  # events of one call
PING = "ping"
Table = Mapping[str, Any]


class Known:
    """The channel that an event came to, as far as it says what an event means."""

    def __init__(self, scope: str, at: datetime, public: bool) -> None:
        self.scope = scope
        self.at = at
        self.public = public

    def party(self, told: Mapping[str, str]) -> Party:
        return Party(KIND, told.get("id", ""), told.get("name", ""), self.scope)


def split(body: bytes) -> list[dict[str, Any]]:
    """The events of a call, each checked. Raises Malformed, which names fields: `text`, or `3.text` in a list."""
    try:
        told = reading.load(body)
    except ValueError as error:
        raise Malformed({"": _("This is no JSON.")}) from error
    many = isinstance(told, list)
    rows = told if isinstance(told, list) else [told]
    if many and not 1 <= len(rows) <= MOST:
        raise Malformed({"": _("A list has 1 to %(most)d events.") % {"most": MOST}})
    errors: dict[str, str] = {}
    for place, row in enumerate(rows):
        path = str(place) if many else ""
        if isinstance(row, dict):
            check(row, path, errors)
        else:
            errors[path] = _("This has to be an object.")
    if errors:
        raise Malformed(errors)
    return rows


def check(event: Table, path: str, errors: dict[str, str]) -> None:
    told = Reader(event, path, errors)
    kind = told.text("type", 60, needed=True)
    if kind in READERS:
        READERS[kind](told)
        told.done()


def name(event: Table, call: str, place: int) -> str:
    """What makes a repeat harmless: the id of a message; of what changes one, the call it came in."""
    if event["type"] == "message.created":
        return f"message:{event['id']}"
    return f"{call}:{place}"


def parse(event: Table, known: Known) -> Sequence[Parsed]:
    """One event. Raises Malformed, and Ignore for what nobody here knows."""
    errors: dict[str, str] = {}
    check(event, "", errors)
    if errors:
        raise Malformed(errors)
    kind = reading.text(event["type"], 60)
    if kind in READERS:
        return PARSERS[kind](READERS[kind](Reader(event, "", {})), known)
    return _unknown(kind, event, known)


def _unknown(kind: str, event: Table, known: Known) -> Sequence[Parsed]:
    """Somebody said something that Rabta cannot show yet; without somebody, it is no message."""
    errors: dict[str, str] = {}
    told = Reader(event, "", errors)
    who, identifier, at = told.inner("from"), told.id("id"), told.moment("at")
    sender = who.id("id") if who is not None else ""
    if errors or who is None or shapes.OURS.fullmatch(identifier):
        raise Ignore(_("Nobody here knows what “%(type)s” is.") % {"type": kind})
    thread = shapes.thread(Reader(event, "", {}))
    return [
        Inbound(
            key=f"{kind}:{identifier}",
            scope=known.scope,
            sender=known.party({"id": sender, "name": reading.name_of(who.told.get("name"))}),
            text="",
            external_id=identifier,
            at=at or known.at,
            thread_key=thread.get("id", ""),
            content_kind="unsupported",
            payload=messenger.unsupported(kind, reading.plain(event)),
        )
    ]


# message.created -----------------------------------------------------------------------------------------------------


def _read_message(told: Reader) -> dict[str, Any]:
    found = {
        "id": told.id("id"),
        "from": shapes.person(told),
        "text": told.text("text", reading.LONGEST_TEXT),
        "thread": shapes.thread(told),
        "rating": shapes.rating(told),
        "public": told.flag("public", None),
        "in_reply_to": told.id("in_reply_to", needed=False),
        "at": told.moment("at"),
        "language": told.text("language", 35),
        "attachments": shapes.attachments(told),
        "metadata": shapes.metadata(told),
        "type": told.value("type"),
    }
    if shapes.OURS.fullmatch(found["id"]):
        told.wrong("id", _("Rabta's own messages are called so (m and a number): put something before it."))
    if not (found["text"].strip() or found["rating"] or found["attachments"]):
        told.wrong("text", _("Say something, or give a rating or an attachment."))
    return found


def _message(told: Table, known: Known) -> Sequence[Parsed]:
    thread, text = told["thread"], told["text"]
    public = known.public if told["public"] is None else told["public"]
    payload = {"public": public, "thread": thread, "rating": told["rating"], "metadata": told["metadata"]}
    files = tuple(
        RemoteMedia({"url": one["url"]}, one["name"], one["content_type"], one["size"]) for one in told["attachments"]
    )
    return [
        Inbound(
            key=told["id"],
            scope=known.scope,
            sender=known.party(told["from"]),
            text=text,
            visible_text=text,
            subject=thread.get("title", ""),
            external_id=told["id"],
            language=language.detect(text, told["language"]),
            at=told["at"] or known.at,
            in_reply_to=told["in_reply_to"],
            thread_key=thread.get("id", ""),
            content_kind=_kind_of(text, told["attachments"], told["rating"]),
            payload={name: value for name, value in payload.items() if value},
            remote=files,
            claims=_claims(told["from"]),
            picture=told["from"].get("picture", ""),
        )
    ]


def _claims(told: Mapping[str, str]) -> tuple[Party, ...]:
    """The integrator says so, and nobody has proven it. What is no address is nobody's."""
    email = told.get("email", "")
    try:
        validate_email(email)
    except ValidationError:
        return ()
    return (Party("email", email, told.get("name", "")),)


def _kind_of(text: str, files: Sequence[Table], rating: Table) -> str:
    """What lists show of a message without words."""
    if rating and not files and not text.strip():
        return "rating"
    if text.strip() or len(files) != 1:
        return "text" if not files or text.strip() else "file"
    family = str(files[0]["content_type"]).split("/")[0]
    return family if family in {"image", "audio", "video"} else "file"


# What changes something that is here ---------------------------------------------------------------------------------


def _read_edit(told: Reader) -> dict[str, Any]:
    text = told.text("text", reading.LONGEST_TEXT)
    if told.value("text") is None:
        told.wrong("text", _("This is needed."))
    return {"type": told.value("type"), "id": told.id("id"), "text": text, "at": told.moment("at")}


def _read_deletion(told: Reader) -> dict[str, Any]:
    return {"type": told.value("type"), "id": told.id("id"), "at": told.moment("at")}


def _read_reaction(told: Reader) -> dict[str, Any]:
    emoji = told.text("emoji", 32)
    if told.value("emoji") is None:
        told.wrong("emoji", _("This is needed: empty takes a reaction back."))
    return {
        "type": told.value("type"),
        "message": told.id("message"),
        "from": shapes.person(told),
        "emoji": emoji,
        "at": told.moment("at"),
    }


def _read_delivery(told: Reader) -> dict[str, Any]:
    return {
        "type": told.value("type"),
        "message": told.id("message"),
        "status": told.choice("status", shapes.STATES, needed=True),
        "error": told.text("error", 1000),
        "at": told.moment("at"),
    }


def _read_contact(told: Reader) -> dict[str, Any]:
    return {
        "type": told.value("type"),
        "from": shapes.person(told),
        "value": told.flag("value", True),
        "at": told.moment("at"),
    }


def _read_ping(told: Reader) -> dict[str, Any]:
    told.asked.update(told.told)
    return {"type": told.value("type")}


def _edit(told: Table, known: Known) -> Sequence[Parsed]:
    return [Edit(told["id"], told["text"], told["at"] or known.at)]


def _deletion(told: Table, known: Known) -> Sequence[Parsed]:
    return [Withdrawal(told["id"], told["at"] or known.at)]


def _reaction(told: Table, known: Known) -> Sequence[Parsed]:
    return [Reaction(told["message"], known.party(told["from"]), told["emoji"], told["at"] or known.at)]


def _delivery(told: Table, known: Known) -> Sequence[Parsed]:
    """Named by the id that they gave it, or by ours."""
    ours = told["message"].partition("-")[0][1:] if shapes.OURS.fullmatch(told["message"]) else ""
    failed = told["status"] == "failed"
    error = told["error"] or (_("It did not arrive: no reason was told.") if failed else "")
    return [DeliveryUpdate(told["message"], told["status"], told["at"] or known.at, error, reference=int(ours or 0))]


def _blocked(told: Table, known: Known) -> Sequence[Parsed]:
    return [ReachUpdate(known.party(told["from"]), told["at"] or known.at, blocked=told["value"])]


def _opted_out(told: Table, known: Known) -> Sequence[Parsed]:
    return [ReachUpdate(known.party(told["from"]), told["at"] or known.at, opted_out=told["value"])]


def _ping(told: Table, known: Known) -> Sequence[Parsed]:
    raise Ignore(_("Your software tried whether we are here."))


READERS: dict[str, Callable[[Reader], dict[str, Any]]] = {
    "message.created": _read_message,
    "message.updated": _read_edit,
    "message.deleted": _read_deletion,
    "reaction": _read_reaction,
    "delivery": _read_delivery,
    "contact.blocked": _read_contact,
    "contact.opted_out": _read_contact,
    PING: _read_ping,
}
PARSERS: dict[str, Callable[[Table, Known], Sequence[Parsed]]] = {
    "message.created": _message,
    "message.updated": _edit,
    "message.deleted": _deletion,
    "reaction": _reaction,
    "delivery": _delivery,
    "contact.blocked": _blocked,
    "contact.opted_out": _opted_out,
    PING: _ping,
}
