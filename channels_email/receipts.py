"""From the bytes of a mail to a RawReceipt, without parsing it: what every way in (IMAP, SMTP, pipe) shares."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from inbox.adapters import RawReceipt

HEADER_LIMIT = 256 * 1024
KEY_LENGTH = 500
FIELD_LENGTH = 1000  # bytes of a Message-ID header that are looked at; a line has 998 at the most (RFC 5322 2.1.1)
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:", re.IGNORECASE | re.MULTILINE)
_END_OF_FIELD = re.compile(rb"\n(?![ \t])")
_RECEIVED = re.compile(rb"^received[ \t]*:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


def raw_receipt(raw: bytes, *, at: datetime | None = None, meta: Mapping[str, Any] | None = None) -> RawReceipt:
    """`raw` with its digest as external id and its Message-ID as key."""
    return RawReceipt(
        raw=raw, external_id=hashlib.sha256(raw).hexdigest(), key=message_id(raw), at=at, meta=dict(meta or {})
    )


def header_block(raw: bytes) -> bytes:
    end = _END_OF_HEADER.search(raw, 0, HEADER_LIMIT)
    return raw[: end.start() if end else HEADER_LIMIT]


def message_id(raw: bytes) -> str:
    """The first Message-ID without angle brackets and blanks, as `mime` reads it; empty when there is none."""
    head = header_block(raw)
    found = _MESSAGE_ID.search(head)
    if not found:
        return ""
    # No single pattern for blanks, brackets and id: strangers write this, and patterns that overlap take minutes.
    field = _END_OF_FIELD.split(head[found.end() : found.end() + FIELD_LENGTH], maxsplit=1)[0]
    text = field.decode("utf-8", "replace").replace("\0", "")
    _before, opened, inner = text.partition("<")
    return "".join((inner if opened else text).partition(">")[0].split())[:KEY_LENGTH]


def received_at(raw: bytes) -> datetime | None:
    """When the last server on the way stamped the mail: the date of its topmost Received header, if there is one."""
    found = _RECEIVED.search(header_block(raw))
    if not found:
        return None
    stamp = found[1].rpartition(b";")[2].decode("ascii", "replace").strip()
    try:
        at = parsedate_to_datetime(" ".join(stamp.split()))
    except (ValueError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at if 1990 <= at.year <= 2100 else None
