"""Text with entities, as a Bot API server reads `parse_mode=HTML`: few tags, and its own words for what is wrong."""

from __future__ import annotations

import html
import re
from typing import Any

TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
TOKEN = re.compile(r"<[^>]*>?|&(?:lt|gt|amp|quot|#\d{1,8}|#x[0-9a-fA-F]{1,7});")
HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""", re.IGNORECASE)


class CannotParse(Exception):
    """The text is no HTML that Telegram takes; the message is the server's."""


def units(text: str) -> int:
    """Length in UTF-16 code units, which is what Telegram counts in."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(source: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and its entities. Raises CannotParse."""
    text = ""
    entities: list[dict[str, Any]] = []
    opened: list[tuple[str, str, int]] = []  # tag, its attributes, where it began
    done = 0
    for found in TOKEN.finditer(source):
        text += source[done : found.start()]
        done = found.end()
        token, at = found[0], len(source[: found.start()].encode())
        if token.startswith("&"):
            text += html.unescape(token)
        elif token.startswith("</"):
            entities += _close(token[2:].rstrip(">").strip().lower(), opened, units(text), at)
        else:
            opened.append((*_open(token, at), units(text)))
    if opened:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    entities.sort(key=lambda one: (one["offset"], -one["length"]))
    return text + source[done:], entities


def _open(token: str, at: int) -> tuple[str, str]:
    inside = token[1:].rstrip(">")
    name = re.split(r"\s", inside, maxsplit=1)[0].lower()
    if name not in TYPES:
        raise CannotParse(f'Unsupported start tag "{name}" at byte offset {at}')
    if not token.endswith(">"):
        raise CannotParse(f"Unclosed start tag at byte offset {at}")
    if name == "span" and "tg-spoiler" not in inside:
        raise CannotParse(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    return name, inside[len(name) :]


def _close(name: str, opened: list[tuple[str, str, int]], end: int, at: int) -> list[dict[str, Any]]:
    if not opened:
        raise CannotParse(f"Unexpected end tag at byte offset {at}")
    tag, attributes, start = opened.pop()
    if name != tag:
        raise CannotParse(f'Unmatched end tag at byte offset {at}, expected "</{tag}>", found "</{name}>"')
    if end == start:
        return []
    entity: dict[str, Any] = {"type": TYPES[tag], "offset": start, "length": end - start}
    if tag == "a":
        href = HREF.search(attributes)
        url = html.unescape(next((one for one in href.groups() if one), "")) if href else ""
        if not url.startswith(("http://", "https://", "tg://", "mailto:", "tel:")):
            return []  # a link to nowhere is only its text
        entity["url"] = url
    return [entity]


COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,64}")
URL = re.compile(r"https?://[^\s<>]+")


def noticed(text: str) -> list[dict[str, Any]]:
    """What the server finds by itself in what people write: commands and addresses."""
    found = [(one, "bot_command") for one in COMMAND.finditer(text)] + [(one, "url") for one in URL.finditer(text)]
    return [
        {"type": kind, "offset": units(text[: one.start()]), "length": units(one[0])}
        for one, kind in sorted(found, key=lambda pair: pair[0].start())
    ]
