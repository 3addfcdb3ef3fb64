"""How a mailbox's owner permits Rabta to use it: the authorization code flow with PKCE (RFC 6749 4.1, RFC 7636).

`state` is signed and names a secret that only the session of the person who began knows; each is good once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_email import oauth, providers
from channels_email.models import OAuthGrant
from channels_email.oauth import OAuthTrouble
from channels_email.providers import Provider
from inbox import log, wake
from inbox.models import Agent, Channel

SALT = "mailbox-oauth"
KEPT_IN = "mailbox_oauth"  # of the session
MOST_BEGUN = 5
UNUSED = timedelta(days=1)  # in which settings may be put back
LASTS = 15 * 60  # seconds in which somebody has to come back
MAIL_SCOPES = {"google": "https://mail.google.com/", "microsoft": "IMAP.AccessAsUser.All"}
Session = MutableMapping[str, Any]


class NotBegun(OAuthTrouble):
    """This answer belongs to no consent that this session began, or it comes too late."""


def begin(channel: Channel, provider: Provider, session: Session) -> str:
    """The address at the provider where the mailbox's owner consents. Remembers in `session` what it asked."""
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    begun = list(dict(session.get(KEPT_IN) or {}).items())[1 - MOST_BEGUN :]
    session[KEPT_IN] = {
        **dict(begun),
        nonce: {"verifier": verifier, "channel": channel.pk, "provider": provider.key},
    }
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(),
        "response_type": "code",
        "scope": " ".join(provider.scopes),
        "state": signing.dumps(nonce, salt=SALT),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": _account_hint(channel),
        **provider.extra,
    }
    return f"{provider.consent_url}?{urlencode(query)}"


def redirect_uri() -> str:
    """Where providers send people back: what an operator enters there."""
    return f"{settings.BASE_URL}{reverse('mailbox-oauth-callback')}"


def _account_hint(channel: Channel) -> str:
    names = [str((channel.settings.get(one) or {}).get("username", "")) for one in ("imap", "smtp")]
    return next((name for name in names if name), "") or str(channel.settings.get("address", ""))


def begun(state: str, session: Session) -> dict[str, Any]:
    """What this session asked under `state`: channel (id), provider and verifier. Raises NotBegun; good once."""
    words = _("This answer does not belong to a log-in that you began here, or it came too late. Begin again.")
    try:
        nonce = signing.loads(state, salt=SALT, max_age=LASTS)
    except signing.BadSignature as error:
        raise NotBegun(words) from error
    waiting = dict(session.get(KEPT_IN) or {})
    found = waiting.pop(nonce, None)
    session[KEPT_IN] = waiting
    if found is None:
        raise NotBegun(words)
    return dict(found)


def finish(channel: Channel, provider_key: str, code: str, verifier: str, *, by: Agent) -> OAuthGrant:
    """Trade the code for tokens and keep them; the mailbox is polled at once. Raises OAuthTrouble."""
    provider = providers.named(provider_key)
    answer = oauth.ask(
        provider,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri(),
            "code_verifier": verifier,
        },
    )
    if not answer.get("refresh_token"):
        raise OAuthTrouble(
            _("%(provider)s gave no lasting permission. Remove Rabta from the account's connected apps and try again.")
            % {"provider": provider.label}
        )
    if "scope" in answer and MAIL_SCOPES[provider.key] not in str(answer["scope"]):
        raise OAuthTrouble(
            _("The permission to read and send mail was not given: tick it when %(provider)s asks.")
            % {"provider": provider.label}
        )
    return keep(channel, provider, answer, by=by)


def keep(channel: Channel, provider: Provider, answer: dict[str, Any], *, by: Agent | None) -> OAuthGrant:
    """Write the grant, in the place of an earlier one, and let mail flow again."""
    now = timezone.now()
    values = {"ends_at": None, **oauth.values_of(answer, {})}
    with transaction.atomic():
        grant, _made = OAuthGrant.objects.update_or_create(
            channel=channel,
            defaults={
                **values,
                "provider": provider.key,
                "account": account_of(answer),
                "granted_at": now,
                "granted_by": by,
                "failing_since": None,
                "refused": False,
                "error": "",
            },
        )
        Channel.objects.filter(pk=channel.pk).update(next_poll_at=now, next_send_at=now)
        log.record(None, "mailbox_connected", by=by, channel=channel.pk, provider=provider.key)
        wake.poll(channel.pk, channel.kind)
        wake.deliver(channel.pk, channel.kind)
    return grant


def forget_unused() -> int:
    """Delete the tokens of mailboxes whose settings no longer name their provider; returns how many."""
    forgotten = 0
    for grant in OAuthGrant.objects.filter(granted_at__lt=timezone.now() - UNUSED).select_related("channel"):
        provider = oauth.provider_of(grant.channel)
        if provider is None or provider.key != grant.provider:
            # One that somebody gives at this moment is another's.
            forgotten += OAuthGrant.objects.filter(pk=grant.pk, granted_at=grant.granted_at).delete()[0]
    return forgotten


def account_of(answer: dict[str, Any]) -> str:
    """Who consented, by the id token; empty when it says nothing.

    It comes from the token endpoint over TLS, which stands for its signature (OpenID Connect Core 3.1.3.7).
    """
    try:
        payload = str(answer.get("id_token", "")).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        found = claims.get("email") or claims.get("preferred_username") or claims.get("upn") or ""
    except (IndexError, ValueError, AttributeError):
        return ""
    return str(found)[:320].lower()


def other_account(channel: Channel, grant: OAuthGrant) -> str:
    """A caution where somebody consented for another account than the one that the settings log in with."""
    hint = _account_hint(channel)
    if not grant.account or not hint or hint.lower() == grant.account:
        return ""
    return _(
        "Note: %(account)s gave the permission, and the user name in the settings is %(name)s. That works only if "
        "%(account)s may open that mailbox; Test connection tells."
    ) % {"account": grant.account, "name": hint}
