"""Mailboxes by OAuth: tokens renewed in time and once, and every way in which that fails."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from channels_email import consent, providers, tasks
from channels_email import oauth as tokens
from channels_email.models import OAuthGrant
from channels_email.oauth import ConsentNeeded, OAuthTrouble
from inbox.models import Channel
from tests.channels_email.conftest import MakeChannel
from tests.channels_email.oauth import USER, ago, box, channel, grant
from tests.servers import dripping
from tests.servers.oauth import OAuthServer

__all__ = ["channel"]

pytestmark = pytest.mark.django_db(transaction=True)


class TestTokens:
    def test_a_good_token_is_used_as_it_is(self, oauth: OAuthServer, channel: Channel) -> None:
        grant(channel, oauth)
        assert tokens.token(channel.pk, "google") == "short"
        assert oauth.requests == []

    @pytest.mark.parametrize("provider", ["google", "microsoft"])
    def test_it_is_renewed_ahead_of_its_end(self, oauth: OAuthServer, make_channel: MakeChannel, provider: str) -> None:
        channel = box(make_channel, provider)
        row = grant(channel, oauth, expires_at=timezone.now() + timedelta(minutes=4), refreshed_at=ago(hours=1))
        new = tokens.token(channel.pk, provider)
        assert new in oauth.access and new != "short"
        (asked,) = oauth.requests
        assert asked["grant_type"] == "refresh_token"
        assert ("SMTP.Send" in asked.get("scope", "")) is (provider == "microsoft")
        row.refresh_from_db()
        assert row.tokens == {"access": new, "refresh": "lasting"}  # none was named: the old one stays
        assert row.expires_at > timezone.now() + timedelta(minutes=50)
        assert tokens.token(channel.pk, provider) == new

    def test_a_new_refresh_token_takes_the_place_of_the_old(self, oauth: OAuthServer, channel: Channel) -> None:
        row = grant(channel, oauth, expires_at=ago(hours=1))
        oauth.more = {"refresh_token": "rotated", "refresh_token_expires_in": 86400}
        tokens.token(channel.pk, "google")
        row.refresh_from_db()
        assert row.tokens["refresh"] == "rotated"
        assert row.ends_at is not None
        assert timedelta(hours=23) < row.ends_at - timezone.now() < timedelta(hours=25)

    def test_many_workers_renew_once(self, oauth: OAuthServer, channel: Channel) -> None:
        grant(channel, oauth, expires_at=ago(hours=1), refreshed_at=ago(hours=1))
        got: list[str] = []
        ready = threading.Barrier(6)

        def work() -> None:
            try:
                ready.wait(10)
                got.append(tokens.token(channel.pk, "google"))
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(6)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        assert len(got) == 6 and len(set(got)) == 1
        assert len(oauth.requests) == 1

    def test_many_workers_who_were_turned_away_renew_once(self, oauth: OAuthServer, channel: Channel) -> None:
        grant(channel, oauth, refreshed_at=ago(minutes=10))
        first = tokens.token(channel.pk, "google", refused="short")
        assert first != "short"
        assert tokens.token(channel.pk, "google", refused="short") == first
        assert tokens.token(channel.pk, "google", refused=first) == first  # made a moment ago: another is no better
        assert len(oauth.requests) == 1

    def test_a_consent_that_was_taken_back_says_what_to_do(self, oauth: OAuthServer, channel: Channel) -> None:
        row = grant(channel, oauth, expires_at=ago(hours=1))
        oauth.refresh.clear()
        for _time in range(2):
            with pytest.raises(ConsentNeeded, match="choose Connect"):
                tokens.token(channel.pk, "google")
        assert len(oauth.requests) == 1  # asking again would change nothing
        row.refresh_from_db()
        assert row.refused and row.failing_since is not None
        assert "expired or revoked" in row.error

    @pytest.mark.parametrize("end", ["renewed", "refused", "away"])
    def test_a_consent_given_during_a_renewal_is_what_counts(
        self, oauth: OAuthServer, channel: Channel, monkeypatch: pytest.MonkeyPatch, end: str
    ) -> None:
        grant(channel, oauth, expires_at=ago(hours=1))
        google = providers.named("google")

        def ask(provider: providers.Provider, fields: dict[str, str]) -> dict[str, Any]:
            new = {"access_token": "new", "refresh_token": "of another", "expires_in": 3600}
            consent.keep(channel, google, new, by=None)
            if end == "renewed":
                return {"access_token": "of the old account", "expires_in": 3600}
            raise tokens.Refusal("revoked", "invalid_grant") if end == "refused" else OAuthTrouble("away")

        monkeypatch.setattr(tokens, "ask", ask)
        assert tokens.token(channel.pk, "google") == "new"
        row = OAuthGrant.objects.get()
        assert row.tokens == {"access": "new", "refresh": "of another"}
        assert (row.refused, row.failing_since, row.error) == (False, None, "")

    @pytest.mark.parametrize("end", ["renewed", "refused"])
    def test_a_grant_that_is_withdrawn_during_a_renewal_asks_for_consent(
        self, oauth: OAuthServer, channel: Channel, monkeypatch: pytest.MonkeyPatch, end: str
    ) -> None:
        grant(channel, oauth, expires_at=ago(hours=1))

        def ask(provider: providers.Provider, fields: dict[str, str]) -> dict[str, Any]:
            OAuthGrant.objects.all().delete()
            if end == "renewed":
                return {"access_token": "late", "expires_in": 3600}
            raise tokens.Refusal("revoked", "invalid_grant")

        monkeypatch.setattr(tokens, "ask", ask)
        with pytest.raises(ConsentNeeded, match="choose Connect"):
            tokens.token(channel.pk, "google")
        assert not OAuthGrant.objects.exists()

    def test_a_grant_that_is_withdrawn_before_its_renewal_asks_for_consent(
        self, oauth: OAuthServer, channel: Channel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        grant(channel, oauth, expires_at=ago(hours=1))

        @contextmanager
        def waiting(channel_id: int) -> Iterator[None]:
            OAuthGrant.objects.all().delete()
            yield

        monkeypatch.setattr(tokens, "_only_renewer", waiting)
        with pytest.raises(ConsentNeeded, match="choose Connect"):
            tokens.token(channel.pk, "google")
        assert oauth.requests == []

    @pytest.mark.parametrize(
        ("status", "answer", "words"),
        [
            (401, {"error": "invalid_client"}, "GOOGLE_CLIENT_SECRET"),
            (503, {}, "HTTP 503"),
            (200, {"token_type": "Bearer"}, "HTTP 200"),
            (400, {"error": "temporarily_unavailable"}, "temporarily_unavailable"),
        ],
    )
    def test_passing_trouble_is_tried_again(
        self, oauth: OAuthServer, channel: Channel, status: int, answer: dict[str, Any], words: str
    ) -> None:
        row = grant(channel, oauth, expires_at=ago(hours=1))
        oauth.answers = [(status, answer)]
        with pytest.raises(OAuthTrouble, match=words):
            tokens.token(channel.pk, "google")
        row.refresh_from_db()
        assert row.failing_since is not None and not row.refused
        assert tokens.token(channel.pk, "google") in oauth.access
        assert OAuthGrant.objects.get(failing_since=None).error == ""

    def test_while_the_provider_is_away_a_token_is_used_to_its_end(
        self, oauth: OAuthServer, channel: Channel, settings: Any
    ) -> None:
        grant(channel, oauth, expires_at=timezone.now() + timedelta(minutes=2))
        settings.GOOGLE_TOKEN_URL = "http://127.0.0.1:1"
        assert tokens.token(channel.pk, "google") == "short"
        OAuthGrant.objects.update(expires_at=ago(minutes=1))
        with pytest.raises(OAuthTrouble, match="cannot be reached"):
            tokens.token(channel.pk, "google")

    def test_the_token_endpoint_is_held_to_the_guard(self, oauth: OAuthServer, channel: Channel, settings: Any) -> None:
        grant(channel, oauth, expires_at=ago(hours=1))
        settings.ALLOW_PRIVATE_NETWORKS = False
        with pytest.raises(OAuthTrouble, match="private network"):
            tokens.token(channel.pk, "google")

    @pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"])
    def test_a_token_endpoint_that_drips_is_cut(
        self, oauth: OAuthServer, channel: Channel, settings: Any, monkeypatch: pytest.MonkeyPatch, begin: bytes
    ) -> None:
        grant(channel, oauth, expires_at=ago(minutes=1))
        monkeypatch.setattr(tokens, "MOST_SECONDS", 0.5)
        with dripping.running(begin, b" ") as port:
            settings.GOOGLE_TOKEN_URL = f"http://127.0.0.1:{port}/"
            with pytest.raises(OAuthTrouble, match="cannot be reached"):
                tokens.token(channel.pk, "google")
        assert not OAuthGrant.objects.get().refused

    def test_a_lost_key_says_so(self, oauth: OAuthServer, channel: Channel, settings: Any) -> None:
        grant(channel, oauth)
        settings.ENCRYPTION_KEYS = ["YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="]
        with pytest.raises(ConsentNeeded, match="ENCRYPTION_KEYS"):
            tokens.token(channel.pk, "google")

    def test_tokens_that_nothing_uses_are_forgotten(self, oauth: OAuthServer, channel: Channel) -> None:
        grant(channel, oauth)
        settings = channel.settings
        for name, kept in [("google", 1), ("microsoft", 1), ("google", 1)]:
            Channel.objects.update(settings={**settings, "imap": {**settings["imap"], "oauth": name}})
            tasks.every_night()
            assert OAuthGrant.objects.count() == kept
        OAuthGrant.objects.update(granted_at=ago(days=2))
        tasks.every_night()
        assert OAuthGrant.objects.count() == 1
        Channel.objects.update(settings={"address": USER})
        tasks.every_night()
        assert not OAuthGrant.objects.exists()

    def test_no_secret_is_logged(self, oauth: OAuthServer, channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        grant(channel, oauth, expires_at=ago(hours=1))
        access = tokens.token(channel.pk, "google")
        oauth.refresh.clear()
        OAuthGrant.objects.update(expires_at=ago(hours=1))
        with pytest.raises(ConsentNeeded):
            tokens.token(channel.pk, "google")
        for secret in (access, "lasting", "client-secret"):
            assert secret not in caplog.text
