"""Header values: encoded words (RFC 2047), parameters (RFC 2231), ids and dates, all in linear time."""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from channels_email.mime.charsets import codec, decode, without_controls

MAX_REFERENCES = 100  # Outlook alone sends dozens; the newest matter most
MAX_ID = 500

# What stands in a word ends where another begins, so that nothing is read again and again in search of its end.
_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?((?:[^?=\r\n]|\?(?!=)|=(?!\?[^=])){0,4000})\?=")
_BLANK = re.compile(rb"[ \t\r\n]*\Z")
_FOLD = re.compile(rb"[\r\n]+[ \t]*|\t")
_SPACES = re.compile(r"\s+")
# Matches at each semicolon, so that a run of them is passed once; without a name it is to be left out.
_PARAM = re.compile(rb';[\s;]*(?:([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*)))?', re.S)
_SECTION = re.compile(r"^(.*?)\*(\d{1,3})?(\*)?$")
_ESCAPED = re.compile(rb"\\(.)", re.S)
_ID = re.compile(r"<([^<>]{1,2000})>")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?")


def plain(value: bytes, hint: str = "") -> str:
    """One header value as text: unfolded, encoded words decoded, raw 8-bit guessed, no control characters."""
    value = value.strip()
    if b"\n" in value or b"\t" in value or b"\r" in value:
        value = _FOLD.sub(b" ", value)
    if b"=?" in value:
        text = _words(value, hint)
    elif value.isascii():
        text = value.decode("ascii") if b"\x1b$" not in value else decode(value, "iso-2022-jp")
    else:
        text = decode(value, "", hint)
    if not text.isprintable():
        text = without_controls(text).replace("\n", " ").replace("\r", " ")
        text = _SPACES.sub(" ", text) if "\t" in text or "\n" in text else text
    return text.strip()


def _words(value: bytes, hint: str) -> str:
    out: list[str] = []
    pending, charset, at = b"", "", 0
    for match in _WORD.finditer(value):
        between = value[at : match.start()]
        label = match[1].decode("ascii", "replace").split("*")[0]
        data = _q(match[3]) if match[2] in b"qQ" else _b(match[3])
        if data is None or not (codec(label) or label.lower() in ("unknown-8bit", "x-unknown", "unknown")):
            data = data if data is not None else match[0]
            label = ""
        adjacent = bool(_BLANK.match(between))
        if not (adjacent and at and charset == label):
            # A character may be cut in two by neighbouring words of one charset, so those are joined as bytes first.
            out.append(decode(pending, charset, hint))
            pending = b""
        if not (adjacent and (at or not between)):
            out.append(decode(between, "", hint))
        pending, charset, at = pending + data, label, match.end()
    out.append(decode(pending, charset, hint))
    out.append(decode(value[at:], "", hint))
    return "".join(out)


def _q(data: bytes) -> bytes:
    return binascii.a2b_qp(data, header=True)


def _b(data: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(data + b"==")
    except binascii.Error:
        data = data.rstrip(b"=")
        try:
            return binascii.a2b_base64(data[: len(data) - 1] + b"==")
        except binascii.Error:
            return None


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """("text/plain", {"charset": "utf-8"}) of a Content-Type or Content-Disposition value; RFC 2231 pieces joined."""
    return _parameters(value[:8192])


@lru_cache(maxsize=512)
def _parameters(value: bytes) -> tuple[str, dict[str, str]]:
    head, semicolon, rest = value.partition(b";")
    if not semicolon and b"=" in head and b"/" in head:
        # "multipart/mixed boundary=x": the semicolon was forgotten
        bits = head.split(None, 1)
        head, rest = bits[0], bits[1] if len(bits) > 1 else b""
    main = plain(head).lower().strip(" \"'")
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    if b"(" in rest and b'"' not in rest:
        rest = re.sub(rb"\([^()]*\)", b"", rest)
    for match in _PARAM.finditer(b";" + rest):
        if match[1] is None:
            continue
        name = match[1].decode("ascii", "replace").lower()
        raw = _ESCAPED.sub(rb"\1", match[2]) if match[2] is not None else match[3].strip().rstrip(b'"')
        section = _SECTION.match(name) if "*" in name else None
        if section:
            index = int(section[2] or 0)
            pieces.setdefault(section[1], {}).setdefault(index, (raw, bool(section[3]) or section[2] is None))
        else:
            found.setdefault(name, plain(raw))
    for name, parts in pieces.items():
        found[name] = _joined(parts)
    return main, found


def _joined(parts: dict[int, tuple[bytes, bool]]) -> str:
    charset, data = "", b""
    for number, index in enumerate(sorted(parts)):
        raw, encoded = parts[index]
        if encoded:
            if number == 0 and raw.count(b"'") >= 2:
                label, _, raw = raw.split(b"'", 2)
                charset = label.decode("ascii", "replace")
            raw = unquote_to_bytes(raw)
        data += raw
    if not charset and b"=?" in data:
        return plain(data)
    return without_controls(decode(data, charset)).replace("\n", " ").replace("\r", " ")


def message_id(value: bytes) -> str:
    """The id of a Message-ID header without its angle brackets; tolerant of missing brackets and of spaces."""
    text = plain(value[:8192])
    match = _ID.search(text)
    bare = match[1] if match else text.strip("<> \"'")
    return _SPACES.sub("", bare)[:MAX_ID]


def message_ids(values: list[bytes]) -> tuple[str, ...]:
    """Every id of References or In-Reply-To, in order and once each; the newest are kept where there are too many."""
    found: dict[str, None] = {}
    for value in values[:20]:
        text = _SPACES.sub(" ", value[-65536:].decode("utf-8", "replace"))
        ids = [_SPACES.sub("", one) for one in _ID.findall(text)] or [
            bare.strip("<>,;\"'()") for bare in text.split(" ") if "@" in bare and "=" not in bare[:1]
        ]
        for one in ids:
            if one and len(one) <= MAX_ID:
                found.setdefault(without_controls(one))
    return tuple(found)[-MAX_REFERENCES:]


def date(value: bytes) -> datetime | None:
    """The moment a Date header names, in UTC; None where it names none that a calendar knows."""
    text = plain(value[:500])
    if not text:
        return None
    try:
        parsed = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        parsed = None
    try:
        if parsed is not None:
            year, month, day, hour, minute, second = parsed[:6]
            zone = timezone(timedelta(seconds=parsed[9] or 0))
            return _bounded(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).astimezone(UTC))
        iso = _ISO.search(text)
        if iso:
            year, month, day, hour, minute, second = (int(part or 0) for part in iso.groups())
            return _bounded(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC))
    except (ValueError, OverflowError):
        pass
    return None


def _bounded(moment: datetime) -> datetime | None:
    return moment if 1970 <= moment.year <= 2200 else None
