"""Mailboxes by OAuth: consent, and the settings that ask for it."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.contrib.messages import get_messages
from django.contrib.messages.storage import default_storage
from django.test import Client, RequestFactory
from django.utils import timezone

from channels_email import consent, providers
from channels_email import oauth as tokens
from channels_email.forms import EmailSettingsForm
from channels_email.models import OAuthGrant
from inbox.models import Agent, Channel, Event, Role, Team
from tests.channels_email.conftest import MakeChannel
from tests.channels_email.oauth import USER, box, channel, grant, zoya
from tests.servers.oauth import OAuthServer

__all__ = ["channel", "zoya"]

pytestmark = pytest.mark.django_db(transaction=True)


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
