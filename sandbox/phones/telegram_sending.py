"""What a bot does: Telegram's methods that send, change and take away, with the checks of its server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandbox.phones import chats
from sandbox.phones import telegram_html as formatting
from sandbox.phones.models import Account, Line, Media, Person
from sandbox.phones.telegram_base import Parameters, add_line, bad, chat_of, file_of, line_of, not_too_fast, upload_of
from sandbox.phones.telegram_shapes import fields_of, message

MOST_TEXT, MOST_CAPTION = 4096, 1024
DELETABLE = timedelta(hours=48)
REACTIONS = {
    *"👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 🌚 🌭 💯 🤣 ⚡".split(),
    *"🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡".split(),
    *"🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 😡 ❤\ufe0f".split(),
}


def _formatted(given: Parameters, name: str) -> tuple[str, list[dict[str, Any]]]:
    """A text parameter without its formatting, and its entities. Raises Refused."""
    source, mode = given.text(name), given.text("parse_mode").lower()
    if not mode:
        return source.strip(), given.json("entities" if name == "text" else "caption_entities") or []
    if mode != "html":
        raise bad("unsupported parse_mode")
    try:
        text, entities = formatting.parse(source)
    except formatting.CannotParse as error:
        raise bad(f"can't parse entities: {error}") from error
    return text.rstrip(), entities


def _text(given: Parameters) -> tuple[str, list[dict[str, Any]]]:
    text, entities = _formatted(given, "text")
    if not text.strip():
        raise bad("message text is empty")
    if formatting.units(text) > MOST_TEXT:
        raise bad("message is too long")
    return text, entities


def _caption(given: Parameters) -> tuple[str, list[dict[str, Any]]]:
    text, entities = _formatted(given, "caption")
    if formatting.units(text) > MOST_CAPTION:
        raise bad("message caption is too long")
    return text, entities


def _answered(account: Account, person: Person, given: Parameters) -> str:
    """The id of the message that is answered, "" for none."""
    asked = given.json("reply_parameters") or {}
    number = str(asked.get("message_id") or given.text("reply_to_message_id") or "")
    if not number:
        return ""
    found = Line.objects.filter(account=account, person=person, external_id=number, deleted_at=None).exists()
    if not found and not (asked.get("allow_sending_without_reply") or given.flag("allow_sending_without_reply")):
        raise bad("message to be replied not found")
    return number if found else ""


def _markup(given: Parameters) -> dict[str, Any]:
    """What is kept of `reply_markup`: the field itself, and for the page its inline buttons."""
    markup = given.json("reply_markup")
    if not isinstance(markup, dict) or "inline_keyboard" not in markup:
        return {}
    rows = markup["inline_keyboard"]
    for button in (one for row in rows for one in row):
        if len(str(button.get("callback_data", "")).encode()) > 64:
            raise bad("BUTTON_DATA_INVALID")
    buttons = [[one.get("text", ""), one["callback_data"]] for row in rows for one in row if "callback_data" in one]
    return {"fields": {"reply_markup": markup}, "buttons": buttons}


def _send(
    account: Account, person: Person, given: Parameters, kind: str, payload: dict[str, Any], text: str = ""
) -> Line:
    not_too_fast(account, person)
    reply_to = _answered(account, person, given)
    markup = _markup(given)
    fields = {**payload.get("fields", {}), **markup.get("fields", {})}
    payload = {**payload, "fields": fields}
    if markup.get("buttons"):
        payload["buttons"] = markup["buttons"]
    return add_line(account, person, ours=True, kind=kind, text=text, reply_to=reply_to, payload=payload, state="sent")


def send_message(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    text, entities = _text(given)
    return message(_send(account, person, given, "text", {"entities": entities}, text))


def _file_payload(kind: str, media: Media, entities: list[dict[str, Any]]) -> dict[str, Any]:
    return {"media": [media.external_id], "fields": fields_of(kind, [media]), "entities": entities}


def send_file(account: Account, given: Parameters, kind: str) -> Any:
    """sendPhoto, sendDocument, sendVoice, sendVideo, sendAudio, sendSticker…"""
    person = chat_of(account, given)
    text, entities = ("", []) if kind == "sticker" else _caption(given)
    media = upload_of(account, given, kind, kind)
    return message(_send(account, person, given, kind, _file_payload(kind, media, entities), text))


def send_media_group(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    parts = given.json("media")
    if not isinstance(parts, list) or not 2 <= len(parts) <= 10:
        raise bad("group of 2-10 media is required" if not isinstance(parts, list) else "wrong number of media to send")
    kinds = {str(one.get("type")) for one in parts}
    if not kinds <= {"photo", "video", "document", "audio"} or (len(kinds) > 1 and kinds != {"photo", "video"}):
        raise bad("document and audio can't be mixed with other media types")
    ready = []
    for one in parts:  # all are looked at before any is sent
        inner = _Inner(given, one)
        text, entities = _caption(inner)
        ready.append((str(one["type"]), file_of(account, given, one.get("media"), str(one["type"])), text, entities))
    sent: list[Line] = []
    for number, (kind, media, text, entities) in enumerate(ready):
        payload = _file_payload(kind, media, entities)
        line = _send(account, person, given, kind, payload, text) if not number else _next(sent[0], kind, payload, text)
        sent.append(line)
    group = f"{sent[0].pk:09}{sent[0].pk % 97:02}"
    for line in sent:
        line.payload["fields"]["media_group_id"] = line.payload["group"] = group
        line.save(update_fields=["payload"])
    return [message(line) for line in sent]


def _next(first: Line, kind: str, payload: dict[str, Any], text: str) -> Line:
    """One more of an album: its limits and what it answers were looked at with the first."""
    assert first.person is not None
    more = {"kind": kind, "text": text, "payload": payload, "reply_to": first.reply_to}
    return add_line(first.account, first.person, ours=True, state="sent", **more)


class _Inner(Parameters):
    """One of an album, with the files of the whole call."""

    def __init__(self, whole: Parameters, values: dict[str, Any]) -> None:
        self.values = values
        self.files = whole.files


def send_location(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    try:
        place = {name: float(given.text(name)) for name in ("latitude", "longitude")}
    except ValueError as error:
        raise bad("latitude and longitude must be specified") from error
    return message(_send(account, person, given, "location", {"fields": {"location": place}, "place": place}))


def send_contact(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    if not given.text("phone_number") or not given.text("first_name"):
        raise bad("phone number and first name of the contact must be specified")
    names = ("phone_number", "first_name", "last_name")
    contact = {name: given.text(name) for name in names if given.text(name)}
    shown = {
        "name": f"{contact['first_name']} {contact.get('last_name', '')}".strip(),
        "phone": contact["phone_number"],
    }
    return message(_send(account, person, given, "contact", {"fields": {"contact": contact}, "contact": shown}))


CHAT_ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


def send_chat_action(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    if given.text("action") not in CHAT_ACTIONS:
        raise bad("wrong parameter action in request")
    chats.type_for(person, 5)
    return True


def edit_message_text(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    line = line_of(account, person, given.text("message_id"), "message to edit not found")
    if not line.ours:
        raise bad("message can't be edited")
    if line.kind != "text":
        raise bad("there is no text in the message to edit")
    text, entities = _text(given)
    markup = _markup(given)
    payload = {"entities": entities, "fields": markup.get("fields", {}), "buttons": markup.get("buttons", [])}
    before = {**line.payload, "fields": line.payload.get("fields", {}), "buttons": line.payload.get("buttons", [])}
    if (text, payload) == (line.text, before):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current "
            "content and reply markup of the message"
        )
    line.text, line.payload, line.edited_at = text, payload, timezone.now()
    line.save(update_fields=["text", "payload", "edited_at"])
    return message(line)


def delete_message(account: Account, given: Parameters) -> Any:
    person = chat_of(account, given)
    line = line_of(account, person, given.text("message_id"), "message to delete not found")
    if line.at < timezone.now() - DELETABLE:
        raise bad("message can't be deleted for everyone")
    line.deleted_at = timezone.now()
    line.save(update_fields=["deleted_at"])
    return True


def set_message_reaction(account: Account, given: Parameters) -> Any:
    """A bot may set one of the known emoji; an empty list takes it away."""
    person = chat_of(account, given)
    line = line_of(account, person, given.text("message_id"), "message to react not found")
    asked = given.json("reaction") or []
    if len(asked) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(one.get("type") != "emoji" or one.get("emoji") not in REACTIONS for one in asked):
        raise bad("REACTION_INVALID")
    line.reactions.pop("us", None)
    if asked:
        line.reactions["us"] = asked[0]["emoji"]
    line.save(update_fields=["reactions"])
    return True
