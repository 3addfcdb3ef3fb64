"""What WhatsApp tells by webhook: split into one receipt an event, and each as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_social import graph, messenger, reading
from channels_social.whatsapp import notices
from channels_social.whatsapp.api import refusal
from inbox import presses
from inbox.adapters import (
    AddressChange,
    DeliveryUpdate,
    Edit,
    Ignore,
    Inbound,
    Parsed,
    Party,
    Press,
    RawReceipt,
    Reaction,
    RemoteMedia,
    Withdrawal,
)
from inbox.models import Channel
from lib import language, phones

OBJECT = "whatsapp_business_account"
USER = "whatsapp"  # the kind of an id that WhatsApp gives a person for one business
STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}
FILES = {"image": "image", "video": "video", "audio": "audio", "document": "file", "sticker": "sticker"}
USUAL = {
    "image": ("photo.jpg", "image/jpeg"),
    "video": ("video.mp4", "video/mp4"),
    "audio": ("audio.ogg", "audio/ogg"),
    "sticker": ("sticker.webp", "image/webp"),
    "document": ("", ""),
}
Table = Mapping[str, Any]
Content = tuple[str, str, dict[str, Any], tuple[RemoteMedia, ...]]  # text, kind, payload, files


# Splitting -----------------------------------------------------------------------------------------------------------


def values(body: bytes) -> Iterator[tuple[str, Table, Table]]:
    """What changed: (field, value, account and time) of each change. Raises ValueError."""
    for entry in graph.entries(body, OBJECT):
        about = {"waba": reading.text(entry.get("id"), 40), "time": reading.number(entry.get("time"))}
        for change in reading.rows(entry.get("changes")):
            yield reading.text(change.get("field"), 60), reading.table(change.get("value")), about


def number_of(value: Table) -> str:
    """The id of the number of ours that it is about; empty for news of the whole account."""
    return reading.text(reading.table(value.get("metadata")).get("phone_number_id"), 40)


def receipts(field: str, value: Table, about: Table = reading.NOTHING) -> Iterator[RawReceipt]:
    """The events in a value, each with what of the envelope belongs to it; `about` is the account and the time."""
    around: dict[str, Any] = {"metadata": reading.table(value.get("metadata"))}
    people = reading.rows(value.get("contacts"))
    for message in reading.rows(value.get("messages")):
        wamid = reading.text(message.get("id"), 500)
        told = {**around, "contacts": _whose(message, people), "message": message}
        yield RawReceipt(graph.packed(told), _named("message", wamid, message), key=wamid)
    for message in reading.rows(value.get("message_echoes")):
        wamid = reading.text(message.get("id"), 500)
        told = {**around, "contacts": _whose(message, people), "echo": message}
        yield RawReceipt(graph.packed(told), _named("echo", wamid, message), key=wamid)
    for status in reading.rows(value.get("statuses")):
        wamid, state = reading.text(status.get("id"), 500), reading.text(status.get("status"), 30)
        name = _named("status", f"{wamid}:{state}" if wamid and state else "", status)
        yield RawReceipt(graph.packed({**around, "status": status}), name)
    for error in reading.rows(value.get("errors")):
        # The same trouble may come again, and its words are all there is: once an hour is enough to know of it.
        when = about.get("time") or timezone.now().strftime("%Y-%m-%dT%H")
        yield RawReceipt(graph.packed({**around, **about, "error": error}), f"error:{graph.digest([error, when])}")
    if not any(name in value for name in ("messages", "message_echoes", "statuses", "errors")):
        name = f"change:{graph.digest([field, value, about.get('time')])}"
        yield RawReceipt(graph.packed({"field": field, "value": value, **about}), name)


def _named(what: str, name: str, event: Table) -> str:
    return f"{what}:{name or 'unnamed:' + graph.digest(event)}"


def _whose(message: Table, people: Sequence[Table]) -> list[Table]:
    """The one whose message it is, among those that an envelope tells of; where nobody can tell, all of them."""
    ids = {reading.text(message.get(name)) for name in ("from", "to")} - {""}
    users = {reading.text(message.get(name)) for name in ("from_user_id", "to_user_id")} - {""}
    by_user = [one for one in people if reading.text(one.get("user_id")) in users]
    by_number = [one for one in people if reading.text(one.get("wa_id")) in ids]
    return list(by_user or by_number or people)[:1] if len(people) == 1 or by_user or by_number else list(people)


# Reading -------------------------------------------------------------------------------------------------------------


def parse(told: Table, scope: str, at: datetime, channel: Channel | None = None) -> Sequence[Parsed]:
    """One receipt's event; `scope` is the channel's, `at` when it came. Raises Ignore."""
    if isinstance(told.get("message"), Mapping):
        return _message(told, told["message"], scope, at)
    if isinstance(told.get("status"), Mapping):
        return _status(told["status"])
    if isinstance(told.get("echo"), Mapping):
        return _echo(told, told["echo"], scope, at)
    when = reading.seconds(told.get("time") or None) or at
    if isinstance(told.get("error"), Mapping):
        return [notices.error(told["error"], when)]
    if "field" in told:
        return _of_account(told, channel, when)
    raise ValueError("no event of WhatsApp")


def _of_account(told: Table, channel: Channel | None, at: datetime) -> Sequence[Parsed]:
    """News of the whole account, of which a call of another account's says nothing."""
    field = reading.text(told["field"], 60)
    waba = reading.text(told.get("waba"), 40)
    if channel is None or (waba and waba != str(channel.settings.get("waba_id") or waba)):
        raise Ignore(_("WhatsApp tells of %(what)s, which is no message.") % {"what": field or "?"})
    return notices.field(field, reading.table(told.get("value")), channel, at)


def digits(value: Any) -> str:
    """A number as WhatsApp writes it: digits without a plus."""
    return "".join(one for one in reading.text(value, 40) if one.isascii() and one.isdigit())


def phone(value: Any) -> str:
    """The same in E.164, and in one form where WhatsApp has two."""
    found = digits(value)
    return (phones.e164(f"+{found}", mobile=True) or f"+{found}") if found else ""


def party(numbers: Sequence[Any], users: Sequence[Any], name: str) -> Party | None:
    """Somebody by their numbers, the first of them first, or by their user ids; each of these is theirs."""
    known = [Party("phone", one, name) for one in dict.fromkeys(phone(one) for one in numbers) if one]
    known += [Party(USER, one, name) for one in dict.fromkeys(reading.text(one, 200).strip() for one in users) if one]
    return Party(known[0].kind, known[0].value, name, also=tuple(known[1:])) if known else None


def _person(told: Table, message: Table, who: str = "from") -> tuple[Party | None, str]:
    """Whose message it is (or, of an echo, to whom), and their number as WhatsApp writes it."""
    contact = next(iter(reading.rows(told.get("contacts"))), reading.NOTHING)
    profile = reading.table(contact.get("profile"))
    name = reading.name_of(profile.get("name")) or reading.name_of(profile.get("username"))
    numbers = (message.get(who), contact.get("wa_id"))
    found = party(numbers, (message.get(f"{who}_user_id"), contact.get("user_id")), name)
    return found, digits(contact.get("wa_id")) or digits(message.get(who))


def _message(told: Table, message: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    sender, wa_id = _person(told, message)
    wamid = reading.text(message.get("id"), 500)
    if sender is None or not wamid:
        raise ValueError("a message without sender or id")
    when = reading.seconds(message.get("timestamp")) or at
    kind = reading.text(message.get("type"), 30)
    if kind == "reaction":
        told_of = reading.table(message.get("reaction"))
        return [
            Reaction(
                reading.text(told_of.get("message_id"), 500),
                _alone(sender),
                reading.text(told_of.get("emoji"), 20),
                when,
            )
        ]
    if kind == "revoke":
        return [Withdrawal(_original(message, kind), when)]
    if kind == "edit":
        changed = reading.table(reading.table(message.get("edit")).get("message"))
        return [Edit(_original(message, kind), _content(changed)[0], when)]
    if kind == "system":
        return _system(message, sender, wamid, scope, when)
    text, content_kind, payload, media = _content(message)
    if content_kind == "button" and (ours := presses.read(payload["data"])):
        return [Press(*ours, sender, when)]
    context = reading.table(message.get("context"))
    if wa_id:
        payload["wa_id"] = wa_id
    if context.get("forwarded") or context.get("frequently_forwarded"):
        payload["forwarded"] = "user"
    if referral := reading.table(message.get("referral")):
        payload["referral"] = reading.plain(referral)
    return [
        Inbound(
            key=wamid,
            scope=scope,
            sender=sender,
            text=text,
            visible_text=text,
            external_id=wamid,
            language=language.detect(text),
            at=when,
            in_reply_to=reading.text(context.get("id"), 500),
            content_kind=content_kind,
            payload=payload,
            remote=media,
        )
    ]


def _alone(person: Party) -> Party:
    return Party(person.kind, person.value, person.name)


def _original(message: Table, kind: str) -> str:
    return reading.text(reading.table(message.get(kind)).get("original_message_id"), 500)


def _system(message: Table, sender: Party, wamid: str, scope: str, when: datetime) -> Sequence[Parsed]:
    """They have another number now. WhatsApp says so, not they: the new one is theirs, and the old one no more."""
    told = reading.table(message.get("system"))
    words = reading.text(told.get("body"), 1000)
    new = party((told.get("wa_id") or told.get("new_wa_id"),), (told.get("user_id"),), sender.name)
    moved = new is not None and reading.text(told.get("type"), 40) in {"user_changed_number", "customer_changed_number"}
    who = sender
    if new is not None and moved:
        # The new one first: it is there that they are answered from now on.
        who = Party(new.kind, new.value, sender.name, also=(*new.also, _alone(sender), *sender.also))
    wa_id = digits(told.get("wa_id") or told.get("new_wa_id")) if moved else digits(message.get("from"))
    said = Inbound(
        key=wamid,
        scope=scope,
        sender=who,
        text=words,
        visible_text=words,
        external_id=wamid,
        kind="auto_reply",
        suppress_auto_reply=True,
        at=when,
        content_kind="system",
        payload={"system": reading.plain(told), **({"wa_id": wa_id} if wa_id else {})},
    )
    if new is None or not moved:
        return [said]
    # An id that WhatsApp gave them for this business ends with the number where a new one is named.
    now = {one.kind: _alone(one) for one in (new, *new.also)}
    before = [one for one in (_alone(sender), *sender.also) if one.kind in now]
    changed = [AddressChange(one, now[one.kind], when) for one in before if one.value != now[one.kind].value]
    return [said, *changed]


def _content(message: Table) -> Content:
    """What was said: text, kind of content, payload, files."""
    kind = reading.text(message.get("type"), 30)
    found = message.get(kind) if kind else None
    if kind == "text":
        return reading.text(reading.table(found).get("body")), "text", {}, ()
    if kind in FILES and reading.table(found).get("id"):
        return _of_file(kind, reading.table(found))
    if kind == "location":
        return "", "location", _place(reading.table(found)), ()
    if kind == "contacts" and reading.rows(found):
        return "", "contact", {"contacts": [_card(one) for one in reading.rows(found)[:50]]}, ()
    if kind == "button":
        pressed = reading.table(found)
        data = reading.text(pressed.get("payload"), 500)
        return reading.text(pressed.get("text"), 500) or data, "button", {"data": data}, ()
    if kind == "interactive":
        answer = reading.table(found)
        chosen = reading.table(answer.get(reading.text(answer.get("type"), 30)))
        title = reading.text(chosen.get("title"), 500) or reading.text(chosen.get("body"), 500)
        if title:
            data = reading.text(chosen.get("id"), 500) or reading.text(chosen.get("response_json"), 5000)
            return title, "button", {"data": data}, ()
    named = reading.text(reading.table(message.get("unsupported")).get("type"), 60) or kind or "unknown"
    return "", "unsupported", messenger.unsupported(named, reading.plain(message)), ()


def _of_file(kind: str, found: Table) -> Content:
    name, usual = USUAL[kind]
    payload: dict[str, Any] = {}
    if kind == "sticker":
        payload["emoji"] = ""
    file = RemoteMedia(
        {"id": reading.text(found.get("id"), 100)},
        reading.text(found.get("filename"), 200) or name,
        reading.text(found.get("mime_type"), 100) or usual,
        reading.number(found.get("file_size")),
    )
    shown = "voice" if kind == "audio" and found.get("voice") is True else FILES[kind]
    return reading.text(found.get("caption")), shown, payload, (file,)


def _place(place: Table) -> dict[str, Any]:
    return {
        "latitude": reading.plain(place.get("latitude")),
        "longitude": reading.plain(place.get("longitude")),
        "name": reading.text(place.get("name"), 200),
        "address": reading.text(place.get("address"), 300),
    }


def _card(card: Table) -> dict[str, Any]:
    name = reading.table(card.get("name"))
    numbers = [reading.text(one.get("phone"), 40) for one in reading.rows(card.get("phones"))[:20]]
    return {
        "name": reading.name_of(name.get("formatted_name"))
        or reading.name_of(name.get("first_name"), name.get("last_name")),
        "phones": [one for one in numbers if one],
    }


def _status(status: Table) -> Sequence[Parsed]:
    wamid, told = reading.text(status.get("id"), 500), reading.text(status.get("status"), 30)
    if not wamid:
        raise ValueError("a status of nothing")
    if told not in STATES:
        raise Ignore(_("WhatsApp tells of %(what)s, which is no message.") % {"what": f"“{told}”"})
    state: Any = STATES[told]
    ours = reading.text(status.get("biz_opaque_callback_data"), 40)
    update = {
        "external_id": wamid,
        "state": state,
        "at": reading.seconds(status.get("timestamp")),
        "reference": int(ours) if ours.isascii() and ours.isdecimal() and len(ours) < 19 else 0,
    }
    if state != "failed":
        return [DeliveryUpdate(**update)]
    why = refusal(notices.graph_refusal(next(iter(reading.rows(status.get("errors"))), reading.NOTHING)))
    fault: Any = why.fault if why.fault in {"window", "blocked"} else ""
    return [DeliveryUpdate(**update, error=str(why.reason), fault=fault)]


def _echo(told: Table, message: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    """What a colleague wrote in WhatsApp's own app, on a number that is used there, too."""
    to, _wa_id = _person(told, message, "to")
    wamid = reading.text(message.get("id"), 500)
    if to is None or not wamid:
        raise ValueError("an echo without addressee or id")
    when = reading.seconds(message.get("timestamp")) or at
    kind = reading.text(message.get("type"), 30)
    if kind == "revoke":
        return [Withdrawal(_original(message, kind), when)]
    if kind == "edit":
        changed = reading.table(reading.table(message.get("edit")).get("message"))
        return [Edit(_original(message, kind), _content(changed)[0], when)]
    if kind == "reaction":
        given = reading.table(message.get("reaction"))
        return [Reaction(reading.text(given.get("message_id"), 500), None, reading.text(given.get("emoji"), 20), when)]
    text, content_kind, payload, media = _content(message)
    return [
        Inbound(
            key=wamid,
            scope=scope,
            sender=None,
            to=(to,),
            text=text,
            visible_text=text,
            external_id=wamid,
            at=when,
            content_kind=content_kind,
            payload=payload,
            remote=media,
            echo=True,
        )
    ]
