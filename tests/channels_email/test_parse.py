"""What the adapter makes of raw mail beyond reading it: tokens, our own mail, and reports about our mail."""

import time
from typing import Any

import pytest
from django.utils import timezone

from channels_email import tokens
from channels_email.receipts import message_id, raw_receipt, received_at
from inbox.actions import receive, reply
from inbox.adapters import DeliveryUpdate, Ignore, Inbound, Parsed, adapter_for
from inbox.models import Agent, Channel, Message, Receipt, Ticket
from tests.channels_email.conftest import ALI, SUPPORT, MakeChannel, mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(make_channel: MakeChannel) -> Channel:
    return make_channel(plus_addressing=True, smtp={"host": "127.0.0.1", "port": 1, "security": "none"})


def parse(channel: Channel, raw: bytes, **meta: Any) -> Parsed:
    receipt = Receipt(channel=channel, external_id="x", meta=meta, at=timezone.now())
    (found,) = adapter_for("email").parse(receipt, raw)
    return found


def take(channel: Channel, raw: bytes, **meta: Any) -> Any:
    stored = receive.store(channel, [raw_receipt(raw, meta=meta)], claim=True)
    return receive.take_in([stored[0].receipt_id], patient=False)[0]


@pytest.fixture
def replied(channel: Channel, sana: Agent) -> Message:
    """A reply of ours that has been sent."""
    ticket = Ticket.objects.get(pk=take(channel, mail()).ticket)
    message = reply.reply(ticket, by=sana, text="On its way.")
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=timezone.now())
    return message


def test_signed_tickets_come_from_tags_and_ids_and_nothing_else(channel: Channel) -> None:
    raw = mail(
        to=f"support+{tokens.make_tag(7)}@rabta.example, support+t5.aaaaaaaaaaaaaaaa@rabta.example",
        in_reply_to=f"<{tokens.make_message_id(9, 'rabta.example')}>",
        references=f"<{tokens.make_message_id(11, 'rabta.example')}> <{'0' * 16}.12.{'a' * 16}@rabta.example>",
    )
    found = parse(channel, raw, recipients=[f"SUPPORT+{tokens.make_tag(8).upper()}@RABTA.example"])
    assert isinstance(found, Inbound)
    assert sorted(found.payload["signed_tickets"][:2]) == [7, 8]
    assert found.payload["signed_tickets"][2:] == [9, 11]


def test_the_stamp_is_the_border_s_and_not_the_sender_s(channel: Channel) -> None:
    found = parse(channel, mail().replace(b"Date:", b"Date: Mon, 1 Jan 2035 00:00:00 +0000\r\nX-Date:"))
    assert isinstance(found, Inbound)
    assert found.at is not None
    assert found.at.year < 2035


def test_our_own_mail_that_comes_back_is_ignored(replied: Message) -> None:
    raw, _kind = adapter_for("email").raw(replied)
    with pytest.raises(Ignore, match="our own mail"):
        parse(replied.channel, b"Received: by a list; x\r\n" + raw)
    assert take(replied.channel, raw).status == "ignored"
    assert Ticket.objects.count() == 1


def test_a_stranger_s_loop_header_and_id_prove_nothing(channel: Channel) -> None:
    raw = mail(message_id=f"<{'0' * 16}.7.{'a' * 16}@rabta.example>", x_rabta_loop="a" * 16)
    assert isinstance(parse(channel, raw), Inbound)


DSN = """From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn@mx.example.net>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system at host mx.example.net.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: text/rfc822-headers

From: support@rabta.example
Message-ID: <{original}>
Subject: Re: My order

--b--
"""


def dsn(original: str, action: str = "failed", status: str = "5.1.1", said: str = "550 5.1.1 unknown user") -> bytes:
    told = DSN.format(to=SUPPORT, recipient=ALI, original=original, action=action, status=status, said=said)
    return told.replace("\n", "\r\n").encode()


def test_a_bounce_fails_the_message_and_opens_the_ticket(replied: Message) -> None:
    outcome = take(replied.channel, dsn(replied.external_id))
    assert outcome.status == "ignored"
    replied.refresh_from_db()
    assert replied.state == "failed"
    assert "unknown user" in replied.error
    ticket = Ticket.objects.get()
    assert ticket.delivery_failed
    assert ticket.status == "open"


def test_a_bounce_says_who_did_not_get_it_and_not_who_is_only_late(replied: Message) -> None:
    raw = dsn(replied.external_id).replace(
        b"Final-Recipient:",
        b"Final-Recipient: rfc822; late@customer.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n"
        b"Diagnostic-Code: smtp; 451 4.4.1 try later\r\n\r\n"
        b"Final-Recipient: rfc822; Bilal@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\nFinal-Recipient:",
        1,
    )
    found = parse(replied.channel, raw)
    assert isinstance(found, DeliveryUpdate)
    assert (found.state, found.recipients) == ("failed", ("bilal@customer.example", ALI))
    assert found.error == (
        "bilal@customer.example, ali@customer.example: "
        "This address does not exist, or takes no mail. (550 5.1.1 no such user)"
    )


def test_a_bounce_that_gives_a_status_only_is_told_all_the_same(replied: Message) -> None:
    found = parse(replied.channel, dsn(replied.external_id, said=""))
    assert isinstance(found, DeliveryUpdate)
    assert found.error == f"{ALI}: 5.1.1"


def test_a_delay_is_a_flag_and_no_failure(replied: Message) -> None:
    take(replied.channel, dsn(replied.external_id, "delayed", "4.4.1", "connection timed out"))
    replied.refresh_from_db()
    assert (replied.state, replied.delayed) == ("sent", True)


def test_a_success_report_is_a_delivery(replied: Message) -> None:
    found = parse(replied.channel, dsn(replied.external_id, "delivered", "2.1.5", "250 ok"))
    assert found == DeliveryUpdate(replied.external_id, "delivered", getattr(found, "at", None))
    take(replied.channel, dsn(replied.external_id, "delivered", "2.1.5", "250 ok"))
    replied.refresh_from_db()
    assert replied.state == "delivered"


def test_a_bounce_of_somebody_else_s_mail_changes_nothing(replied: Message) -> None:
    take(replied.channel, dsn("other@rabta.example"))
    take(replied.channel, dsn(replied.external_id[:-30] + "a" * 16 + "@rabta.example"))
    replied.refresh_from_db()
    assert replied.state == "sent"


MDN = """From: ali@customer.example
To: support@rabta.example
Subject: Read: My order
Message-ID: <mdn@customer.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="b"

--b
Content-Type: text/plain

Your message was displayed.

--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; ali@customer.example
Original-Message-ID: <{original}>
Disposition: manual-action/MDN-sent-manually; {what}

--b--
"""


@pytest.mark.parametrize(("what", "state"), [("displayed", "read"), ("deleted", "sent")])
def test_a_read_receipt(replied: Message, what: str, state: str) -> None:
    take(replied.channel, MDN.format(original=replied.external_id, what=what).replace("\n", "\r\n").encode())
    replied.refresh_from_db()
    assert replied.state == state


def test_the_cheap_scan_of_a_header() -> None:
    folded = b"Subject: x\r\nMESSAGE-ID:\r\n <a@b.example>\r\n\r\nMessage-ID: <wrong@b.example>\r\n"
    assert message_id(folded) == "a@b.example"
    assert message_id(b"Subject: x\r\n\r\nMessage-ID: <body@b.example>") == ""
    assert message_id(b"Message-ID : <a@b.example> (of a list)\nSubject: x\n\n") == "a@b.example"
    assert message_id(b"Message-ID: a@b.example \r\nX: <c@b.example>\r\n\r\n") == "a@b.example"
    assert message_id(b"Message-ID:\r\nX: <c@b.example>\r\n\r\n") == ""
    assert message_id(b"Message-ID: <" + b"a" * 700) == "a" * 500
    assert received_at(b"Received: by x; nonsense\r\n\r\n") is None
    assert received_at(b"Subject: x\r\n\r\nReceived: by x; Fri, 3 Jan 2025 10:00:00 +0500") is None


@pytest.mark.parametrize(
    "header",
    [
        b"Message-ID:" + b" " * 200_000 + b"<",
        b"Message-ID:a" + b" " * 200_000 + b"<",
        b"Message-ID:" + b"\t<" * 100_000,
        (b"Message-ID:" + b" " * 500 + b"<\r\n") * 400,
        b"Message-ID:\r\n" + (b" " * 900 + b"\r\n") * 250 + b" <",
        b"Message-ID" + b" " * 200_000,
        b"Received:" + b"\n " * 100_000 + b";",
    ],
    ids=["blanks", "blanks within", "brackets", "many", "folded", "no colon", "received"],
)
def test_no_header_holds_up_the_cheap_scan(header: bytes) -> None:
    """It runs in the receiver and the poller, before anything is known of the sender."""
    began = time.monotonic()
    raw_receipt(header + b"\r\n\r\ntext")
    received_at(header)
    assert time.monotonic() - began < 5
