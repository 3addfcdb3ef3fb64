"""Replies on their way out: what the wire carries, what the server's answers become, and that nothing leaves twice."""

import email.policy
import smtplib
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any, cast

import pytest
from django.test import override_settings
from django.utils import timezone

from channels_email import freezing, tokens
from inbox import delivery
from inbox.actions import receive, reply, uploads
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, DeliveryState, Message, Ticket
from tests.channels_email.conftest import ALI, BILAL, SUPPORT, MakeChannel, Relay, imap_settings, mail
from tests.servers import scripted
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]
URDU = "آپ کا آرڈر کل روانہ ہو چکا ہے۔ شکریہ!"


def smtp_settings(port: int, **more: Any) -> dict[str, Any]:
    return {"smtp": {"host": "127.0.0.1", "port": port, "security": "none", **more}, "plus_addressing": True}


def ticket_from(channel: Channel, raw: bytes) -> Ticket:
    """The ticket that this mail makes."""
    from channels_email.receipts import raw_receipt

    stored = receive.store(channel, [raw_receipt(raw, at=timezone.now())], claim=True)
    outcome = receive.take_in([stored[0].receipt_id])[0]
    assert outcome.ticket is not None, outcome
    return Ticket.objects.get(pk=outcome.ticket)


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=email.policy.default)


@pytest.fixture
def ask(make_channel: MakeChannel) -> Callable[..., Ticket]:
    """Ali's question on a channel that sends to `port`."""

    def made(port: int, raw: bytes | None = None, **more: Any) -> Ticket:
        return ticket_from(make_channel(**smtp_settings(port, **more)), raw or mail(cc=BILAL))

    return made


def ok(_line: str, _count: int) -> str:
    return ""


def test_what_leaves_carries_the_thread_and_proves_its_ticket(ask: Callable[..., Ticket], sana: Agent) -> None:
    sana.signature = "Sana\nRabta Store"
    sana.save()
    with scripted.running(ok) as server:
        ticket = ask(server.port, mail(subject="My order", message_id="<q@customer.example>", references="<a@x> <b@x>"))
        message = reply.reply(ticket, by=sana, text=URDU)
        assert delivery.deliver(ticket.channel_id) == 1
    sent = read(server.mails[0])
    assert sent["Subject"] == "Re: My order"
    assert sent["In-Reply-To"] == "<q@customer.example>"
    assert sent["References"].split() == ["<a@x>", "<b@x>", "<q@customer.example>"]
    assert tokens.ticket_of(sent["Message-ID"]) == ticket.pk
    assert sent["Message-ID"] == f"<{message.external_id}>"
    assert sent["From"].addresses[0].display_name == "Sana via Rabta Store"
    assert sent["From"].addresses[0].addr_spec == SUPPORT
    assert tokens.ticket_of(sent["Reply-To"].addresses[0].addr_spec) == ticket.pk
    assert sent["To"].addresses[0].addr_spec == ALI
    assert sent["Auto-Submitted"] is None
    assert sent.get_content_type() == "multipart/alternative"
    text, html = (cast(EmailMessage, part).get_content().replace("\r\n", "\n") for part in sent.iter_parts())
    assert text == f"{URDU}\n\n-- \nSana\nRabta Store\n"
    assert URDU in html
    message.refresh_from_db()
    assert message.state == DeliveryState.SENT
    assert message.visible_text == URDU


def test_automatic_mail_says_so_and_bears_no_person(ask: Callable[..., Ticket]) -> None:
    with scripted.running(ok) as server:
        ticket = ask(server.port)
        reply.reply(ticket, by=None, text="We have your message.", automatic=True)
        delivery.deliver(ticket.channel_id)
    sent = read(server.mails[0])
    assert sent["Auto-Submitted"] == "auto-replied"
    assert sent["X-Auto-Response-Suppress"] == "All"
    assert sent["From"].addresses[0].display_name == "Rabta Store"
    assert sent["Cc"] is None


def test_files_travel_and_bcc_stays_in_the_envelope(ask: Callable[..., Ticket], sana: Agent) -> None:
    with scripted.running(ok) as server:
        ticket = ask(server.port)
        file = uploads.upload(by=sana, name="رسید.pdf", content_type="application/pdf", content=b"%PDF \x00\xff" * 99)
        bcc = [{"name": "", "address": "boss@rabta.example"}]
        reply.reply(ticket, by=sana, text="Here it is.", attachments=[file.pk], bcc=bcc)
        delivery.deliver(ticket.channel_id)
    sent = read(server.mails[0])
    (attachment,) = sent.iter_attachments()
    assert attachment.get_filename() == "رسید.pdf"
    assert attachment.get_content() == b"%PDF \x00\xff" * 99
    assert b"boss@" not in server.mails[0]
    assert [line for line in server.commands if line.startswith("rcpt")] == [
        f"rcpt TO:<{ALI}>", f"rcpt TO:<{BILAL}>", "rcpt TO:<boss@rabta.example>",
    ]  # fmt: skip


def test_the_same_row_is_the_same_bytes(ask: Callable[..., Ticket], sana: Agent) -> None:
    ticket = ask(1)
    file = uploads.upload(by=sana, name="a.txt", content_type="text/plain", content=b"abc")
    message = reply.reply(ticket, by=sana, text="a", html='<p dir="auto">a</p>', attachments=[file.pk])
    first = adapter_for("email").raw(Message.objects.get(pk=message.pk))
    sana.signature, sana.name = "other", "Other"
    sana.save()
    Channel.objects.update(settings={"address": "new@rabta.example"}, name="New")
    assert adapter_for("email").raw(Message.objects.get(pk=message.pk)) == first


def test_a_subject_and_a_name_cannot_add_headers(ask: Callable[..., Ticket], sana: Agent) -> None:
    sana.name = "Sana\r\nBcc: victim@example.com"
    sana.save()
    with scripted.running(ok) as server:
        ticket = ask(server.port)
        to = [{"name": 'A"\r\nX-Evil: 1', "address": ALI}]
        reply.reply(ticket, by=sana, text="x", to=to, subject="Hello\r\nX-Evil: 1\r\n\r\nbody")
        delivery.deliver(ticket.channel_id)
    sent = read(server.mails[0])
    assert sent["Bcc"] is None
    assert sent["X-Evil"] is None
    assert sent["Subject"] == "Hello X-Evil: 1 body"


def test_one_connection_carries_many_and_order_is_kept(ask: Callable[..., Ticket], sana: Agent) -> None:
    with scripted.running(ok) as server:
        ticket = ask(server.port)
        for number in range(10):
            reply.reply(ticket, by=sana, text=f"number {number}")
        assert delivery.deliver(ticket.channel_id) == 10
    assert server.connections == 1
    texts = [read(raw).get_body(("plain",)) for raw in server.mails]
    assert [part.get_content().strip() for part in texts if part is not None] == [f"number {n}" for n in range(10)]


def test_a_server_that_hangs_up_between_mails_is_called_again(ask: Callable[..., Ticket], sana: Agent) -> None:
    seen: list[str] = []

    def hangs_up_once(line: str, count: int) -> str | None:
        if line.startswith("mail") and count == 1 and not seen:
            seen.append(line)
            return None
        return ""

    with scripted.running(hangs_up_once) as server:
        ticket = ask(server.port)
        for number in range(3):
            reply.reply(ticket, by=sana, text=f"number {number}")
        assert delivery.deliver(ticket.channel_id) == 3
    assert server.connections == 2
    assert len(server.mails) == 3
    assert set(Message.objects.filter(direction="out").values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize(
    ("at", "answer", "state", "words"),
    [
        ("rcpt", "550 5.1.1 no such user", "failed", "does not exist"),
        ("rcpt", "452 4.2.2 over quota", "queued", "mailbox is full"),
        ("mail", "553 5.7.1 not your address", "failed", "does not let"),
        ("mail", "451 try later", "queued", "try again later"),
        (".", "554 5.7.1 spam", "failed", "by its rules"),
        (".", "450 4.7.1 greylisted", "queued", "by its rules"),
        ("data", "552 5.3.4 too big", "failed", "too large"),
    ],
)
def test_refusals_in_words(
    ask: Callable[..., Ticket], sana: Agent, at: str, answer: str, state: str, words: str
) -> None:
    def script(line: str, _count: int) -> str:
        return answer if line.lower().split(" ")[0] == at else ""

    with scripted.running(script) as server:
        ticket = ask(server.port, mail())
        message = reply.reply(ticket, by=sana, text="x")
        delivery.deliver(ticket.channel_id)
    message.refresh_from_db()
    assert message.state == state
    assert words in message.error
    assert answer[:3] in message.error
    ticket.refresh_from_db()
    assert ticket.delivery_failed == (state == "failed")


def test_one_refused_recipient_of_two_is_told(ask: Callable[..., Ticket], sana: Agent) -> None:
    def script(line: str, _count: int) -> str:
        return "550 5.1.1 unknown" if BILAL in line else ""

    with scripted.running(script) as server:
        ticket = ask(server.port)
        message = reply.reply(ticket, by=sana, text="x")
        delivery.deliver(ticket.channel_id)
    message.refresh_from_db()
    assert message.state == "sent"
    assert BILAL in message.error
    assert ALI not in message.error


def test_a_recipient_refused_for_now_holds_the_mail_a_while_for_all(ask: Callable[..., Ticket], sana: Agent) -> None:
    def script(line: str, _count: int) -> str:
        return "450 4.7.1 greylisted" if BILAL in line else ""

    with scripted.running(script) as server:
        ticket = ask(server.port)
        message = reply.reply(ticket, by=sana, text="x")
        for _attempt in range(4):
            assert delivery.deliver(ticket.channel_id) == 0
            Message.objects.update(next_attempt_at=timezone.now())
        assert not server.mails
        assert delivery.deliver(ticket.channel_id) == 1
        assert len(server.mails) == 1
    message.refresh_from_db()
    assert message.state == "sent"
    assert BILAL in message.error


def test_a_refused_mail_leaves_the_connection_to_the_next(ask: Callable[..., Ticket], sana: Agent) -> None:
    with scripted.running(lambda line, _count: "550 5.1.1 unknown" if "wrong@" in line else "") as server:
        ticket = ask(server.port)
        reply.reply(ticket, by=sana, text="x", to=[{"name": "", "address": "wrong@customer.example"}], cc=[])
        reply.reply(ticket, by=sana, text="y")
        assert delivery.deliver(ticket.channel_id) == 1
    assert server.connections == 1


def test_a_lost_final_answer_sends_the_same_mail_again(ask: Callable[..., Ticket], sana: Agent) -> None:
    def loses_first(line: str, count: int) -> str | None:
        return None if line == "." and count == 1 else ""

    with scripted.running(loses_first) as server:
        ticket = ask(server.port)
        message = reply.reply(ticket, by=sana, text="x")
        later = reply.reply(ticket, by=sana, text="y")
        assert delivery.deliver(ticket.channel_id) == 0
        message.refresh_from_db()
        assert message.state == "queued"
        assert "ended the connection" in message.error
        Message.objects.update(next_attempt_at=timezone.now())
        Channel.objects.update(next_send_at=timezone.now())
        assert delivery.deliver(ticket.channel_id) == 2
    assert server.mails[0] == server.mails[1]
    assert later.external_id.encode() in server.mails[2]


def test_a_server_that_is_away_costs_no_attempt(ask: Callable[..., Ticket], sana: Agent) -> None:
    ticket = ask(1)
    message = reply.reply(ticket, by=sana, text="x")
    assert delivery.deliver(ticket.channel_id) == 0
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert "refuses connections" in Channel.objects.get().out_error


def test_without_smtp_replies_stay_queued(make_channel: MakeChannel, sana: Agent) -> None:
    ticket = ticket_from(make_channel(), mail())
    message = reply.reply(ticket, by=sana, text="x")
    assert delivery.deliver(ticket.channel_id) == 0
    message.refresh_from_db()
    assert message.state == "queued"
    assert "no SMTP server" in str(adapter_for("email").may_send(ticket.channel).reason)


def test_never_in_the_clear_where_starttls_is_asked(ask: Callable[..., Ticket], sana: Agent) -> None:
    with scripted.running(ok) as server:
        ticket = ask(server.port, security="starttls")
        reply.reply(ticket, by=sana, text="x")
        assert delivery.deliver(ticket.channel_id) == 0
    assert not server.mails
    assert not [line for line in server.commands if line.startswith("mail")]
    assert "STARTTLS" in Channel.objects.get().out_error


@override_settings(ALLOW_PRIVATE_NETWORKS=False)
def test_private_networks_are_refused(ask: Callable[..., Ticket], sana: Agent) -> None:
    with scripted.running(ok) as server:
        ticket = ask(server.port)
        reply.reply(ticket, by=sana, text="x")
        delivery.deliver(ticket.channel_id)
    assert not server.connections
    assert "private network" in Channel.objects.get().out_error


def test_postfix_takes_it_by_starttls_and_dovecot_has_it(
    relay: Relay,
    dovecot: Dovecot,
    mailbox: str,
    make_channel: MakeChannel,
    sana: Agent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    customer = f"{mailbox}@customer.example"
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.postfix.base / "cert.pem"))
    options = smtp_settings(relay.postfix.port, host="localhost", security="starttls")
    channel = make_channel(**{**imap_settings(dovecot, "support"), **options})
    assert all(line.ok for line in adapter_for("email").check(channel)), adapter_for("email").check(channel)
    ticket = ticket_from(channel, mail(sender=customer))
    message = reply.reply(ticket, by=sana, text=URDU)
    assert delivery.deliver(channel.pk) == 1
    relay.postfix.wait_until_empty()
    (found,) = dovecot.mails(mailbox)
    assert b"using TLSv1.3" in found.replace(b"\r\n\t", b" ")
    assert read(found)["Message-ID"] == f"<{message.external_id}>"


def test_references_stay_bounded(ask: Callable[..., Ticket], sana: Agent) -> None:
    chain = [f"{number}@customer.example" for number in range(60)]
    answered = Message(references=chain, external_id="last@customer.example")
    found = freezing.references(answered)
    assert (found[0], found[-1], len(found)) == (chain[0], "last@customer.example", freezing.MAX_REFERENCES)


def test_smtputf8_is_asked_for_where_an_address_needs_it(ask: Callable[..., Ticket], sana: Agent) -> None:
    with scripted.running(ok) as server:
        ticket = ask(server.port, mail())
        reply.reply(ticket, by=sana, text="x", to=[{"name": "", "address": "علی@customer.example"}])
        delivery.deliver(ticket.channel_id)
    assert any(line.startswith("mail") and "SMTPUTF8" in line for line in server.commands)
    assert "علی@customer.example".encode() in server.mails[0]
    assert smtplib.SMTP().has_extn("smtputf8") is False
