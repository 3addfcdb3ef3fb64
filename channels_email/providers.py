"""Where consent by OAuth is asked for: Google and Microsoft, as the settings say. Base URLs are settings.

Sources: developers.google.com/identity/protocols/oauth2/web-server, developers.google.com/gmail/imap/xoauth2-protocol,
learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and
learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Provider:
    """One place of consent. `extra` goes with its consent page, `renewal` with each renewal of a token.

    An unused permission lives for `idle`; `setting` is how the names of its settings begin. A token is shown to mail
    servers in `mail_domains` alone: whoever has it has the mailbox.
    """

    key: str
    label: str
    client_id: str
    client_secret: str
    consent_url: str
    token_url: str
    scopes: tuple[str, ...]
    extra: Mapping[str, str]
    renewal: Mapping[str, str]
    idle: timedelta
    setting: str
    mail_domains: tuple[str, ...]

    @property
    def configured(self) -> bool:
        return bool(self.client_id and self.client_secret)


def _google() -> Provider:
    return Provider(
        key="google",
        label="Google",
        client_id=settings.GOOGLE_CLIENT_ID,
        client_secret=settings.GOOGLE_CLIENT_SECRET,
        consent_url=f"{settings.GOOGLE_CONSENT_URL}/o/oauth2/v2/auth",
        token_url=f"{settings.GOOGLE_TOKEN_URL}/token",
        scopes=("openid", "email", "https://mail.google.com/"),
        # Without `consent`, Google gives a refresh token the first time only.
        extra={"access_type": "offline", "prompt": "consent"},
        renewal={},
        idle=timedelta(days=180),
        setting="GOOGLE_CLIENT",
        mail_domains=("gmail.com", "googlemail.com"),
    )


def _microsoft() -> Provider:
    mail = ("https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send")
    scopes = ("openid", "email", "profile", "offline_access", *mail)
    base = f"{settings.MICROSOFT_LOGIN_URL}/{settings.MICROSOFT_TENANT}/oauth2/v2.0"
    return Provider(
        key="microsoft",
        label="Microsoft 365",
        client_id=settings.MICROSOFT_CLIENT_ID,
        client_secret=settings.MICROSOFT_CLIENT_SECRET,
        consent_url=f"{base}/authorize",
        token_url=f"{base}/token",
        scopes=scopes,
        extra={"response_mode": "query", "prompt": "select_account"},
        renewal={"scope": " ".join(scopes)},  # says for which of Microsoft's services the token is
        idle=timedelta(days=90),
        setting="MICROSOFT_CLIENT",
        # With those of its national clouds, for which MICROSOFT_LOGIN_URL is another, too.
        mail_domains=("office365.com", "outlook.com", "office365.us", "partner.outlook.cn"),
    )


KEYS = ("google", "microsoft")


def all_of_them() -> list[Provider]:
    return [_google(), _microsoft()]


def named(key: str) -> Provider:
    """Raises KeyError."""
    return {one.key: one for one in all_of_them()}[key]
