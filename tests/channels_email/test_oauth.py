"""Mailboxes by OAuth: consent, tokens renewed in time and once, log-in by token, and every way in which it ends."""

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.contrib.messages import get_messages
from django.contrib.messages.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from channels_email import consent, providers, tasks
from channels_email import oauth as tokens
from channels_email.forms import EmailSettingsForm
from channels_email.models import OAuthGrant
from channels_email.oauth import ConsentNeeded, OAuthTrouble
from channels_email.xoauth2 import Answers
from inbox import delivery, health, polling
from inbox.actions import tickets
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, Channel, Event, Message, Role, Team
from tests.channels_email.conftest import ALI, MakeChannel, mail
from tests.servers import dripping, scripted
from tests.servers.dovecot import Dovecot
from tests.servers.oauth import OAuthServer

pytestmark = pytest.mark.django_db(transaction=True)

USER = "support@rabta.example"


@pytest.fixture
def zoya(db: None) -> Agent:
    return Agent.objects.create_user("zoya@rabta.example", name="Zoya", role=Role.ADMIN)


@pytest.fixture
def channel(make_channel: MakeChannel) -> Channel:
    return box(make_channel)


def box(make_channel: MakeChannel, provider: str = "google", **servers: dict[str, Any]) -> Channel:
    """A channel whose settings name OAuth, and no grant yet."""
    servers = servers or {"imap": {"host": "127.0.0.1", "port": 1}}
    common = {"security": "none", "username": USER, "oauth": provider}
    return make_channel(**{name: {**common, **given} for name, given in servers.items()})


def grant(channel: Channel, server: OAuthServer, **values: Any) -> OAuthGrant:
    """A grant as consent would leave it; `values` are columns on top."""
    server.refresh["lasting"] = server.account
    server.access["short"] = server.account
    provider = tokens.provider_of(channel)
    assert provider is not None
    row = consent.keep(
        channel, provider, {"access_token": "short", "refresh_token": "lasting", "expires_in": 3600}, by=None
    )
    OAuthGrant.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


class TestConsent:
    def begin(self, client: Client, channel: Channel) -> str:
        answer = client.post(f"/settings/channels/{channel.slug}/oauth/", headers={"HX-Request": "true"})
        assert answer.status_code == 204
        return str(answer.headers["HX-Redirect"])

    def come_back(self, client: Client, url: str) -> Any:
        there = requests.get(url, allow_redirects=False, timeout=5).headers["Location"]
        assert there.startswith("http://testserver/settings/oauth/mail/callback/?")
        return client.get(there.removeprefix("http://testserver"))

    @pytest.mark.parametrize("provider", ["google", "microsoft"])
    def test_the_whole_way(
        self, oauth: OAuthServer, make_channel: MakeChannel, client: Client, zoya: Agent, provider: str
    ) -> None:
        channel = box(make_channel, provider)
        Channel.objects.update(next_poll_at=timezone.now() + timedelta(hours=1))
        client.force_login(zoya)
        url = self.begin(client, channel)
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == "http://testserver/settings/oauth/mail/callback/"
        assert asked["login_hint"] == USER
        if provider == "google":
            assert urlsplit(url).path == "/o/oauth2/v2/auth"
            assert (asked["access_type"], asked["prompt"]) == ("offline", "consent")
            assert "https://mail.google.com/" in asked["scope"].split()
        else:
            assert urlsplit(url).path == "/common/oauth2/v2.0/authorize"
            assert {"offline_access", "https://outlook.office.com/SMTP.Send"} < set(asked["scope"].split())
        back = self.come_back(client, url)
        assert back.status_code == 302
        assert back.headers["Location"] == "/settings/channels/support/"
        row = OAuthGrant.objects.get()
        assert (row.provider, row.account, row.granted_by) == (provider, USER, zoya)
        assert row.tokens["access"] in oauth.access and row.tokens["refresh"] in oauth.refresh
        assert row.tokens["access"] not in row.sealed
        assert tokens.grant_of(channel) == row
        channel.refresh_from_db()
        assert channel.next_poll_at <= timezone.now()
        event = Event.objects.get(kind="mailbox_connected")
        assert (event.actor_id, event.data) == (zoya.pk, {"channel": channel.pk, "provider": provider})

    def test_without_scripts_a_page_leads_on(
        self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent
    ) -> None:
        client.force_login(zoya)
        answer = client.post("/settings/channels/support/oauth/")
        assert answer.status_code == 200
        _zero, _, url = answer.headers["Refresh"].partition("url=")
        assert self.come_back(client, url).headers["Location"] == "/settings/channels/support/"
        assert OAuthGrant.objects.exists()

    def test_a_second_consent_takes_the_place_of_the_first(
        self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent
    ) -> None:
        grant(channel, oauth, refused=True, failing_since=timezone.now(), error="over", ends_at=timezone.now())
        client.force_login(zoya)
        self.come_back(client, self.begin(client, channel))
        row = OAuthGrant.objects.get()
        assert (row.refused, row.failing_since, row.error, row.ends_at) == (False, None, "", None)

    def test_an_answer_is_good_once_and_for_its_session_alone(
        self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent
    ) -> None:
        client.force_login(zoya)
        url = self.begin(client, channel)
        there = (
            requests.get(url, allow_redirects=False, timeout=5).headers["Location"].removeprefix("http://testserver")
        )
        other = Client()
        other.force_login(zoya)
        for who, address in [
            (other, there),  # another session of the same person
            (client, there.replace("state=", "state=x")),
            (client, "/settings/oauth/mail/callback/?code=x"),
            (client, "/settings/oauth/mail/callback/?code=x&state="),
        ]:
            answer = who.get(address)
            assert answer.headers["Location"] == "/settings/"
            assert not OAuthGrant.objects.exists()
        assert client.get(there).headers["Location"] == "/settings/channels/support/"
        OAuthGrant.objects.all().delete()
        assert client.get(there).headers["Location"] == "/settings/"
        assert not OAuthGrant.objects.exists()

    def test_a_late_answer_is_refused(
        self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.force_login(zoya)
        url = self.begin(client, channel)
        monkeypatch.setattr(consent, "LASTS", -1)
        assert self.come_back(client, url).headers["Location"] == "/settings/"

    @pytest.mark.parametrize(
        ("account", "answer", "words"),
        [
            (USER, {"access_token": "x", "expires_in": 1}, "no lasting permission"),
            (USER, {"access_token": "x", "refresh_token": "y", "scope": "openid email"}, "tick it"),
        ],
    )
    def test_a_consent_that_is_not_enough_says_so(
        self,
        oauth: OAuthServer,
        channel: Channel,
        client: Client,
        zoya: Agent,
        account: str,
        answer: dict[str, Any],
        words: str,
    ) -> None:
        client.force_login(zoya)
        oauth.answers = [(200, answer)]
        self.come_back(client, self.begin(client, channel))
        assert words in said(client)
        assert not OAuthGrant.objects.exists()

    def test_a_refused_consent_says_so(self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent) -> None:
        client.force_login(zoya)
        state = dict(parse_qsl(urlsplit(self.begin(client, channel)).query))["state"]
        client.get("/settings/oauth/mail/callback/", {"state": state, "error": "access_denied"})
        assert "access_denied" in said(client)

    def test_another_account_is_pointed_out(
        self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent
    ) -> None:
        oauth.account = "somebody@rabta.example"
        client.force_login(zoya)
        self.come_back(client, self.begin(client, channel))
        assert "somebody@rabta.example gave the permission" in said(client)

    def test_who_may(self, oauth: OAuthServer, channel: Channel, client: Client, sana: Agent, zoya: Agent) -> None:
        begin, end = "/settings/channels/support/oauth/", "/settings/oauth/mail/callback/?state=x&code=x"
        assert client.post(begin).headers["Location"].startswith("/accounts/login/")
        for role in (Role.LIGHT, Role.AGENT, Role.MANAGER):
            Agent.objects.filter(pk=sana.pk).update(role=role)
            client.force_login(sana)
            assert (client.post(begin).status_code, client.get(end).status_code) == (403, 403)
        client.force_login(zoya)
        assert client.get(begin).status_code == 405
        assert client.post("/settings/channels/nothing/oauth/").status_code == 404

    def test_an_outsider_who_begins_nothing_ends_nothing(
        self, oauth: OAuthServer, channel: Channel, zoya: Agent, client: Client
    ) -> None:
        """Rights are asked for again at the end: they may have been taken in between."""
        client.force_login(zoya)
        url = self.begin(client, channel)
        Agent.objects.filter(pk=zoya.pk).update(role=Role.AGENT)
        channel.teams.add(Team.objects.create(name="Others", slug="others", private=True))
        assert self.come_back(client, url).status_code == 403
        assert not OAuthGrant.objects.exists()

    def test_without_a_client_id_it_says_what_to_set(
        self, oauth: OAuthServer, channel: Channel, client: Client, zoya: Agent, settings: Any
    ) -> None:
        settings.GOOGLE_CLIENT_SECRET = ""
        assert {one.key: one.configured for one in tokens.providers()} == {"google": False, "microsoft": True}
        client.force_login(zoya)
        assert client.post("/settings/channels/support/oauth/").status_code == 302
        assert "GOOGLE_CLIENT_ID" in said(client)
        answer = client.post("/settings/channels/support/oauth/", headers={"HX-Request": "true"})
        assert answer.headers["HX-Redirect"] == "/settings/channels/support/"

    @pytest.mark.parametrize("id_token", ["", "x", "a.b.c", "a.bnVsbA.c", "e30.W10.x", "é.é.é"])
    def test_a_strange_id_token_names_nobody(self, id_token: str) -> None:
        assert consent.account_of({"id_token": id_token}) == ""


def said(client: Client) -> str:
    """The notices that the next page will show."""
    request = RequestFactory().get("/")
    request.session = client.session
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    request._messages = default_storage(request)  # type: ignore[attr-defined]
    return " ".join(str(one) for one in get_messages(request))


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


class TestWarnings:
    def problems(self, agent: Agent) -> str:
        return "\n".join(line for line in health.problems(agent) if line.startswith("Support: "))

    def test_without_consent_it_says_so_and_does_not_poll(
        self, oauth: OAuthServer, channel: Channel, zoya: Agent
    ) -> None:
        assert polling.poll(channel.pk) == 0
        channel.refresh_from_db()
        assert channel.in_failing_since is None
        assert "choose Connect" in self.problems(zoya)
        assert not all(line.ok for line in adapter_for("email").check(channel))

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({}, ""),
            ({"ends_at": "soon"}, "ends on"),
            ({"ends_at": "later"}, ""),
            ({"refreshed_at": "long ago"}, "ends on"),
            ({"failing_since": "now", "error": "It is over."}, "It is over."),
        ],
    )
    def test_before_and_at_its_end(
        self, oauth: OAuthServer, channel: Channel, zoya: Agent, values: dict[str, str], words: str
    ) -> None:
        moments = {
            "soon": timezone.now() + timedelta(days=2),
            "later": timezone.now() + timedelta(days=9),
            "long ago": ago(days=170),
            "now": timezone.now(),
        }
        grant(channel, oauth, **{name: moments.get(value, value) for name, value in values.items()})
        found = self.problems(zoya)
        assert words in found if words else not found
        Channel.objects.update(paused=True)
        assert self.problems(zoya) == found

    def test_what_stops_a_channel_is_said_once(self, oauth: OAuthServer, channel: Channel, zoya: Agent) -> None:
        grant(channel, oauth, expires_at=ago(hours=1))
        oauth.refresh.clear()
        polling.poll(channel.pk)
        found = self.problems(zoya)
        assert found.count("expired or revoked") == 1
        assert "new mail cannot be fetched" in found

    def test_check_channels_says_it_too(self, oauth: OAuthServer, channel: Channel) -> None:
        grant(channel, oauth, ends_at=timezone.now() + timedelta(days=1))
        out = io.StringIO()
        call_command("check_channels", stdout=out)
        assert out.getvalue().startswith("support: ok\n  The permission of Google for this mailbox ends on ")

    def test_an_outsider_is_told_nothing(self, oauth: OAuthServer, channel: Channel, sana: Agent) -> None:
        channel.teams.add(Team.objects.create(name="Others", slug="others", private=True))
        assert not self.problems(sana)


@pytest.mark.servers
class TestImap:
    def open(self, make_channel: MakeChannel, dovecot: Dovecot, user: str, **more: Any) -> Channel:
        imap = {"host": "127.0.0.1", "port": dovecot.imap, "username": user, **more}
        return box(make_channel, imap=imap)

    def test_mail_is_fetched_by_token(
        self, oauth: OAuthServer, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
    ) -> None:
        oauth.account = mailbox
        channel = self.open(make_channel, dovecot, mailbox)
        grant(channel, oauth)
        dovecot.append(mailbox, mail())
        assert polling.poll(channel.pk) == 1
        assert all(line.ok for line in adapter_for("email").check(channel) if "SMTP" not in line.name)

    def test_a_token_that_was_taken_back_is_renewed_once(
        self, oauth: OAuthServer, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
    ) -> None:
        oauth.account = mailbox
        channel = self.open(make_channel, dovecot, mailbox)
        grant(channel, oauth, refreshed_at=ago(minutes=10))
        dovecot.append(mailbox, mail())
        oauth.access.clear()
        assert polling.poll(channel.pk) == 1
        assert len(oauth.requests) == 1

    def test_another_s_mailbox_is_not_opened_and_it_says_why(
        self, oauth: OAuthServer, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
    ) -> None:
        channel = self.open(make_channel, dovecot, mailbox)
        grant(channel, oauth, refreshed_at=ago(minutes=10))
        assert polling.poll(channel.pk) == 0
        channel.refresh_from_db()
        assert "refuses the log-in by token" in channel.in_error
        assert len(oauth.requests) == 1


class Smtp:
    """A submission server that takes XOAUTH2 alone, for the mailbox `USER`."""

    def __init__(self, oauth: OAuthServer, *, offered: str = "XOAUTH2 PLAIN") -> None:
        self.oauth, self.offered = oauth, offered
        self.refused: list[str] = []

    def __call__(self, line: str, _mails: int) -> str:
        if line.upper().startswith("EHLO"):
            return f"250-scripted\r\n250 AUTH {self.offered}"
        if line.startswith("AUTH XOAUTH2 "):
            user, auth = base64.b64decode(line.split(" ")[2]).decode().split("\x01")[:2]
            access = auth.removeprefix("auth=Bearer ")
            if user == f"user={USER}" and self.oauth.access.get(access) == USER:
                return "235 2.7.0 Accepted"
            self.refused.append(access)
            return "334 " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode()
        if line == "":
            return "535 5.7.8 Username and Password not accepted"
        return ""


class TestSmtp:
    def write(self, channel: Channel, sana: Agent) -> None:
        ticket = tickets.open_ticket(
            by=sana, channel=channel, identity=Party("email", ALI), subject="s", text="t", direction="out"
        )
        Message.objects.filter(ticket=ticket).update(next_attempt_at=timezone.now())

    def test_mail_leaves_by_token_which_is_renewed_once(
        self, oauth: OAuthServer, make_channel: MakeChannel, sana: Agent
    ) -> None:
        script = Smtp(oauth)
        with scripted.running(script) as server:
            channel = box(make_channel, smtp={"host": "127.0.0.1", "port": server.port})
            self.write(channel, sana)
            assert delivery.deliver(channel.pk) == 0  # no consent yet: it waits
            grant(channel, oauth, refreshed_at=ago(minutes=10))
            oauth.access.clear()
            assert delivery.deliver(channel.pk) == 1
        assert script.refused == ["short"]
        assert server.commands.count("") == 1  # the empty line that answers a challenge
        assert len(oauth.requests) == 1

    def test_where_it_is_not_offered_no_token_is_shown(
        self, oauth: OAuthServer, make_channel: MakeChannel, sana: Agent
    ) -> None:
        with scripted.running(Smtp(oauth, offered="PLAIN LOGIN")) as server:
            channel = box(make_channel, smtp={"host": "127.0.0.1", "port": server.port})
            grant(channel, oauth)
            self.write(channel, sana)
            assert delivery.deliver(channel.pk) == 0
        assert not any("AUTH" in line for line in server.commands)
        assert "not this log-in" in Channel.objects.get().out_error

    def test_a_consent_that_is_over_keeps_the_reply_queued(
        self, oauth: OAuthServer, make_channel: MakeChannel, sana: Agent
    ) -> None:
        with scripted.running(Smtp(oauth)) as server:
            channel = box(make_channel, smtp={"host": "127.0.0.1", "port": server.port})
            grant(channel, oauth, expires_at=ago(hours=1))
            oauth.refresh.clear()
            self.write(channel, sana)
            assert delivery.deliver(channel.pk) == 0
        assert Message.objects.get().state == "queued"
        assert "choose Connect" in Channel.objects.get().out_error


def test_the_answer_to_a_challenge_is_an_empty_line() -> None:
    answers = Answers("agent@example.com", "ya29.tok")
    first = base64.b64encode(answers(b"").encode()).decode()
    assert first == "dXNlcj1hZ2VudEBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnRvawEB"
    assert answers(b'{"status":"400","schemes":"Bearer"}') == ""
    assert answers.refusal == "400"
    assert Answers("a@b.example\x01auth=Bearer x\r\n", "t")().count("\x01") == 3


class TestSettings:
    def form(self, **more: Any) -> EmailSettingsForm:
        server = {"host": "imap.gmail.com", "username": USER, "oauth": "google"}
        return EmailSettingsForm({"address": USER, "imap": {**server, **more}})

    def test_a_token_stands_in_place_of_the_password(self) -> None:
        form = self.form()
        assert form.is_valid(), form.errors
        assert form.cleaned_data["imap"]["oauth"] == "google"
        form = self.form(password="old")
        assert form.is_valid() and "password" not in form.cleaned_data["imap"]

    @pytest.mark.parametrize("more", [{"oauth": "yahoo"}, {"oauth": ["google"]}, {"username": ""}])
    def test_what_is_wrong_is_named(self, more: dict[str, Any]) -> None:
        assert not self.form(**more).is_valid()

    def test_a_token_never_travels_in_the_clear(self, settings: Any) -> None:
        settings.ALLOW_PRIVATE_NETWORKS = False
        assert "imap.security" in self.form(security="none").errors

    @pytest.mark.parametrize(
        "host", ["imap.evil.example", "imap.gmail.com.evil.example", "evilgmail.com", "outlook.office365.com", "::2"]
    )
    def test_a_token_is_shown_to_its_providers_servers_alone(self, host: str) -> None:
        assert list(self.form(host=host).errors) == ["imap.host"]

    def test_a_provider_may_be_played_on_this_machine_in_private_networks(self, settings: Any) -> None:
        assert self.form(host="127.0.0.1").is_valid()
        settings.ALLOW_PRIVATE_NETWORKS = False
        assert "imap.host" in self.form(host="127.0.0.1").errors

    def test_one_mailbox_has_one_provider(self) -> None:
        imap = {"host": "imap.gmail.com", "username": USER, "oauth": "google"}
        smtp = {"host": "smtp.office365.com", "username": USER, "oauth": "microsoft"}
        form = EmailSettingsForm({"address": USER, "imap": imap, "smtp": smtp})
        assert "smtp.oauth" in form.errors


def test_every_provider_is_named_in_the_settings_form() -> None:
    assert [one.key for one in providers.all_of_them()] == list(providers.KEYS)
