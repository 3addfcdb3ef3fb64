"""Secrets at rest and signatures in mail, both under ENCRYPTION_KEYS (newest first); a rotation keeps old ones."""

import base64
import hashlib
import hmac
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

SIGNATURE_BYTES = 10  # 80 bits: enough against guessing over SMTP, short enough for a 64-octet local part


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(value: Any) -> str:
    """Encrypt any JSON value; returns text for a database column."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(json.dumps(value).encode()).decode()


def unseal(sealed: str) -> Any:
    """The value that `seal` was given. Raises ValueError when no current key opens it."""
    try:
        return json.loads(_box(tuple(settings.ENCRYPTION_KEYS)).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise ValueError("sealed under a key that is not in ENCRYPTION_KEYS") from error


def _signature(key: str, purpose: str, payload: str) -> str:
    derived = hashlib.sha256(f"{purpose}:{key}".encode()).digest()
    mac = hmac.digest(derived, payload.encode(), hashlib.sha256)[:SIGNATURE_BYTES]
    return base64.b32encode(mac).decode().lower()


def sign(purpose: str, payload: str) -> str:
    """A short signature of `payload` for one purpose, in lower case: mail systems fold the case of addresses."""
    return _signature(settings.ENCRYPTION_KEYS[0], purpose, payload)


def verify(purpose: str, payload: str, signature: str) -> bool:
    """Whether any current key made this signature; compares in constant time."""
    given = signature.lower().encode()
    return any(
        hmac.compare_digest(_signature(key, purpose, payload).encode(), given) for key in settings.ENCRYPTION_KEYS
    )
