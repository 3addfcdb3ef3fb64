"""The icons of all screens: our names for drawings of Lucide, which come in the PyPI package `lucide`."""

from __future__ import annotations

import importlib.resources
import re
from xml.etree import ElementTree
from zipfile import ZipFile

# What a thing is called here: what its drawing is called there. A drawing that no page uses costs every page bytes.
ICONS = {
    "archive": "archive",
    "at": "at-sign",
    "back": "chevron-left",
    "bell": "bell",
    "block": "ban",
    "bold": "bold",
    "bot": "bot",
    "building": "building-2",
    "calendar": "calendar",
    "cart": "shopping-cart",
    "chart": "chart-column",
    "chats": "messages-square",
    "check": "check",
    "clip": "paperclip",
    "clock": "clock",
    "close": "x",
    "code": "code",
    "copy": "copy",
    "double-check": "check-check",
    "down": "chevron-down",
    "download": "download",
    "emoji": "smile",
    "exit": "log-out",
    "eye": "eye",
    "facebook": "thumbs-up",
    "fields": "sliders-horizontal",
    "file": "file",
    "filter": "list-filter",
    "flag": "flag",
    "follow": "eye",
    "forward": "forward",
    "globe": "globe",
    "grip": "grip-vertical",
    "image": "image",
    "inbox": "inbox",
    "instagram": "camera",
    "italic": "italic",
    "key": "key-round",
    "keyboard": "keyboard",
    "link": "link",
    "list": "list",
    "lock": "lock",
    "macro": "zap",
    "mail": "mail",
    "menu": "menu",
    "merge": "merge",
    "message": "message-square",
    "more": "ellipsis",
    "move": "folder-input",
    "mute": "volume-x",
    "next": "chevron-right",
    "note": "sticky-note",
    "numbered": "list-ordered",
    "pause": "pause",
    "pencil": "pencil",
    "people": "users",
    "person": "user",
    "phone": "phone",
    "phone-in": "phone-incoming",
    "phone-out": "phone-outgoing",
    "pin": "map-pin",
    "plus": "plus",
    "question": "circle-question-mark",
    "quote": "text-quote",
    "refresh": "refresh-cw",
    "rows": "rows-3",
    "save": "bookmark",
    "search": "search",
    "sending": "send",
    "settings": "settings",
    "signature": "signature",
    "sms": "smartphone",
    "snooze": "alarm-clock",
    "sort": "arrow-up-down",
    "sound": "volume-2",
    "source": "code-xml",
    "spam": "octagon-alert",
    "split": "split",
    "star": "star",
    "tag": "tag",
    "team": "users-round",
    "telegram": "send",
    "transfer": "arrow-right-left",
    "trash": "trash-2",
    "undo": "undo-2",
    "unread": "mail-open",
    "visit": "footprints",
    "warning": "triangle-alert",
    "whatsapp": "message-circle-more",
}  # fmt: skip

NAMESPACE = "{http://www.w3.org/2000/svg}"
DRAWN = re.compile(r' xmlns:?\w*="[^"]*"')


def sprite() -> str:
    """One SVG of a `<symbol>` for each icon, by our names. Raises KeyError for a drawing that Lucide does not have."""
    ElementTree.register_namespace("", NAMESPACE.strip("{}"))
    parts = []
    with (
        importlib.resources.files("lucide").joinpath("lucide.zip").open("rb") as packed,
        ZipFile(packed) as drawings,
    ):
        for name, drawing in sorted(ICONS.items()):
            # Of a package that is pinned, not of strangers.
            root = ElementTree.fromstring(drawings.read(f"{drawing}.svg"))  # noqa: S314
            shapes = "".join(ElementTree.tostring(shape, encoding="unicode") for shape in root)
            parts.append(f'<symbol id="{name}" viewBox="{root.get("viewBox")}">{DRAWN.sub("", shapes)}</symbol>')
    body = "\n".join(" ".join(part.split()) for part in parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'
