"""What a customer does in Telegram: each makes its line, and an update where the bot is told of it."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sandbox.phones import core, telegram, telegram_html
from sandbox.phones.acts import Act, Cannot, Given, Platform, Trouble, Upload, older, register
from sandbox.phones.models import Account, Line, Media, Person
from sandbox.phones.telegram_base import add_line
from sandbox.phones.telegram_shapes import FILE_KINDS, bot, fields_of, message, user
from sandbox.phones.telegram_updates import tell

__all__ = ["telegram"]

PLACE = {"latitude": 31.5204, "longitude": 74.3587}  # Lahore
REACTIONS = ("👍", "❤️", "😁", "😢", "🙏", "🔥")
SENDING = ["send[!C]*", "editMessageText"]  # what sends: without sendChatAction, and without sendContact
TYPES = {"photo": "image/", "video": "video/", "voice": "audio/", "audio": "audio/"}


def meet(account: Account, name: str, phone: str = "") -> Person:
    """Somebody new, who has not written to the bot yet."""
    number = str(5_000_000_000 + random.randbelow(999_999_999))
    handle = "".join(letter for letter in name.lower().replace(" ", "_") if letter.isascii() and letter.isidentifier())
    return Person.objects.create(
        account=account, external_id=number, name=name, handle=handle if len(handle) > 4 else "", phone=phone
    )


def _say(account: Account, person: Person, kind: str, given: Given, payload: dict[str, Any], words: str = "") -> Line:
    """A line of the person's, told as a message."""
    if person.blocked:
        raise Cannot(_("You have blocked this bot. Unblock it to write."))
    reply_to = given.line.external_id if given.line else ""
    line = add_line(account, person, kind=kind, text=words, payload=payload, reply_to=reply_to)
    tell(account, "message", message(line), person.external_id)
    return line


def text(account: Account, person: Person, given: Given) -> Line:
    """A text, or an answer where `given.line` is there. With files, what each is: a photo, a video, a document."""
    if given.files:
        return file(account, person, given, "")
    if not given.text.strip():
        raise Cannot(_("Write something first."))
    return _say(account, person, "text", given, {"entities": telegram_html.noticed(given.text)}, given.text)


def start(account: Account, person: Person, given: Given) -> Line:
    """`/start`, with the payload of a deep link as text; who had blocked the bot takes it back by this."""
    if person.blocked:
        unblock(account, person, given)
    words = f"/start {given.text.strip()[:64]}".strip()
    return _say(account, person, "text", Given(), {"entities": telegram_html.noticed(words)}, words)


def keep(account: Account, kind: str, upload: Upload, size: int = 0) -> list[Media]:
    """Put a file on Telegram's servers; a photo in two sizes. `size` says that it is larger than what is kept."""
    prefix = FILE_KINDS[kind]
    made = [
        core.keep(account, upload.content, upload.content_type, upload.name, prefix=prefix)
        for _one in range(2 if kind == "photo" else 1)
    ]
    if size:
        Media.objects.filter(pk=made[-1].pk).update(size=size)
        made[-1].size = size
    return made


def _kind_of(upload: Upload) -> str:
    if upload.content_type in {"image/jpeg", "image/png", "image/webp"}:
        return "photo"
    if upload.content_type == "image/gif":
        return "animation"
    return next(
        (kind for kind in ("video", "audio") if upload.content_type.startswith(TYPES[kind])),
        "document",
    )


def file(account: Account, person: Person, given: Given, kind: str) -> Line:
    """A file as a photo, document, voice, video, sticker ("": as what it is); several make an album."""
    if not given.files:
        raise Cannot(_("Choose a file first."))
    group = str(139_000_000 + random.randbelow(99_999_999)) if len(given.files) > 1 else ""
    lines = []
    for number, upload in enumerate(given.files):
        what = kind or _kind_of(upload)
        media = keep(account, what, upload)
        caption = "" if number or what == "sticker" else given.text
        fields = {**fields_of(what, media), **({"media_group_id": group} if group else {})}
        payload = {
            "media": [media[-1].external_id],
            "fields": fields,
            "group": group,
            "entities": telegram_html.noticed(caption),
        }
        lines.append(_say(account, person, what, given, payload, caption))
    return lines[0]


def too_large(account: Account, person: Person, given: Given) -> Line:
    """A document that bots cannot fetch: more than 20 MB by what is said of it."""
    media = keep(account, "document", Upload("film.mkv", "video/x-matroska", b"\x1aE\xdf\xa3"), 300 * 1024 * 1024)
    payload = {"media": [media[0].external_id], "fields": fields_of("document", media)}
    return _say(account, person, "document", given, payload, given.text)


def location(account: Account, person: Person, given: Given) -> Line:
    return _say(account, person, "location", given, {"fields": {"location": PLACE}, "place": PLACE})


def contact(account: Account, person: Person, given: Given) -> Line:
    """The person's own number, as the button "Share my phone" does."""
    phone = person.phone or "+923001234567"
    fields: dict[str, Any] = {"phone_number": phone.lstrip("+"), **user(person), "user_id": int(person.external_id)}
    shared = {
        key: value for key, value in fields.items() if key in {"phone_number", "first_name", "last_name", "user_id"}
    }
    payload = {"fields": {"contact": shared}, "contact": {"name": person.name, "phone": phone}}
    return _say(account, person, "contact", given, payload)


UNKNOWN: dict[str, dict[str, Any]] = {
    "poll": {
        "poll": {
            "id": "5001",
            "question": "Tea or coffee?",
            "options": [
                {"persistent_id": "a1", "text": "Tea", "voter_count": 0},
                {"persistent_id": "a2", "text": "Coffee", "voter_count": 0},
            ],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        }
    },
    "dice": {"dice": {"emoji": "🎲", "value": 4}},
    "story": {"story": {"chat": {"id": -1001, "type": "channel", "title": "News"}, "id": 7}},
    "gift": {"kind_of_tomorrow": {"id": "1"}},
}


def unknown(account: Account, person: Person, given: Given) -> Line:
    """A kind that a program may not know; "gift" is one that no program knows yet."""
    what = given.choice or "poll"
    return _say(account, person, what, given, {"fields": UNKNOWN[what]})


def edit(account: Account, person: Person, given: Given) -> Line:
    line = _own(given)
    line.text, line.edited_at = given.text, timezone.now()
    line.payload = {**line.payload, "entities": telegram_html.noticed(given.text)}
    line.save(update_fields=["text", "payload", "edited_at"])
    tell(account, "edited_message", message(line), person.external_id)
    return line


def delete(account: Account, person: Person, given: Given) -> Line:
    """For both sides; a bot is never told."""
    assert given.line is not None
    given.line.deleted_at = timezone.now()
    given.line.save(update_fields=["deleted_at"])
    return given.line


def _own(given: Given) -> Line:
    if given.line is None or given.line.ours:
        raise Cannot(_("Only your own messages can be changed."))
    return given.line


def react(account: Account, person: Person, given: Given) -> Line:
    """Set a reaction (`choice`, an emoji), or with "" take it away."""
    assert given.line is not None
    line = given.line
    old = line.reactions.pop(person.external_id, "")
    if given.choice:
        line.reactions[person.external_id] = given.choice
    line.save(update_fields=["reactions"])

    def listed(emoji: str) -> list[dict[str, str]]:
        return [{"type": "emoji", "emoji": emoji.removesuffix("\ufe0f")}] if emoji else []

    happened = {
        "chat": message(line)["chat"],
        "message_id": int(line.external_id),
        "user": user(person),
        "date": int(timezone.now().timestamp()),
        "old_reaction": listed(old),
        "new_reaction": listed(given.choice),
    }
    tell(account, "message_reaction", happened, person.external_id)
    return line


def press(account: Account, person: Person, given: Given) -> Line:
    """Press a button under one of the bot's messages; `choice` is its callback data."""
    assert given.line is not None
    query = str(random.randbelow(10**18))
    with core.changing(account) as row:
        row.settings["queries"] = [*row.settings.get("queries", [])[-50:], query]
    pressed = {
        "id": query,
        "from": user(person),
        "message": message(given.line),
        "chat_instance": f"-{int(person.external_id) * 7}",
        "data": given.choice,
    }
    tell(account, "callback_query", pressed, person.external_id)
    return given.line


def _member(account: Account, person: Person, *, blocked: bool) -> None:
    def status(gone: bool) -> dict[str, Any]:
        return {"user": bot(account), "status": "kicked" if gone else "member", **({"until_date": 0} if gone else {})}

    Person.objects.filter(pk=person.pk).update(blocked=blocked)
    person.blocked = blocked
    happened = {
        "chat": {"id": int(person.external_id), "type": "private", "first_name": user(person)["first_name"]},
        "from": user(person),
        "date": int(timezone.now().timestamp()),
        "old_chat_member": status(not blocked),
        "new_chat_member": status(blocked),
    }
    tell(account, "my_chat_member", happened, person.external_id)


def block(account: Account, person: Person, given: Given) -> None:
    if not person.blocked:
        _member(account, person, blocked=True)


def unblock(account: Account, person: Person, given: Given) -> None:
    if person.blocked:
        _member(account, person, blocked=False)


def portrait(account: Account, person: Person, given: Given) -> None:
    """Set the picture that getUserProfilePhotos gives."""
    media = keep(account, "photo", given.files[0])
    person.attributes["photo"] = media[-1].external_id
    person.save(update_fields=["attributes"])


def opened(account: Account, person: Person) -> None:
    """The person looks at the chat: ours are read, which a bot is never told."""
    Line.objects.filter(account=account, person=person, ours=True, state="sent").update(state="read")


def _words(line: Line) -> bool:
    return not line.ours and bool(line.text)


def _buttons(line: Line) -> list[tuple[str, str]]:
    return [(value, label) for label, value in line.payload.get("buttons", [])]


def _has_buttons(line: Line) -> bool:
    return bool(_buttons(line))


def _error(status: int, description: str, **parameters: Any) -> dict[str, Any]:
    body = {"ok": False, "error_code": status, "description": description}
    return {"status": status, "body": {**body, **({"parameters": parameters} if parameters else {})}}


L = gettext_lazy
AS: tuple[tuple[str, Any], ...] = (
    ("document", L("File")),
    ("voice", L("Voice message")),
    ("sticker", L("Sticker")),
)
as_file: dict[str, Callable[[Account, Person, Given], Line]] = {
    kind: partial(file, kind=kind) for kind in ("photo", "document", "voice", "video", "audio", "sticker")
}
TELEGRAM = Platform(
    key="telegram",
    meet=meet,
    acts=(
        Act("text", L("Send"), text, takes=frozenset({"text", "file", "line"}), main=True),
        *(Act(kind, label, as_file[kind], frozenset({"file"}), frozenset({"text", "line"})) for kind, label in AS),
        Act("location", L("Location"), location),
        Act("contact", L("My phone number"), contact),
        Act("start", L("Start the bot"), start, takes=frozenset({"text"})),
        Act(
            "unknown",
            L("Something else"),
            unknown,
            choices=(("poll", L("Poll")), ("dice", L("Dice")), ("story", L("Story")), ("gift", L("Of tomorrow"))),
        ),
        Act("too-large", L("File of 300 MB"), too_large),
        Act("portrait", L("Picture of me"), portrait, frozenset({"file"})),
        Act("block", L("Block"), block),
        Act("unblock", L("Unblock"), unblock),
        Act("press", L("Press"), press, frozenset({"line"}), fits=_has_buttons, choices_of=_buttons),
        Act(
            "react",
            L("React"),
            react,
            frozenset({"line"}),
            choices=(*((one, one) for one in REACTIONS), ("", L("None"))),
        ),
        Act("edit", L("Edit"), edit, frozenset({"line", "text"}), fits=_words),
        Act("delete", L("Delete"), delete, frozenset({"line"})),
    ),
    troubles=(
        Trouble(
            "rate",
            L("Next send: too many requests (429, wait 5 s)"),
            {
                "method": SENDING,
                "headers": {"Retry-After": "5"},
                **_error(429, "Too Many Requests: retry after 5", retry_after=5),
            },
        ),
        Trouble(
            "broken",
            L("Next send: server error (500)"),
            {"method": SENDING, **_error(500, "Internal Server Error: restart")},
        ),
        Trouble(
            "revoked",
            L("Token revoked (401), until put right"),
            {"times": 1_000_000, **_error(401, "Unauthorized")},
        ),
        Trouble(
            "late", L("Next send: done, but the answer never comes"), {"method": SENDING, "after": True, "cut": True}
        ),
        Trouble("slow", L("Next send: done, answered after 20 s"), {"method": SENDING, "after": True, "seconds": 20}),
        Trouble("old", L("Make all messages two days older"), do=older(49)),
    ),
    opened=opened,
)
register(TELEGRAM)
