"""What lists show of a message: its words, or a sign for what has none. Signs need no language."""

from __future__ import annotations

from textwrap import shorten

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inbox.models import PREVIEW_LENGTH, Direction, Message

SIGNS = {
    "image": "📷",
    "video": "🎬",
    "audio": "🎵",
    "voice": "🎤",
    "sticker": "🙂",
    "file": "📎",
    "location": "📍",
    "contact": "👤",
    "story": "🖼",
    "start": "👋",
    "unsupported": "❔",
}
# Of what its writer or we deleted on the platform. Kept in English, and said in the reader's language (`told`).
DELETED_COMMENT, DELETED_MESSAGE = gettext_noop("Deleted comment"), gettext_noop("Deleted message")
TITLE_LENGTH = 80
LOOKED_AT = 4 * PREVIEW_LENGTH  # characters of a long text


def preview(message: Message) -> str:
    """The beginning of what was written, in one line. Under the `text` of a reply stands a signature, which is none.

    Of what is deleted nothing but that it is.
    """
    if message.withdrawn_at is not None:
        return DELETED_COMMENT if message.payload.get("public") else DELETED_MESSAGE
    written = message.visible_text or ("" if message.direction == Direction.OUT else message.text)
    words = " ".join(written[:LOOKED_AT].split())
    sign = SIGNS.get(message.content_kind, "")
    if message.content_kind == "sticker":
        sign = str(message.payload.get("emoji") or sign)
    if not words and message.content_kind == "location":
        words = " ".join(str(message.payload.get("name") or "").split())
    if not words and message.content_kind == "contact":
        words = ", ".join(str(one.get("name", "")) for one in message.payload.get("contacts", [])[:3])
    return " ".join(one for one in (_stars(message), sign, words) if one)[:PREVIEW_LENGTH]


def _stars(message: Message) -> str:
    """What a review begins with: "★ 2/5"."""
    rating = message.payload.get("rating")
    return f"★ {rating['value']}/{rating['of']}" if rating else ""


def told(line: str) -> str:
    """A preview or title that was kept, in the reader's language where it is ours."""
    return _(line) if line in {DELETED_COMMENT, DELETED_MESSAGE} else line


def title(message: Message) -> str:
    """What a ticket is called that begins with this message, where its channel knows no subjects."""
    return shorten(preview(message), TITLE_LENGTH, placeholder="…")
