"""Attachments: names that are safe to store and to offer, and files hidden inside others (TNEF, uuencode)."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

from channels_email.mime.charsets import without_controls
from channels_email.mime.parts import Part, read_headers
from inbox.adapters import InboundFile

MAX_NAME = 150  # characters
MAX_NAME_BYTES = 240  # what file systems take, less a little

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_SPACES = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_PATHLIKE = re.compile(r"^(?:[a-zA-Z]:|[/\\]|\.\.?[/\\]|~[/\\])|[/\\]\.\.[/\\]|\\")
_EXTENSIONS = {
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "message/rfc822": ".eml", "image/jpeg": ".jpg",
    "message/delivery-status": ".txt", "message/disposition-notification": ".txt", "text/rfc822-headers": ".txt",
    "message/feedback-report": ".txt", "application/pgp-signature": ".asc", "application/pkcs7-signature": ".p7s",
    "application/pgp-encrypted": ".asc", "application/pkcs7-mime": ".p7m", "image/png": ".png", "image/gif": ".gif",
    "application/pdf": ".pdf", "message/global": ".eml", "text/directory": ".vcf", "text/vcard": ".vcf",
    "text/x-vcard": ".vcf", "application/rtf": ".rtf", "text/rtf": ".rtf", "text/csv": ".csv",
}  # fmt: skip


def safe_name(name: str, content_type: str = "", number: int = 1) -> str:
    """A file name without path, control or direction characters, never empty, of bounded length."""
    name = _SPACES.sub(" ", _UNSAFE.sub("", name)).strip()
    if not name.isascii():
        name = unicodedata.normalize("NFC", name).encode("utf-8", "replace").decode()
    if _PATHLIKE.search(name):
        name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
        name = name[2:] if re.match(r"^[a-zA-Z]:", name) else name
    name = name.replace("/", "_").replace("\\", "_").strip(" .\"'")
    if not name:
        stem = "image" if content_type.startswith("image/") else "attachment"
        return f"{stem}-{number}{extension(content_type)}"
    if len(name) > MAX_NAME or len(name.encode()) > MAX_NAME_BYTES:
        stem, dot, end = name.rpartition(".")
        end = dot + end if stem and len(end) <= 12 else ""
        stem = (stem if end else name)[: MAX_NAME - len(end)]
        while len((stem + end).encode()) > MAX_NAME_BYTES:
            stem = stem[:-1]
        name = stem.rstrip(" .") + end
    return name


def extension(content_type: str) -> str:
    """The usual extension of a content type with its dot, or ".bin"."""
    return _EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type, strict=False) or ".bin"


def declared_name(part: Part, disposition: dict[str, str]) -> str:
    """The file name a part gives itself in its disposition, its type or its location; "" where it gives none."""
    name = (
        disposition.get("filename") or disposition.get("name") or part.params.get("name") or part.params.get("filename")
    )
    if name:
        return name
    location = part.text("content-location")
    if location and not part.kind.startswith(("text/", "multipart/")):
        tail = re.split(r"[?#]", location)[0].rstrip("/").rpartition("/")[2]
        return tail if "." in tail else ""
    return ""


def from_part(part: Part, name: str, disposition: str, number: int, *, related: bool) -> InboundFile:
    """The file that a part is. A forwarded mail without a name is called by its subject."""
    content = part.data
    content_id = part.text("content-id").strip("<> \t")[:500] if "content-id" in part.headers else ""
    kind = part.kind
    if not name and kind in ("message/rfc822", "message/global"):
        headers, _ = read_headers(content[:65536], 0, min(len(content), 65536))
        from channels_email.mime.headers import plain

        name = plain(headers["subject"][0])[:100].replace(".", "_") + ".eml" if headers.get("subject") else ""
    inline = disposition != "attachment" and bool(content_id) and (related or disposition == "inline")
    return InboundFile(safe_name(name, kind, number), kind[:200], content, inline=inline, content_id=content_id)


def unpack_tnef(content: bytes, warnings: list[str]) -> tuple[str, str, list[InboundFile]]:
    """(text, html, files) of an Outlook winmail.dat; empty values and a warning where it cannot be read."""
    from tnefparse import TNEF

    try:
        opened = TNEF(content, do_checksum=False)
        files = [
            InboundFile(
                safe_name(_text(item.long_filename()) or _text(item.name), number=number),
                mimetypes.guess_type(_text(item.long_filename()) or "")[0] or "application/octet-stream",
                bytes(item.data or b""),
            )
            for number, item in enumerate(opened.attachments[:200], 1)
        ]
        return _text(opened.body), _text(opened.htmlbody), files
    except Exception as error:  # noqa: BLE001 - the library raises whatever its struct reads run into
        warnings.append(f"winmail.dat could not be opened ({type(error).__name__})")
        return "", "", []


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return without_controls(str(value)) if value else ""
