"""What a mailbox's own pages show and take: providers, one log-in for two servers, consent, counts, the domain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels_email import lookups, presets, probes, screens, tokens
from channels_email.adapter import EmailAdapter
from channels_email.models import MailboxAudit, OAuthGrant
from channels_email.receipts import raw_receipt
from inbox.actions import channels, receive
from inbox.models import Agent, Channel, Receipt, Role
from tests.channels_email.conftest import mail
from tests.inbox.views.conftest import Desk
from tests.servers import dns

SETTINGS: dict[str, Any] = {
    "address": "help@example.org",
    "imap": {"host": "imap.gmail.com", "username": "help@example.org", "password": "x"},
    "smtp": {"host": "smtp.gmail.com", "username": "help@example.org", "password": "x"},
}


@pytest.fixture
def zoya(db: None) -> Agent:
    return Agent.objects.create_user("zoya@rabta.example", name="Zoya", role=Role.ADMIN)


@pytest.fixture
def mona(db: None) -> Agent:
    return Agent.objects.create_user("mona@rabta.example", name="Mona", role=Role.MANAGER)


@pytest.fixture
def mailbox(zoya: Agent) -> Channel:
    return channels.create("email", "help", SETTINGS, by=zoya)


@pytest.fixture
def google(settings: LazySettings) -> None:
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "id", "secret"


def by_oauth(zoya: Agent) -> Channel:
    parts = {one: {**SETTINGS[one], "oauth": "google"} for one in ("imap", "smtp")}
    return channels.create("email", "help", {**SETTINGS, **parts}, by=zoya)


def grant(channel: Channel, **told: Any) -> OAuthGrant:
    row = OAuthGrant(
        channel=channel, provider="google", account="help@example.org", expires_at=timezone.now() + timedelta(hours=1)
    )
    row.tokens = {"access": "secret-access", "refresh": "secret-refresh"}
    for name, value in told.items():
        setattr(row, name, value)
    row.save()
    return row


def page(agent: Agent, path: str = "", *, part: bool = False) -> str:
    response = Desk(agent).get(f"/settings/channels/help/{path}", part=part)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("preset", presets.ALL, ids=lambda one: one.key)
def test_every_preset_makes_a_form_that_holds(preset: presets.Preset) -> None:
    start = screens.start({"provider": preset.key, "address": "help@example.org"})
    assert start.question is None
    assert start.about is not None
    given = {**start.initial, "same_login": "on", "login": "password"}
    if preset.imap:
        given["imap.password"] = "x"
    form = EmailAdapter().settings_form(screens.posted({name: str(value) for name, value in given.items()}))
    assert form.is_valid(), form.errors
    assert ("imap" in form.cleaned_data) == (preset.imap is not None)
    if preset.imap and preset.smtp:
        assert form.cleaned_data["smtp"]["password"] == "x"
        assert {preset.imap.security, preset.smtp.security} <= {"tls", "starttls"}
        assert presets.by_server(preset.smtp.host) is preset


def test_addresses_at_providers_have_the_servers_of_their_kind() -> None:
    def host(address: str) -> Any:
        return screens.start({"address": address}).initial["smtp.host"]

    assert host("a@hotmail.com") == "smtp-mail.outlook.com"
    assert host("a@gmx.com") == "mail.gmx.com"
    assert host("a@gmx.de") == "mail.gmx.net"
    assert host("a@zoho.com") == "smtp.zoho.com"
    assert host("a@me.com") == "smtp.mail.me.com"
    assert presets.hosts(presets.MICROSOFT, "a@example.org")["smtp.host"] == "smtp.office365.com"


@pytest.fixture(scope="module")
def zone() -> Iterator[dns.DnsServer]:
    with dns.running(
        {
            "example.org": ["MX 20 mx.example.org.", "MX 10 ASPMX.L.Google.com."],
            "office.example": ["MX 0 office-example.mail.protection.outlook.com."],
            "own.example": ["MX 0 mail.own.example."],
            "evil.example": ["MX 0 google.com.evil.example."],
            "silent.example": dns.SILENT,
        }
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("a@example.org", "google"),
        ("a@office.example", "microsoft"),
        ("a@own.example", "other"),
        ("a@evil.example", "other"),
        ("a@silent.example", "other"),
        ("a@nowhere.example", "other"),
        ("a@", "other"),
        ("a@" + "x" * 300, "other"),
    ],
)
def test_own_domains_are_known_by_their_mail_exchangers(
    zone: dns.DnsServer, settings: LazySettings, address: str, key: str
) -> None:
    settings.DNS_SERVER = zone.address
    assert screens.guess(address, lookups.Dns(seconds=0.3)).key == key


def test_what_a_page_means() -> None:
    typed = {
        "address": "a@example.org",
        "imap.host": "i.example",
        "imap.username": "",
        "imap.password": "x",
        "smtp.host": "s.example",
        "smtp.username": "old",
        "smtp.password": "",
        "imap.oauth": "microsoft",
    }
    one = screens.posted({**typed, "same_login": "on", "login": "password", "provider": "google"})
    assert (one["imap.username"], one["smtp.username"], one["smtp.password"]) == ("a@example.org", "a@example.org", "x")
    assert not {"imap.oauth", "smtp.oauth", "login", "same_login", "provider"} & set(one)
    two = screens.posted({**typed, "login": "password"})
    assert (two["smtp.username"], two["smtp.password"]) == ("old", "")
    oauth = screens.posted({**typed, "same_login": "on", "login": "oauth", "provider": "google"})
    assert (oauth["imap.oauth"], oauth["smtp.oauth"], oauth["smtp.username"]) == ("google", "google", "a@example.org")
    assert not {"imap.password", "smtp.password"} & set(oauth)


def test_the_facts_hold_no_secret(mailbox: Channel) -> None:
    facts = dict(screens.facts(mailbox))
    assert "imap.gmail.com (TLS)" in facts.values()
    assert "x" not in facts.values()
    channel = Channel(kind="email", slug="p", name="P", settings={"address": "p@example.org", "catch_all": True})
    assert "no mailbox: mail is forwarded or piped here" in dict(screens.facts(channel)).values()


@pytest.mark.usefixtures("google")
def test_log_in_by_google_is_offered_where_it_is_set_up(zoya: Agent, settings: LazySettings) -> None:
    path = "/settings/channels/new/email/?provider=google"
    desk = Desk(zoya)
    assert 'value="oauth" data-shows="login" checked' in desk.get(path).content.decode()
    form = {
        "address": "help@example.org",
        "imap.host": "imap.gmail.com",
        "smtp.host": "smtp.gmail.com",
        "login": "oauth",
        "provider": "google",
        "same_login": "on",
    }
    assert desk.post(path, form).status_code == 302
    kept = Channel.objects.get()
    assert kept.settings["imap"]["oauth"] == kept.settings["smtp"]["oauth"] == "google"
    assert kept.secrets == {}
    settings.GOOGLE_CLIENT_ID = ""
    assert 'value="oauth"' not in desk.get(path).content.decode()
    assert 'value="oauth"' in page(zoya, "settings/")  # what is chosen stays to be seen


@pytest.mark.usefixtures("google")
def test_the_panel_of_consent(zoya: Agent, mona: Agent) -> None:
    channel = by_oauth(zoya)
    begin = 'action="/settings/channels/help/oauth/"'
    said = page(zoya)
    assert "Connect with Google" in said
    assert said.index("Nobody has given permission yet") < said.index("Receiving")
    assert begin not in page(mona)
    row = grant(channel)
    said = page(zoya)
    assert "The permission holds." in said
    assert "Connect again" in said
    assert said.index("Receiving") < said.index("The permission holds.")
    assert "secret-" not in said
    row.refused, row.failing_since, row.error = True, timezone.now(), "Google said <no>"
    row.save()
    said = page(zoya)
    assert "The permission has ended." in said
    assert "Google said &lt;no&gt;" in said


def test_consent_where_no_client_is_set_up_says_who_can_help(zoya: Agent) -> None:
    by_oauth(zoya)
    said = page(zoya)
    assert "This server has no client for Google" in said
    assert "/oauth/" not in said


def test_the_count_of_a_mailbox(zoya: Agent, mailbox: Channel) -> None:
    assert "it has not run yet" in page(zoya)
    assert Desk(zoya).post("/settings/channels/help/audit/", part=True).status_code == 200
    row = MailboxAudit.objects.get()
    assert row.started_by == zoya
    said = page(zoya, "audit/", part=True)
    assert "Counting…" in said
    assert 'hx-trigger="load delay:2s"' in said
    assert "<html" not in said
    MailboxAudit.objects.update(
        finished_at=timezone.now(),
        on_server=12345,
        known=12344,
        missing=1,
        caught_up=1,
        folders=[{"name": "<b>INBOX", "on_server": 1, "known": 0, "missing": 1, "caught_up": 1, "error": "away"}],
    )
    said = page(zoya, "audit/")
    assert "1 mail was missing and has been fetched." in said
    assert "12,345" in said
    assert "&lt;b&gt;INBOX" in said
    MailboxAudit.objects.update(caught_up=0)
    assert "Some mails are missing." in page(zoya, "audit/")
    MailboxAudit.objects.update(missing=0)
    assert "Complete: every mail" in page(zoya, "audit/")
    MailboxAudit.objects.update(error="no log-in")
    assert "could not be finished" in page(zoya, "audit/")


def test_the_sending_domain(zoya: Agent, mailbox: Channel, zone: dns.DnsServer, settings: LazySettings) -> None:
    settings.DNS_SERVER = zone.address
    said = page(zoya, "domain/", part=True)
    for one in ("SPF", "DKIM", "DMARC", "v=spf1 include:_spf.google.com ~all", "v=DMARC1; p=none"):
        assert one in said
    assert "<html" not in said
    assert "is no selector" in page(zoya, "domain/?selector=<b>")
    assert "<b>" not in page(zoya, "domain/?selector=<b>", part=True)
    settings.DNS_SERVER = "127.0.0.1:1"
    assert page(zoya, "domain/").count("could not be looked up") == 3


def signed_probe(selector: str, *, token: str = "") -> bytes:
    """A test mail that came back, with the signature of a server that passed it on."""
    probe = probes.compose(token or probes.make_token(), "help@example.org", "help@example.org")
    return f"DKIM-Signature: v=1; d=example.org; s={selector}; b=x\r\n".encode() + probe


def test_who_signed_our_own_mail_is_seen(mailbox: Channel, make_channel: Any) -> None:
    other = make_channel("other", "other@example.org")
    receive.store(mailbox, [raw_receipt(signed_probe("here"))])
    receive.store(other, [raw_receipt(signed_probe("elsewhere"))])
    assert screens.seen_signatures(mailbox) == []
    receive.take_in_waiting()
    assert [one.selector for one in screens.seen_signatures(mailbox)] == ["here"]
    Receipt.objects.update(received_at=timezone.now() - timedelta(days=3))
    assert screens.seen_signatures(mailbox) == []


def test_what_a_stranger_signed_is_not_asked(mailbox: Channel) -> None:
    """Every customer knows an id of ours: a mail with it counts as our own, come back, and is kept for a while."""
    ours = tokens.make_message_id(7, "example.org")
    forged = f"{'0' * 24}.{'a' * 16}"
    signature = b"DKIM-Signature: v=1; d=example.org; s=evil; b=x\r\n"
    receive.store(
        mailbox,
        [
            raw_receipt(signature + mail(message_id=f"<{ours}>")),
            raw_receipt(signature + mail(message_id=f"<{probes.ID_PREFIX}{forged}@example.org>")),
            raw_receipt(signed_probe("evil", token=forged)),
        ],
    )
    receive.take_in_waiting()
    Receipt.objects.update(state="ignored")
    assert screens.seen_signatures(mailbox) == []


def test_the_panels_fit_the_mailbox(zoya: Agent, mailbox: Channel) -> None:
    def names(channel: Channel) -> list[str]:
        return [panel.template.rpartition("/")[2] for panel in screens.panels(channel, zoya)]

    assert names(mailbox) == ["way_back.html", "audit.html", "domain.html"]
    piped = channels.create("email", "piped", {"address": "p@example.org"}, by=zoya)
    assert names(piped) == ["domain.html"]
