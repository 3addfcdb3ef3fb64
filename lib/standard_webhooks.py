"""Signed webhooks by the public rules (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md):
the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, whichever side signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping

SECRET_MARK = "whsec_"
SECRET_BYTES = 32
LEAST_BYTES, MOST_BYTES = 24, 64  # of a secret
TOLERANCE = 300  # seconds that a timestamp may be off: what is older may have been listened to, and be said again


class Wrong(ValueError):
    """Not signed, not as it should be, or not now. The text is for whoever signs."""


def new_secret() -> str:
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes behind a secret. Raises ValueError for what is none."""
    key = base64.b64decode(secret.removeprefix(SECRET_MARK), validate=True)
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError("a secret has 24 to 64 bytes")
    return key


def signature(secret: str, message_id: str, timestamp: int, body: str | bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(SECRET_MARK))
    content = body.encode() if isinstance(body, str) else body
    mac = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + content, hashlib.sha256)
    return f"v1,{base64.b64encode(mac).decode()}"


def headers(given: Iterable[str], message_id: str, timestamp: int, body: str | bytes) -> dict[str, str]:
    """What a call carries, signed under each of these secrets, the newest first."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in given),
    }


def verify(
    secret: str, told: Mapping[str, str], body: bytes, *, former: Iterable[str] = (), now: float | None = None
) -> str:
    """The call's `webhook-id`, if one of its signatures is right and it was made just now; `former` are older secrets
    that count still. Raises Wrong."""
    message_id, stamp = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
    if not message_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15):
        raise Wrong("webhook-id or webhook-timestamp is missing")
    if abs((time.time() if now is None else now) - int(stamp)) > TOLERANCE:
        raise Wrong("webhook-timestamp is more than five minutes off")
    try:
        expected = []
        for one in (secret, *former):
            key_of(one)
            expected.append(signature(one, message_id, int(stamp), body).encode())
    except ValueError as error:
        raise Wrong("there is no secret to check it by, or its id is no text") from error
    given = told.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(one.encode(errors="replace"), right) for one in given for right in expected):
        raise Wrong("webhook-signature is not right")
    return message_id
