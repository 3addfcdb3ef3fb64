"""What lists show of a message: its words, or a sign for what has none. Signs need no language."""

from __future__ import annotations

from textwrap import shorten

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
TITLE_LENGTH = 80
LOOKED_AT = 4 * PREVIEW_LENGTH  # characters of a long text


def preview(message: Message) -> str:
    """The beginning of what was written, in one line. Under the `text` of a reply stands a signature, which is none."""
    written = message.visible_text or ("" if message.direction == Direction.OUT else message.text)
    words = " ".join(written[:LOOKED_AT].split())
    sign = SIGNS.get(message.content_kind, "") if message.withdrawn_at is None else ""
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
    return f"★ {rating['value']}/{rating['of']}" if rating and message.withdrawn_at is None else ""


def title(message: Message) -> str:
    """What a ticket is called that begins with this message, where its channel knows no subjects."""
    return shorten(preview(message), TITLE_LENGTH, placeholder="…")
