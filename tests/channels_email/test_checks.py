"""Test connection names the step that fails, and tries whether mail finds its way back."""

import socket
from typing import Any

import pytest
from django.db import OperationalError

from channels_email import checks, probes
from channels_email.receipts import raw_receipt
from channels_email.servers import Server
from channels_email.servers import server as server_of
from inbox import polling
from inbox.actions import receive
from inbox.adapters import Check, adapter_for
from inbox.models import Channel, Message, Receipt, Ticket
from tests.channels_email.conftest import MakeChannel, Relay, imap_settings, mail, receiving
from tests.servers import dripping, scripted
from tests.servers import imap as scripted_imap
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def steps(lines: list[Check]) -> list[tuple[str, bool]]:
    return [(line.name, line.ok) for line in lines]


def detail(lines: list[Check], name: str) -> str:
    return next(str(line.detail) for line in lines if line.name == name)


def check(channel: Channel) -> list[Check]:
    return [line for line in adapter_for("email").check(channel) if line.name not in ("SMTP", "IMAP")]


class TestSteps:
    def test_each_step_of_tls_is_named(
        self, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.base / "cert.pem"))
        with dovecot.client(mailbox) as client:
            client.create_folder("Done")
        options = imap_settings(dovecot, mailbox, host="localhost", port=dovecot.imaps, security="tls", move_to="Done")
        lines = check(make_channel(**options))
        assert steps(lines) == [
            ("IMAP localhost", True),
            (f"IMAP localhost:{dovecot.imaps}", True),
            ("TLS", True),
            (f"IMAP log-in as {mailbox}", True),
            ("INBOX", True),
            ("Move to Done", True),
        ]
        assert "localhost" in detail(lines, "TLS")

    def test_a_server_without_log_in_says_what_to_leave_empty(self, make_channel: MakeChannel) -> None:
        with scripted.running(lambda _line, _count: "") as server:
            smtp = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "support"}
            lines = check(make_channel(smtp=smtp))
        assert ("SMTP log-in as support", False) in steps(lines)
        words = detail(lines, "SMTP log-in as support")
        assert "takes no log-in" in words and "leave the user name empty" in words
        assert "STARTTLS" not in words
        assert not server.mails

    def test_a_certificate_for_another_name_says_for_which(
        self, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.base / "cert.pem"))
        lines = check(make_channel(**imap_settings(dovecot, mailbox, port=dovecot.imaps, security="tls")))
        assert steps(lines)[-1] == ("TLS", False)
        assert "cannot be trusted" in detail(lines, "TLS")
        assert detail(lines, "TLS").endswith("It is for: localhost.")

    @pytest.mark.parametrize(
        ("change", "step", "words"),
        [
            ({"host": "no.such.host.invalid"}, "IMAP no.such.host.invalid", "not known"),
            ({"port": 1}, "IMAP 127.0.0.1:1", "refuses connections"),
            ({"security": "tls", "port": "imaps"}, "TLS", "cannot be trusted"),
            ({"security": "tls"}, "TLS", "security setting"),
            ({"folders": ["INBOX", "Nowhere"]}, "Nowhere", "There are: INBOX"),
            ({"move_to": "Nowhere"}, "Move to Nowhere", "does not open this folder"),
            ({"username": "nobody"}, "IMAP log-in as nobody", "user name and password"),
        ],
    )
    def test_what_fails_is_the_last_step_and_says_why(
        self,
        dovecot: Dovecot,
        mailbox: str,
        make_channel: MakeChannel,
        change: dict[str, Any],
        step: str,
        words: str,
    ) -> None:
        if change.get("port") == "imaps":
            change = {**change, "port": dovecot.imaps}
        options = imap_settings(dovecot, mailbox, **change)
        if change.get("username"):
            options["secrets"] = {"imap.password": "wrong"}
        lines = check(make_channel(**options))
        assert steps(lines)[-1] == (step, False)
        assert all(line.ok for line in lines[:-1])
        assert words in str(lines[-1].detail)

    @pytest.mark.parametrize(
        "host", ["mail..example.com", ".example.com", "a" * 64 + ".example.com", "b\u00fc..example"]
    )
    def test_a_name_that_cannot_be_one_is_not_known(self, make_channel: MakeChannel, host: str) -> None:
        """As it may stand in settings that were saved before the form refused it."""
        server = {"host": host, "port": 993, "username": "u"}
        secrets = {"imap.password": "p", "smtp.password": "p"}
        channel = make_channel(imap=server, smtp=server, secrets=secrets)
        lines = adapter_for("email").check(channel)
        assert steps(lines) == [(f"IMAP {host}", False), (f"SMTP {host}", False)]
        assert all("not known" in str(line.detail) for line in lines)
        assert steps(checks.way_back(channel)) == [("The way back", False)]

    def test_an_address_that_the_server_cannot_take_is_said(self, make_channel: MakeChannel) -> None:
        with scripted.running(lambda _line, _n: "") as server:
            options = {"host": "127.0.0.1", "port": server.port, "security": "none"}
            idn, beyond = "b\u00fcro@b\u00fccher.example", "buero@b\u00fccher.example"
            lines = [checks.check_smtp(_server(options), address)[-1] for address in (idn, beyond)]
        assert steps(lines) == [(f"MAIL FROM {idn}", False), (f"MAIL FROM {beyond}", True)]
        assert "mail FROM:<buero@xn--bcher-kva.example>" in server.commands

    @pytest.mark.parametrize("protocol", ["imap", "smtp"])
    def test_a_server_that_drips_is_cut(
        self, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch, protocol: str
    ) -> None:
        monkeypatch.setattr(checks, "MOST_SECONDS", 0.5)
        monkeypatch.setattr(checks, "WAIT", 0.1)
        with dripping.running(b"* OK ", b"x", quiet=1) as port:
            server = {"host": "127.0.0.1", "port": port, "security": "none", "username": "u"}
            channel = make_channel(**{protocol: server}, secrets={f"{protocol}.password": "p"})
            last = next(line for line in reversed(check(channel)) if line.name.startswith(protocol.upper()))
        assert (last.ok, "log-in" in last.name) == (False, True)
        assert "did not answer in time" in str(last.detail)

    def test_the_way_back_over_a_server_that_drips(
        self, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checks, "MOST_SECONDS", 0.5)
        monkeypatch.setattr(checks, "WAIT", 0.1)
        with dripping.running(b"220-", b"x") as port:
            channel = make_channel(smtp={"host": "127.0.0.1", "port": port, "security": "none"})
            (line,) = checks.way_back(channel)
        assert "did not answer in time" in str(line.detail)

    @pytest.mark.parametrize(
        "answer", ["* EXISTS", "* OK [UIDVALIDITY x] y", '* LIST () "/" "&AA"', "* LIST () NIL NIL"]
    )
    def test_answers_against_the_protocol_are_said(self, make_channel: MakeChannel, answer: str) -> None:
        def script(tag: str, command: str, _client: socket.socket) -> str:
            if command.startswith("EXAMINE") and "LIST" in answer:
                return f"{tag} NO there is none\r\n"
            asked = command.startswith(("EXAMINE", "LIST", "STATUS"))
            return f"{answer}\r\n{tag} OK done\r\n" if asked else ""

        with scripted_imap.running(script) as server, scripted.running(lambda _line, _n: "") as out:
            there = {"host": "127.0.0.1", "security": "none"}
            channel = make_channel(
                imap={**there, "port": server.port, "username": "u"},
                smtp={**there, "port": out.port},
                secrets={"imap.password": "p"},
            )
            line = checks.check_imap(_imap(channel))[-1]
            assert (line.name, line.ok) == ("IMAP log-in as u", False)
            assert "cannot be understood" in str(line.detail)
            assert [line.ok for line in checks.way_back(channel)] == [False]

    def test_a_literal_is_not_read_whatever_its_size(self, make_channel: MakeChannel) -> None:
        def script(_tag: str, command: str, _client: socket.socket) -> str:
            return "* LIST () {99999999999}\r\n" if command.startswith("LOGIN") else ""

        with scripted_imap.running(script) as server:
            options = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "u"}
            lines = check(make_channel(imap=options, secrets={"imap.password": "p"}))
        assert steps(lines)[-1] == ("IMAP log-in as u", False)
        assert "99999999999 bytes at once" in str(lines[-1].detail)


def _imap(channel: Channel) -> Server:
    found = server_of(channel, "imap")
    assert found is not None
    return found


def _server(options: dict[str, Any]) -> Server:
    return Server(username="", password="", **options)


class TestWayBack:
    def channel(self, make_channel: MakeChannel, dovecot: Dovecot, relay: Relay, user: str, **more: Any) -> Channel:
        options = imap_settings(dovecot, user)
        options["imap"] |= more.pop("imap", {})
        smtp = {"host": "127.0.0.1", "port": relay.postfix.port, "security": "none"}
        return make_channel(address=f"{user}@customer.example", smtp=smtp, **options, **more)

    def test_the_tagged_address_and_the_aliases_come_back(
        self, dovecot: Dovecot, relay: Relay, mailbox: str, make_channel: MakeChannel
    ) -> None:
        user = mailbox[-20:]
        channel = self.channel(
            make_channel,
            dovecot,
            relay,
            user,
            plus_addressing=True,
            aliases=[f"{user}+sales@customer.example"],
        )
        lines = checks.way_back(channel)
        assert [line.ok for line in lines] == [True] * 3, lines
        assert [line.name for line in lines if "+t0." in line.name]
        assert {f"{user}@customer.example", f"{user}+sales@customer.example"} < {line.name for line in lines}
        polling.poll(channel.pk)
        receive.take_in_waiting()
        assert not Ticket.objects.exists()
        assert set(Receipt.objects.values_list("state", "reason")) == {("ignored", "a test mail of “Test connection”")}
        assert Receipt.objects.count() == 3

    def test_a_mail_that_goes_elsewhere_is_said_in_time(
        self,
        dovecot: Dovecot,
        relay: Relay,
        mailbox: str,
        make_channel: MakeChannel,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(checks, "WAIT", 2.0)
        user = mailbox[-20:]
        channel = self.channel(make_channel, dovecot, relay, user, aliases=["elsewhere@customer.example"])
        lines = checks.way_back(channel)
        assert steps(lines) == [
            (f"{user}@customer.example", True),
            ("elsewhere@customer.example", False),
            ("Address with a tag", True),
        ]
        assert "spam folder" in detail(lines, "elsewhere@customer.example")
        assert "Not tried" in detail(lines, "Address with a tag")

    def test_it_is_found_where_it_was_taken_in_and_moved(
        self, dovecot: Dovecot, relay: Relay, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The poller may be quicker than the look, and move it away."""
        user = mailbox[-20:]
        with dovecot.client(user) as client:
            client.create_folder("Done")
        channel = self.channel(make_channel, dovecot, relay, user, imap={"move_to": "Done"})

        def look(_self: Any) -> Any:
            polling.poll(channel.pk)
            yield from ()

        monkeypatch.setattr(checks._Looking, "_lying", look)
        lines = checks.way_back(channel)
        assert lines[0].ok and "taken in" in str(lines[0].detail)

    def test_without_imap_it_comes_through_the_receiver(self, relay: Relay, make_channel: MakeChannel) -> None:
        smtp = {"host": "127.0.0.1", "port": relay.postfix.port, "security": "none"}
        channel = make_channel(smtp=smtp, plus_addressing=True)
        with receiving(smtp_port=relay.receiver_port):
            lines = checks.way_back(channel)
        assert [line.ok for line in lines] == [True, True], lines

    def test_a_server_that_refuses_says_why(self, make_channel: MakeChannel) -> None:
        with scripted.running(lambda line, _n: "550 5.1.1 who?" if line.upper().startswith("RCPT") else "") as server:
            channel = make_channel(smtp={"host": "127.0.0.1", "port": server.port, "security": "none"})
            lines = checks.way_back(channel)
        assert steps(lines)[0] == ("support@rabta.example", False)
        assert "who?" in str(lines[0].detail)

    def test_what_stands_in_the_way_is_said(
        self, dovecot: Dovecot, relay: Relay, mailbox: str, make_channel: MakeChannel
    ) -> None:
        assert "no SMTP server" in str(checks.way_back(make_channel("a", "a@x.example"))[0].detail)
        dead = make_channel("b", "b@x.example", smtp={"host": "127.0.0.1", "port": 1, "security": "none"})
        assert "refuses connections" in str(checks.way_back(dead)[0].detail)
        missing = self.channel(make_channel, dovecot, relay, mailbox[-20:], imap={"folders": ["Nowhere"]})
        assert "Nowhere" in str(checks.way_back(missing)[0].detail)


class TestProbes:
    def test_only_a_signed_token_is_a_probe(self) -> None:
        token = probes.make_token()
        raw = probes.compose(token, "a@x.example", "b@x.example")
        assert probes.is_probe(raw)
        assert probes.is_probe(raw.replace(b"\r\n", b"\n"))
        forged = raw.replace(token.encode(), token[:-16].encode() + b"a" * 16)
        assert not probes.is_probe(forged)
        assert not probes.is_probe(mail(f"X-Rabta-Probe: {token}"))  # in the text, not in the header
        assert not probes.is_probe(mail(subject=f"X-Rabta-Probe: {token}"))

    def test_a_report_about_a_probe_is_no_ticket(self, make_channel: MakeChannel) -> None:
        channel = make_channel()
        report = (
            b"From: MAILER-DAEMON@x.example\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
            b"Content-Type: message/rfc822\r\n\r\n" + probes.compose(probes.make_token(), "a@x.example", "b@x.example")
        )
        receive.store(channel, [raw_receipt(report), raw_receipt(mail())])
        receive.take_in_waiting()
        assert sorted(Receipt.objects.values_list("state", flat=True)) == ["done", "ignored"]
        assert Message.objects.count() == 1


def test_a_fault_of_our_database_is_not_told_as_the_servers(
    make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_looking: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(checks._Looking, "begin", away)
    with pytest.raises(OperationalError):
        checks.way_back(make_channel(smtp={"host": "127.0.0.1", "port": 25, "security": "none"}))
