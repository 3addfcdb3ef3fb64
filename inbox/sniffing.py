"""What a stranger's file is, by its bytes: what it calls itself is believed only where it cannot do harm."""

from __future__ import annotations

from inbox.files import picture_type

# What runs where it lands: never taken, whatever it is called.
PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
ENDINGS = {
    "apk", "app", "bat", "chm", "cmd", "com", "cpl", "dll", "exe", "gadget", "hta", "inf", "iso", "jar", "js", "jse",
    "lnk", "msc", "msi", "msp", "pif", "ps1", "reg", "scr", "sh", "sys", "url", "vb", "vbe", "vbs", "ws", "wsf", "wsh",
}  # fmt: skip
UNKNOWN = "application/octet-stream"
BY_BYTES = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
)
OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def kind_of(content: bytes, name: str, claimed: str) -> str | None:
    """The content type to keep a file under; None for programs, which are not taken.

    A picture is one by its bytes, or none. Text keeps the harmless names of text; markup and scripts, and whatever
    lies about itself, become `application/octet-stream`: browsers run none of it.
    """
    ending = name.rsplit(".", 1)[-1].lower().strip() if "." in name else ""
    if ending in ENDINGS or content.startswith(PROGRAMS):
        return None
    if picture := picture_type(content):
        return picture
    for start, kind in BY_BYTES:
        if content.startswith(start):
            return OFFICE.get(ending, kind) if kind == "application/zip" else kind
    if content[4:8] == b"ftyp":
        return "video/mp4" if not claimed.startswith("audio/") else "audio/mp4"
    claimed = claimed.split(";")[0].strip().lower()
    if claimed in {"text/plain", "text/csv"} and _is_plain(content):
        return claimed
    return UNKNOWN


def _is_plain(content: bytes) -> bool:
    """Text that is no markup: nothing in it that a browser could take for a page."""
    head = content[:4096]
    if b"\x00" in head or any(mark in head.lower() for mark in (b"<html", b"<script", b"<!doctype", b"<svg")):
        return False
    try:
        head[:4000].decode()
    except UnicodeDecodeError as error:
        return error.start > 3990
    return True
