"""Updates of the Bot API as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from channels_social import messenger, reading
from inbox import presses
from inbox.adapters import Edit, Ignore, Inbound, Parsed, Party, Press, ReachUpdate, Reaction, RemoteMedia, Withdrawal
from lib import language, phones

KIND = "telegram"
FILES = ("document", "voice", "audio", "video", "video_note", "animation", "sticker")
# What a chat tells about itself: nobody said anything.
SERVICE = (
    "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo", "pinned_message",
    "group_chat_created", "supergroup_chat_created", "channel_chat_created", "message_auto_delete_timer_changed",
    "migrate_to_chat_id", "migrate_from_chat_id", "write_access_allowed", "chat_background_set",
)  # fmt: skip
Table = Mapping[str, Any]
NUMBER = "update number"
BUTTON = "button"  # what a press becomes, by its content kind
PRESS = "button:"  # before the id of a press, where ids of messages stand


def parse(update: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    """One update; `scope` is the channel's, `at` when it came. Raises Ignore."""
    for name, read in READERS.items():
        if isinstance(update.get(name), Mapping):
            return read({**update[name], NUMBER: reading.number(update.get("update_id"))}, scope, at)
    kinds = sorted(key for key in update if key != "update_id")
    raise Ignore(_("Telegram tells of %(what)s, which is no message.") % {"what": ", ".join(map(str, kinds))[:200]})


def _when(told: Table, name: str, at: datetime) -> datetime:
    """When something changed. Telegram counts in seconds: within one, the numbers of updates say what came later."""
    found = reading.seconds(told.get(name))
    return at if found is None else found + timedelta(microseconds=told[NUMBER] % 1_000_000)


def key(message: Table) -> str:
    """A message's id: numbers are unique within their chat alone."""
    chat = reading.text(reading.table(message.get("chat")).get("id"), 40)
    number = reading.text(message.get("message_id"), 40)
    return f"{chat}:{number}" if chat and number else ""


def _sender(user: Any) -> Party | None:
    found = reading.table(user)
    return reading.person(KIND, found.get("id"), _name_of(found))


def _name_of(user: Table) -> str:
    return reading.name_of(user.get("first_name"), user.get("last_name")) or reading.text(user.get("username"), 100)


def _private(message: Table) -> None:
    kind = reading.table(message.get("chat")).get("type", "private")
    if kind != "private":
        raise Ignore(_("It was written in a group, where the bot only listens."))


def _message(message: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    _private(message)
    sender, identifier = _sender(message.get("from")), key(message)
    if sender is None or not identifier:
        raise ValueError("a message without sender or number")
    if any(name in message for name in SERVICE):
        raise Ignore(_("It tells something about the chat, which nobody said."))
    text, kind, payload, media = _content(message)
    if kind == "start" and not text:
        return [ReachUpdate(sender, at, blocked=False)]
    replied = reading.table(message.get("reply_to_message"))
    if message.get("media_group_id"):
        payload = {**payload, "album": reading.text(message["media_group_id"], 60)}
    if forwarded := reading.table(message.get("forward_origin")):
        payload = {**payload, "forwarded": reading.text(forwarded.get("type"), 30)}
    told = reading.text(reading.table(message.get("from")).get("language_code"), 10)
    return [
        Inbound(
            key=identifier,
            scope=scope,
            sender=sender,
            text=text,
            visible_text=text,
            external_id=identifier,
            language=language.detect(text, told),
            at=reading.seconds(message.get("date")),
            in_reply_to=key({**replied, "chat": message.get("chat")}) if replied else "",
            content_kind=kind,
            payload=payload,
            remote=media,
            claims=_own_number(message),
        )
    ]


def _own_number(message: Table) -> tuple[Party, ...]:
    """The telephone number of somebody who shares their own contact: Telegram names its holder where it knows them.

    A claim all the same: it finds nobody, and offers agents to join the two whom it is known of.
    """
    contact, sender = reading.table(message.get("contact")), reading.table(message.get("from"))
    own = contact.get("user_id") is not None and contact.get("user_id") == sender.get("id")
    digits = reading.text(contact.get("phone_number"), 40).strip().removeprefix("+") if own else ""
    number = phones.e164(f"+{digits}", mobile=True) if digits else ""
    return (Party("phone", number, _name_of(sender)),) if number else ()


def _content(message: Table) -> tuple[str, str, dict[str, Any], tuple[RemoteMedia, ...]]:
    """What was said: text, kind of content, payload, files."""
    caption = reading.text(message.get("caption"))
    if "text" in message:
        text = reading.text(message["text"])
        if text == "/start" or text.startswith("/start "):
            return text[len("/start") :].strip(), "start", {}, ()
        return text, "text", {}, ()
    photos = reading.rows(message.get("photo"))
    if photos:
        largest = max(photos, key=lambda one: reading.number(one.get("file_size")) or reading.number(one.get("width")))
        return caption, "image", {}, (_file(largest, "photo.jpg", "image/jpeg"),)
    for name in FILES:
        found = reading.table(message.get(name))
        if found.get("file_id"):
            return _of_file(name, found, caption)
    place = reading.table(message.get("venue")) or reading.table(message.get("location"))
    if place:
        return "", "location", _place(place), ()
    contact = reading.table(message.get("contact"))
    if contact:
        card = {
            "name": reading.name_of(contact.get("first_name"), contact.get("last_name")),
            "phones": [reading.text(contact.get("phone_number"), 40)],
        }
        return "", "contact", {"contacts": [card]}, ()
    known = {NUMBER, "message_id", "from", "chat", "date", "reply_to_message", "message_thread_id"}
    kind = next((str(one) for one in message if one not in known), "unknown")
    return (
        "",
        "unsupported",
        messenger.unsupported(kind, reading.plain({name: value for name, value in message.items() if name != NUMBER})),
        (),
    )


def _of_file(name: str, found: Table, caption: str) -> tuple[str, str, dict[str, Any], tuple[RemoteMedia, ...]]:
    kind = {"voice": "voice", "sticker": "sticker", "audio": "audio", "document": "file"}.get(name, "video")
    payload: dict[str, Any] = {}
    if seconds := reading.number(found.get("duration")):
        payload["seconds"] = seconds
    if name == "sticker":
        payload["emoji"] = reading.text(found.get("emoji"), 20)
    usual = {
        "voice": ("voice.ogg", "audio/ogg"),
        "sticker": ("sticker.webp", "image/webp"),
        "video_note": ("video.mp4", "video/mp4"),
        "animation": ("animation.mp4", "video/mp4"),
    }.get(name, ("", ""))
    return caption, kind, payload, (_file(found, *usual),)


def _file(found: Table, name: str, kind: str) -> RemoteMedia:
    return RemoteMedia(
        {"file_id": reading.text(found.get("file_id"), 300)},
        reading.text(found.get("file_name"), 200) or name,
        reading.text(found.get("mime_type"), 100) or kind,
        reading.number(found.get("file_size")),
    )


def _place(place: Table) -> dict[str, Any]:
    where = reading.table(place.get("location")) or place
    return {
        "latitude": reading.plain(where.get("latitude")),
        "longitude": reading.plain(where.get("longitude")),
        "name": reading.text(place.get("title"), 200),
        "address": reading.text(place.get("address"), 300),
    }


def _edited(message: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    _private(message)
    if reading.table(message.get("location")):
        # Each step of whoever shares their place as they move: for hours, and every few seconds.
        raise Ignore(_("They are somewhere else now: of a place that moves, the first one is kept."), keep=False)
    text = reading.text(message.get("text")) or reading.text(message.get("caption"))
    return [Edit(key(message), text, _when(message, "edit_date", at))]


def _reaction(told: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    new = reading.rows(told.get("new_reaction"))
    emoji = next((reading.text(one.get("emoji"), 20) or "⭐" for one in new), "")
    who = _sender(told.get("user")) or _sender(told.get("actor_chat"))
    if who is None:
        raise ValueError("a reaction of nobody")
    return [Reaction(key(told), who, emoji, _when(told, "date", at))]


def _member(told: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    """The customer blocks the bot, or lets it in again."""
    _private(told)
    who = _sender(told.get("from"))
    if who is None:
        raise ValueError("a change of nobody")
    status = reading.text(reading.table(told.get("new_chat_member")).get("status"), 30)
    return [ReachUpdate(who, _when(told, "date", at), blocked=status in {"kicked", "left"})]


def _pressed(told: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    """A button under a message of ours."""
    sender, identifier = _sender(told.get("from")), reading.text(told.get("id"), 100)
    if sender is None or not identifier:
        raise ValueError("a button without sender or number")
    under = reading.table(told.get("message"))
    data = reading.text(told.get("data"), 500)
    if ours := presses.read(data):
        return [Press(*ours, sender, at, f"{PRESS}{identifier}")]
    words = _label(under, data) or data
    return [
        Inbound(
            key=f"{PRESS}{identifier}",
            scope=scope,
            sender=sender,
            text=words,
            visible_text=words,
            external_id=f"{PRESS}{identifier}",
            at=at,
            in_reply_to=key(under) if under else "",
            content_kind=BUTTON,
            payload={"data": data},
        )
    ]


def query_of(external_id: str) -> str:
    """What Telegram calls the press that a message came of; empty for a message that was no press."""
    return external_id.removeprefix(PRESS) if external_id.startswith(PRESS) else ""


def _label(under: Table, data: str) -> str:
    """What stood on the button."""
    lines = reading.table(under.get("reply_markup")).get("inline_keyboard")
    for line in lines if isinstance(lines, list) else ():
        for button in reading.rows(line):
            if button.get("callback_data") == data:
                return reading.text(button.get("text"), 200)
    return ""


def _withdrawn(told: Table, scope: str, at: datetime) -> Sequence[Parsed]:
    """Deletions are told of connected business accounts alone."""
    numbers = told.get("message_ids")
    ids = [key({"chat": told.get("chat"), "message_id": one}) for one in numbers] if isinstance(numbers, list) else []
    return [Withdrawal(one, at) for one in ids if one]


READERS = {
    "message": _message,
    "edited_message": _edited,
    "message_reaction": _reaction,
    "my_chat_member": _member,
    "callback_query": _pressed,
    "deleted_business_messages": _withdrawn,
}
ALLOWED = [*READERS]  # what the bot asks to be told: reactions only come where they are named
