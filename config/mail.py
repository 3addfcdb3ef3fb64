"""`EMAIL_URL`, the server that takes invitations and mails about forgotten passwords."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


def settings_of(url: str) -> dict[str, Any]:
    """Django's mail settings. `smtp://` demands STARTTLS, `smtps://` speaks TLS at once, `smtp+plain://` neither.

    User and password are percent-encoded. Raises ImproperlyConfigured.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or PORTS[parts.scheme]
    except (KeyError, ValueError):
        raise ImproperlyConfigured(f"EMAIL_URL starts with {', '.join(f'{one}://' for one in PORTS)}.") from None
    if not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL names no host.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
    }
