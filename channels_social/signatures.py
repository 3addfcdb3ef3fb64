"""How platforms prove that a call is theirs. All compare in constant time, over the bytes as they came."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

from inbox.adapters import Unverified


def same(given: str, expected: str) -> None:
    """Raises Unverified unless they are equal, and there is something to expect."""
    if not expected or not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
        raise Unverified("the signature is not theirs")


def sha256_hex(secret: str, body: bytes, given: str, prefix: str = "sha256=") -> None:
    """Meta's X-Hub-Signature-256: hex of an HMAC-SHA256 over the raw body. Raises Unverified."""
    if not secret:
        raise Unverified("no secret to check it by")
    same(given, prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())


def twilio(secret: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Twilio's X-Twilio-Signature: the URL, then each name and value, sorted; of one name each value once."""
    told = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(secret.encode(), told.encode(), hashlib.sha1).digest()).decode()
