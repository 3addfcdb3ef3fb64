"""Telegram's objects, made of our rows: users, chats, messages, files. Bot API 10.1."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.phones.models import Account, Line, Media, Person

# Fields of a message's object that a line keeps under payload["fields"] and shows as they are.
FILE_KINDS = {
    "photo": "AgAC",
    "document": "BQAC",
    "voice": "AwAC",
    "video": "BAAC",
    "audio": "CQAC",
    "sticker": "CAAC",
    "video_note": "DQAC",
    "animation": "CgAC",
}
FOLDERS = {
    "photo": "photos",
    "document": "documents",
    "voice": "voice",
    "video": "videos",
    "audio": "music",
    "sticker": "stickers",
    "video_note": "video_notes",
    "animation": "animations",
}


def user(person: Person) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    found = {"id": int(person.external_id), "is_bot": False, "first_name": first or "-"}
    if last:
        found["last_name"] = last
    if person.handle:
        found["username"] = person.handle
    if person.attributes.get("language"):
        found["language_code"] = person.attributes["language"]
    return found


def chat(person: Person) -> dict[str, Any]:
    found = {key: value for key, value in user(person).items() if key in {"id", "first_name", "last_name", "username"}}
    return {**found, "type": "private"}


def bot(account: Account) -> dict[str, Any]:
    username = account.settings.get("username") or f"bot{account.external_id}_bot"
    return {"id": int(account.external_id), "is_bot": True, "first_name": account.name, "username": username}


def message(line: Line, *, replied: bool = True) -> dict[str, Any]:
    """A line as a Message; `replied` False leaves out what it answers, as the server does one level down."""
    assert line.person is not None
    found: dict[str, Any] = {
        "message_id": int(line.external_id),
        "from": bot(line.account) if line.ours else user(line.person),
        "chat": chat(line.person),
        "date": int(line.at.timestamp()),
    }
    if line.edited_at:
        found["edit_date"] = int(line.edited_at.timestamp())
    if replied and line.reply_to:
        answered = Line.objects.filter(account=line.account, person=line.person, external_id=line.reply_to).first()
        if answered is not None and not answered.deleted_at:
            found["reply_to_message"] = message(answered, replied=False)
    fields = dict(line.payload.get("fields", {}))
    if line.text:
        word = "text" if line.kind == "text" else "caption"
        found[word] = line.text
        entities = line.payload.get("entities")
        if entities:
            found["entities" if word == "text" else "caption_entities"] = entities
    return {**found, **fields}


def file_object(kind: str, media: Media) -> dict[str, Any]:
    """What a message says of a file of this kind, without the dimensions that only some have."""
    found: dict[str, Any] = {
        "file_id": media.external_id,
        "file_unique_id": unique_id(media),
        "file_size": media.size,
    }
    if kind in {"document", "video", "audio", "voice", "animation"}:
        found["mime_type"] = media.content_type
    if kind in {"document", "video", "audio", "animation"} and media.name:
        found["file_name"] = media.name
    if kind in {"video", "animation"}:
        found |= {"width": 640, "height": 360, "duration": 5}
    if kind in {"voice", "audio"}:
        found["duration"] = 5
    if kind == "sticker":
        found |= {
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "type": "regular",
            "emoji": "👍",
        }
    if kind == "video_note":
        found |= {"length": 240, "duration": 5}
    return found


def fields_of(kind: str, media: list[Media]) -> dict[str, Any]:
    """The message's field for its file; of a photo all its sizes, the largest last. A GIF is a document, too."""
    if kind == "photo":
        sizes = ((90, 67), (800, 600))
        return {
            "photo": [
                {**file_object(kind, one), "width": size[0], "height": size[1]}
                for one, size in zip(media, sizes[-len(media) :], strict=True)
            ]
        }
    found = {kind: file_object(kind, media[0])}
    if kind == "animation":
        found["document"] = file_object("document", media[0])
    return found


def unique_id(media: Media) -> str:
    """The same for the same file, whoever sends it."""
    return "AgAD" + hashlib.sha256(bytes(media.content)).hexdigest()[:11]


def file_path(media: Media) -> str:
    """Where getFile says that a file is; its number is the row's."""
    kind = next((kind for kind, prefix in FILE_KINDS.items() if media.external_id.startswith(prefix)), "document")
    ending = media.name.rpartition(".")[2] if "." in media.name else {"photo": "jpg", "voice": "oga"}.get(kind, "bin")
    return f"{FOLDERS[kind]}/file_{media.pk}.{ending[:8]}"
