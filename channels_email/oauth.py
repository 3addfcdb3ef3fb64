"""Access tokens of mailboxes that log in by OAuth: kept sealed, renewed ahead of their end, by one worker at a time.

`consent` is how a grant comes about. Renewing holds a session lock of PostgreSQL rather than a lock on the row: a
transaction that is open for as long as the provider takes to answer would hold back the readers of the log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import requests
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_email import providers as places
from channels_email.models import OAuthGrant
from channels_email.providers import Provider
from inbox import locks
from inbox.models import Channel
from lib import http, net

logger = logging.getLogger(__name__)

AHEAD = timedelta(minutes=5)  # an access token that ends sooner is renewed; they live for about an hour
SETTLED = timedelta(minutes=1)  # a token made so recently is not made again because a mail server refuses it
TRIES = 3  # of a renewal whose grant was exchanged meanwhile
WARN_AHEAD = timedelta(days=3)  # of the end of a consent that has one
WARN_IDLE = timedelta(days=14)  # of its end by not being used
MOST_SECONDS = 20.0  # for one whole exchange with a token endpoint
CONSENT_OVER = {"invalid_grant", "interaction_required", "consent_required", "login_required"}
OUR_FAULT = {"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"}


class OAuthTrouble(OSError):
    """There is no access token now; the text says why and what to do."""


class ConsentNeeded(OAuthTrouble):
    """Only a person can mend it, by consenting."""


class Refusal(OAuthTrouble):
    """The token endpoint said no. `code` is OAuth's own (RFC 6749 5.2)."""

    def __init__(self, words: str, code: str) -> None:
        super().__init__(words)
        self.code = code


def providers() -> list[Provider]:
    """Every provider that Rabta knows; `configured` says whether its client id and secret are set."""
    return places.all_of_them()


def provider_of(channel: Channel) -> Provider | None:
    """The provider that this mailbox's settings name for IMAP, SMTP or both."""
    for protocol in ("imap", "smtp"):
        key = (channel.settings.get(protocol) or {}).get("oauth")
        if key in places.KEYS:
            return places.named(key)
    return None


def grant_of(channel: Channel) -> OAuthGrant | None:
    """What was consented to for this mailbox, if it is still the provider that the settings name."""
    provider = provider_of(channel)
    return OAuthGrant.objects.filter(channel=channel, provider=provider.key).first() if provider else None


def awaited(channel: Channel) -> str:
    """What is to be done before this mailbox can be used at all; empty when nothing is."""
    provider = provider_of(channel)
    if provider is None or grant_of(channel) is not None:
        return ""
    if not provider.configured:
        return no_client(provider)
    return _("Nobody has logged in to %(provider)s for this mailbox yet. Open its settings and choose Connect.") % {
        "provider": provider.label
    }


def warnings(channel: Channel) -> list[str]:
    """What the main screen says of this mailbox's consent, before it ends and once it has."""
    provider = provider_of(channel)
    if provider is None:
        return []
    grant = grant_of(channel)
    if grant is None:
        return [awaited(channel)]
    if grant.failing_since is not None:
        return [grant.error]
    now = timezone.now()
    if grant.ends_at is not None and grant.ends_at < now + WARN_AHEAD:
        return [_ends(provider, grant.ends_at)]
    unused = grant.refreshed_at + provider.idle
    if unused < now + WARN_IDLE:
        return [_ends(provider, unused)]
    return []


def ends_at(channel: Channel) -> datetime | None:
    """When the mailbox's consent ends, where its provider tells it."""
    grant = grant_of(channel) if provider_of(channel) is not None else None
    return grant.ends_at if grant is not None else None


def token(channel_id: int, provider_key: str, *, refused: str = "") -> str:
    """An access token for the mailbox. `refused` is one that a mail server has just turned away: not that one again,
    unless it was made a moment ago. Raises OAuthTrouble."""
    provider = places.named(provider_key)
    if usable := _usable(_grant(channel_id, provider), refused):
        return usable
    with _only_renewer(channel_id):
        for _time in range(TRIES):
            grant = _grant(channel_id, provider)
            if found := _usable(grant, refused) or _renewed(grant, provider, refused):
                return found
    raise OAuthTrouble(_("The log-in of this mailbox was changed while it was renewed. It is tried again."))


def _grant(channel_id: int, provider: Provider) -> OAuthGrant:
    grant = OAuthGrant.objects.filter(channel=channel_id, provider=provider.key).first()
    if grant is None:
        raise ConsentNeeded(
            _("Nobody has logged in to %(provider)s for this mailbox yet. Open its settings and choose Connect.")
            % {"provider": provider.label}
        )
    return grant


def _usable(grant: OAuthGrant, refused: str) -> str:
    if grant.refused:
        raise ConsentNeeded(grant.error)
    access = str(_tokens(grant)["access"])
    now = timezone.now()
    if access == refused and grant.refreshed_at < now - SETTLED:
        return ""
    return access if grant.expires_at > now + AHEAD else ""


def _tokens(grant: OAuthGrant) -> dict[str, Any]:
    try:
        return grant.tokens
    except ValueError as error:
        raise ConsentNeeded(
            _("The consent for this mailbox cannot be opened: its key is missing in ENCRYPTION_KEYS. Connect it again.")
        ) from error


@contextmanager
def _only_renewer(channel_id: int) -> Iterator[None]:
    """Wait until no other process renews this mailbox's token: a session lock, which dies with the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [locks.TOKEN_RENEWAL, channel_id])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [locks.TOKEN_RENEWAL, channel_id])


def _renewed(grant: OAuthGrant, provider: Provider, refused: str) -> str:
    """A new access token, kept; empty when the grant is another by now. Raises OAuthTrouble.

    While the provider takes its time, somebody may consent anew or withdraw: nothing that was asked for with the old
    refresh token may be written over the new one, neither tokens nor their refusal.
    """
    kept = _tokens(grant)
    asked = {"grant_type": "refresh_token", "refresh_token": kept["refresh"], **provider.renewal}
    same = OAuthGrant.objects.filter(pk=grant.pk, sealed=grant.sealed)
    try:
        answer = ask(provider, asked)
    except OAuthTrouble as error:
        values = _failure(grant, provider, error)
        if not same.update(**values):
            return ""
        code = error.code if isinstance(error, Refusal) else ""
        logger.warning("the token of channel %s cannot be renewed: %s", grant.channel_id, code or type(error).__name__)
        if values["refused"]:
            raise ConsentNeeded(values["error"]) from error
        if kept["access"] != refused and grant.expires_at > timezone.now():
            return str(kept["access"])  # good for some minutes yet
        raise OAuthTrouble(values["error"]) from error
    written = same.update(failing_since=None, refused=False, error="", **values_of(answer, kept))
    return str(answer["access_token"]) if written else ""


def values_of(answer: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a grant that a token endpoint's answer changes. A refresh token it does not name stays."""
    now = timezone.now()
    row = OAuthGrant()
    row.tokens = {"access": answer["access_token"], "refresh": answer.get("refresh_token") or kept.get("refresh", "")}
    values: dict[str, Any] = {
        "sealed": row.sealed,
        "expires_at": now + timedelta(seconds=_seconds(answer.get("expires_in"), 3600)),
        "refreshed_at": now,
    }
    if "refresh_token_expires_in" in answer:  # Google tells it where a consent was given for a time only
        values["ends_at"] = now + timedelta(seconds=_seconds(answer["refresh_token_expires_in"], 0))
    return values


def _seconds(value: Any, otherwise: int) -> int:
    try:
        return max(0, min(int(value), 10 * 365 * 86400))
    except (TypeError, ValueError):
        return otherwise


def _failure(grant: OAuthGrant, provider: Provider, error: OAuthTrouble) -> dict[str, Any]:
    """The columns of a grant whose token cannot be renewed."""
    words = str(error)
    over = isinstance(error, Refusal) and error.code in CONSENT_OVER
    if over:
        words = _(
            "%(provider)s no longer lets Rabta into this mailbox (%(said)s). Mail is neither fetched nor sent until "
            "somebody connects it again: open the mailbox's settings and choose Connect."
        ) % {"provider": provider.label, "said": words}
    return {"failing_since": grant.failing_since or timezone.now(), "refused": over, "error": words[:2000]}


def ask(provider: Provider, fields: Mapping[str, str]) -> dict[str, Any]:
    """One request to the token endpoint (RFC 6749 4.1.3, 6); `fields` on top of client id and secret.

    Raises Refusal, or OAuthTrouble where there was no answer to be had.
    """
    if not provider.configured:
        raise OAuthTrouble(no_client(provider))
    data = {"client_id": provider.client_id, "client_secret": provider.client_secret, **fields}
    try:
        with net.cut_after(MOST_SECONDS) as deadline, http.Session() as session:
            response = session.post(provider.token_url, data=data, headers={"Accept": "application/json"}, stream=True)
            status, raw = response.status_code, http.body(response)
            if deadline.cut:  # the end of the connection looks like the end of the answer
                raise TimeoutError(f"no whole answer within {MOST_SECONDS:.0f} seconds")
    except (requests.RequestException, OSError) as error:
        raise OAuthTrouble(
            _("%(provider)s cannot be reached to renew the log-in: %(said)s")
            % {"provider": provider.label, "said": str(error)[:300]}
        ) from error
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    if status == 200 and isinstance(answer.get("access_token"), str) and answer["access_token"]:
        return answer
    raise _refusal(provider, status, answer)


def _refusal(provider: Provider, status: int, answer: Mapping[str, Any]) -> OAuthTrouble:
    code = str(answer.get("error", ""))[:60]
    said = " ".join(str(answer.get("error_description", "")).split())[:300] or code or f"HTTP {status}"
    if code in CONSENT_OVER:
        return Refusal(said, code)
    if code in OUR_FAULT:
        words = _(
            "%(provider)s does not take Rabta's client id or secret (%(said)s). Whoever runs this server has to look "
            "at %(setting)s: secrets end, too."
        )
        return Refusal(
            words % {"provider": provider.label, "said": said, "setting": f"{provider.setting}_SECRET"}, code
        )
    return Refusal(
        _("%(provider)s gives no access now: %(said)s. It is tried again.")
        % {"provider": provider.label, "said": said},
        code,
    )


def no_client(provider: Provider) -> str:
    """What an operator has to set."""
    return _(
        "Log-in by %(provider)s is not set up on this server: whoever runs it sets %(id)s_ID and %(id)s_SECRET."
    ) % {"provider": provider.label, "id": provider.setting}


def _ends(provider: Provider, at: datetime) -> str:
    day = timezone.localtime(at).strftime("%Y-%m-%d")
    return _(
        "The permission of %(provider)s for this mailbox ends on %(day)s. Open the mailbox's settings and choose "
        "Connect before then."
    ) % {"provider": provider.label, "day": day}
