"""How platforms prove that a call is theirs. All compare in constant time, over the bytes as they came."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit, urlunsplit

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


def twilio_call(secret: str, url: str, body: bytes, content_type: str, given: str) -> dict[str, str]:
    """A call of Twilio's to `url` (with its query), proven; returns the form that it brought, empty for JSON.

    JSON is not in the signature itself, but its digest in the address is. Raises Unverified.
    """
    if not secret or not given:
        raise Unverified("no signature, or no secret to check it by")
    fields: list[tuple[str, str]] = []
    if content_type.partition(";")[0].strip().lower() in {"", "application/x-www-form-urlencoded"}:
        try:
            fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=500)
        except ValueError as error:
            raise Unverified("a form without end") from error
    else:
        digests = [value for name, value in parse_qsl(urlsplit(url).query) if name == "bodySHA256"]
        same(digests[0].lower() if len(digests) == 1 else "", hashlib.sha256(body).hexdigest())
    good = [
        hmac.compare_digest(given.encode(errors="replace"), twilio(secret, one, fields).encode()) for one in _ports(url)
    ]
    if not any(good):
        raise Unverified("the signature is not theirs")
    return dict(fields)


def _ports(url: str) -> list[str]:
    """The address with its port said, and without: Twilio signs either."""
    parts = urlsplit(url)
    if parts.port is None:
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        return [url, urlunsplit(parts._replace(netloc=f"{parts.netloc}:{usual}"))]
    return [url, urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))]
