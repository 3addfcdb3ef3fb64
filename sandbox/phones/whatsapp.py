"""What people on WhatsApp do: each function makes the line and queues what the number's owner is told of it.

A person's `external_id` is the business-scoped user id, `phone` the number; `attributes`: hides_phone (known by a
username alone), wa_id (where it differs from the number), offline, undeliverable, opted_out (of marketing). An
account with `settings["coexistence"]` is used in WhatsApp's own app too: edits and deletions are told to it alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sandbox.phones import chats, files
from sandbox.phones import whatsapp_events as events
from sandbox.phones.acts import Cannot
from sandbox.phones.models import Account, Line, Person, Told

EDITABLE, REVOCABLE = timedelta(minutes=15), timedelta(days=2)
TOO_LARGE = 100 * 1024 * 1024


def meet(account: Account, name: str, phone: str, *, handle: str = "", country: str = "PK") -> Person:
    """Somebody on WhatsApp who knows our number."""
    return Person.objects.create(
        account=account,
        external_id=f"{country}.{chats.digits(16)}",
        name=name,
        phone=phone,
        handle=handle,
        attributes={} if phone else {"hides_phone": True},
    )


def text(account: Account, person: Person, body: str, *, reply_to: str = "") -> Line:
    return _say(account, person, "text", body, {"text": {"body": body}}, reply_to=reply_to)


def file(
    account: Account,
    person: Person,
    kind: str,
    content: bytes,
    content_type: str,
    *,
    name: str = "",
    caption: str = "",
    voice: bool = False,
    animated: bool = False,
    size: int | None = None,
    reply_to: str = "",
) -> Line:
    """Send an image, audio, video, document or sticker. Over 100 MB (`size` may claim it) an error is told."""
    if (len(content) if size is None else size) > TOO_LARGE:
        details = "Failed to download the media from the sender: it is over 100 MB"
        return _unsupported(account, person, kind, 131052, "Media download error", details)
    media = files.keep(account, content, content_type, name, size=size, days=7)
    shown: dict[str, Any] = {"mime_type": content_type, "sha256": files.sha256(media), "id": media.external_id}
    shown["url"] = files.url_of(media)
    if kind == "audio":
        shown["voice"] = voice
    if kind == "sticker":
        shown["animated"] = animated
    if kind == "document" and name:
        shown["filename"] = name
    if caption:
        shown["caption"] = caption
    payload = {"media": [media.external_id], "voice": voice}
    return _say(account, person, kind, caption, {kind: shown}, payload=payload, reply_to=reply_to)


def location(
    account: Account, person: Person, latitude: float, longitude: float, *, name: str = "", address: str = ""
) -> Line:
    place: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
    place |= {"name": name} if name else {}
    place |= {"address": address} if address else {}
    return _say(account, person, "location", name, {"location": place}, payload={"place": place})


def contact(account: Account, person: Person, name: str, phone: str) -> Line:
    """Send somebody's card."""
    card = {"name": {"formatted_name": name}, "phones": [{"phone": phone, "wa_id": phone.lstrip("+"), "type": "CELL"}]}
    return _say(
        account, person, "contacts", name, {"contacts": [card]}, payload={"contact": {"name": name, "phone": phone}}
    )


def react(account: Account, person: Person, line: Line, emoji: str) -> Told | None:
    """Put a reaction at a line, or take it away with ""."""
    chats.react(line, person.external_id, emoji)
    chats.remember(person, reacted_at=timezone.now().isoformat())
    reaction = {"message_id": line.external_id} | ({"emoji": emoji} if emoji else {})
    return events.tell_message(account, person, {"id": events.wamid(), "type": "reaction", "reaction": reaction})


def press(account: Account, person: Person, line: Line, button: str) -> Line:
    """Press a button of a line (its id), or pick of its list: template's buttons are told otherwise than ours."""
    title = next((label for label, value in line.payload.get("buttons", []) if value == button), None)
    if title is None:
        raise Cannot(_("This message has no such button."))
    if line.kind == "template":
        shown: dict[str, Any] = {"button": {"payload": button, "text": title}}
    elif line.payload.get("list"):
        described = line.payload["list"].get(button, "")
        picked = {"id": button, "title": title, "description": described}
        shown = {"interactive": {"type": "list_reply", "list_reply": picked}}
    else:
        reply = {"id": button, "title": title}
        shown = {"interactive": {"type": "button_reply", "button_reply": reply}}
    kind = next(iter(shown))
    return _say(account, person, kind, title, shown, reply_to=line.external_id)


def edit(account: Account, person: Person, line: Line, body: str) -> Line:
    """Change an own text, within 15 minutes."""
    if line.at < timezone.now() - EDITABLE:
        raise Cannot(_("WhatsApp lets people edit for 15 minutes only."))
    chats.edit(line, body)
    if account.settings.get("coexistence"):
        message: dict[str, Any] = {"type": "text", "text": {"body": body}}
        if line.reply_to:
            message["context"] = {"id": line.reply_to}
        change = {"original_message_id": line.external_id, "message": message}
        events.tell_message(account, person, {"id": events.wamid(), "type": "edit", "edit": change})
    else:
        _tell_unsupported(account, person, "edit", 131051, "Message type unknown", "not supported")
    return line


def revoke(account: Account, person: Person, line: Line) -> Line:
    """Delete an own message for everybody, within two days."""
    if line.at < timezone.now() - REVOCABLE:
        raise Cannot(_("WhatsApp lets people delete for everybody for two days only."))
    chats.delete(line)
    if account.settings.get("coexistence"):
        gone = {"original_message_id": line.external_id}
        events.tell_message(account, person, {"id": events.wamid(), "type": "revoke", "revoke": gone})
    return line


def unsupported(account: Account, person: Person, kind: str = "poll_creation") -> Line:
    """Send what the API has no form for."""
    return _unsupported(
        account, person, kind, 131051, "Message type unknown", "Message type is currently not supported."
    )


def change_number(account: Account, person: Person, phone: str) -> Person:
    """Move to another number: the person gets a new user id, and the account's owner a message of the system."""
    old = {"from": events.shown_phone(person), "from_user_id": person.external_id}
    person.phone = phone
    person.external_id = f"{person.external_id.split('.')[0]}.{chats.digits(16)}"
    person.save(update_fields=["phone", "external_id"])
    digits = phone.lstrip("+")
    system = {
        "type": "user_changed_number",
        "body": f"User {person.name} changed from {old['from']} to {digits}",
        "wa_id": digits,
        "user_id": person.external_id,
    }
    head = {**old, "id": events.wamid(), "timestamp": events.seconds(timezone.now())}
    events.tell(account, {"messages": [{**head, "type": "system", "system": system}]})
    return person


def read(account: Account, person: Person) -> int:
    """Open the chat: all that arrived is read. Returns how many statuses went out."""
    told = 0
    for line in person.lines.filter(ours=True, state__in=["sent", "delivered"]).order_by("pk"):
        told += events.tell_status(account, line, "read") is not None
    return told


def play(account: Account, person: Person, line: Line) -> Told | None:
    """Listen to a voice message of ours for the first time."""
    return events.tell_status(account, line, "played")


def switch_on(account: Account, person: Person, on: bool = True) -> None:
    """Switch the phone on (what waited is delivered) or off."""
    chats.remember(person, offline=None if on else True)
    if on and not person.blocked:
        for line in person.lines.filter(ours=True, state="sent").order_by("pk"):
            events.tell_status(account, line, "delivered")


def block(account: Account, person: Person, blocked: bool = True) -> None:
    """Block our number: what we send is never more than "sent"."""
    person.blocked = blocked
    person.save(update_fields=["blocked"])


def answer_in_app(account: Account, person: Person, body: str) -> Line:
    """The number's owner answers in WhatsApp's own app; told where the number is in coexistence."""
    line = _line(account, person, "text", body, ours=True)
    line.state = "sent"
    line.save()
    head = {"from": account.settings.get("display_phone_number", "").lstrip("+"), "to": events.wa_id(person)}
    echo = {**head, "to_user_id": person.external_id, "id": line.external_id, "timestamp": events.seconds(line.at)}
    whole = {"contacts": [events.contact(person)], "message_echoes": [{**echo, "type": "text", "text": {"body": body}}]}
    if account.settings.get("coexistence"):
        events.tell(account, whole, "smb_message_echoes")
    return line


def account_error(
    account: Account, code: int = 130429, title: str = "Rate limit hit", details: str = ""
) -> Told | None:
    """An error of the whole number, told with no message."""
    return events.tell(account, {"errors": [events.error(code, title, details or "Throughput reached")]})


def account_news(account: Account, field: str, value: dict[str, Any]) -> Told:
    """What is told of the whole account, without any of its numbers, to whoever asked for it in the app."""
    return events.tell_of_account(account, value, field)


def _line(account: Account, person: Person, kind: str, shown: str, *, ours: bool = False) -> Line:
    return Line(account=account, person=person, kind=kind, text=shown, external_id=events.wamid(), ours=ours)


def _say(
    account: Account,
    person: Person,
    kind: str,
    shown: str,
    message: dict[str, Any],
    *,
    payload: dict[str, Any] | None = None,
    reply_to: str = "",
) -> Line:
    """The line, and its message told."""
    line = _line(account, person, kind, shown)
    line.payload, line.reply_to = payload or {}, reply_to
    line.save()
    if reply_to:
        before = chats.found(account, reply_to, person)
        ours = before is None or before.ours
        number = account.settings.get("display_phone_number", "").lstrip("+") if ours else events.shown_phone(person)
        message = {**message, "context": {**({"from": number} if number else {}), "id": reply_to}}
    events.tell_message(account, person, {"id": line.external_id, "type": kind, **message}, line.at)
    return line


def _tell_unsupported(
    account: Account, person: Person, kind: str, code: int, title: str, details: str, wamid: str = ""
) -> None:
    error = {key: value for key, value in events.error(code, title, details).items() if key != "href"}
    message = {"id": wamid or events.wamid(), "type": "unsupported", "unsupported": {"type": kind}, "errors": [error]}
    events.tell_message(account, person, message)


def _unsupported(account: Account, person: Person, kind: str, code: int, title: str, details: str) -> Line:
    line = _line(account, person, "unsupported", "")
    line.payload = {"type": kind}
    line.save()
    _tell_unsupported(account, person, kind, code, title, details, line.external_id)
    return line
