"""SASL XOAUTH2, for IMAP and SMTP alike: one answer, and an empty line to a challenge that tells of a refusal.

developers.google.com/gmail/imap/xoauth2-protocol; Microsoft's is the same.
"""

from __future__ import annotations

import base64
import binascii
import json

from channels_email.wire import one_line


class Answers:
    """What the client says, turn by turn. `refusal` keeps what the server's challenge said, for people."""

    def __init__(self, user: str, token: str) -> None:
        self._first: str | None = f"user={one_line(user)}\x01auth=Bearer {token}\x01\x01"
        self.refusal = ""

    def __call__(self, challenge: bytes | None = None) -> str:
        first, self._first = self._first, None
        if first is not None:
            return first
        self.refusal = _told(challenge or b"")
        return ""


def _told(challenge: bytes) -> str:
    """The status in a server's challenge, which is JSON, in one layer of base 64 or without."""
    for text in (challenge, _decoded(challenge)):
        try:
            told = json.loads(text)
        except ValueError:
            continue
        if isinstance(told, dict):
            return one_line(str(told.get("status", "")))[:100]
    return ""


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
