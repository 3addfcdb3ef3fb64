"""Automatic answers, lists, reports and bounces are told from people."""

import pytest

from channels_email.explain import explain
from inbox.adapters import Bounce
from tests.channels_email.mime.build import HEAD, mail, multipart, part, read

NO_SUBJECT = HEAD.replace("Subject: Where is my order?\r\n", "")


@pytest.mark.parametrize(
    ("fields", "kind", "silent"),
    [
        ("", "message", False),
        ("Auto-Submitted: no\r\n", "message", False),
        ("AUTO-SUBMITTED: No\r\n", "message", False),
        ("Auto-Submitted: auto-replied\r\n", "auto_reply", True),
        ('Auto-Submitted: auto-generated; owner-email="a@b"\r\n', "auto_reply", True),
        ("X-Autoreply: yes\r\n", "auto_reply", True),
        ("X-Autorespond: away\r\n", "auto_reply", True),
        ("Precedence: auto_reply\r\n", "auto_reply", True),
        ("Precedence: bulk\r\n", "message", True),
        ("Precedence: junk\r\n", "message", True),
        ("List-Id: <users.lists.example>\r\nPrecedence: list\r\n", "list", True),
        ("List-Unsubscribe: <https://x.example/u>\r\n", "list", True),
        ("X-Auto-Response-Suppress: DR, OOF\r\n", "message", True),
        ("X-Auto-Response-Suppress: None\r\n", "message", False),
        ("Feedback-ID: 1:2:3:esp\r\n", "message", True),
        ("Return-Path: <>\r\n", "message", True),
        ("X-Rabta-Loop: abc\r\n", "message", True),
        ("X-Spam-Flag: YES\r\n", "message", False),
    ],
)
def test_fields(fields: str, kind: str, silent: bool) -> None:
    found = read("Hello", fields)
    assert (found.kind, found.suppress_auto_reply) == (kind, silent)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Your ticket",
        "Automatische Antwort: Bestellung",
        "Réponse automatique : commande",
        "Out of office",
        "Re: Out of Office: x",
        "رد تلقائي: طلب",
        "خودکار جواب: آرڈر",
        "自动回复: 订单",
        "自動応答: 注文",
        "Автоответ: заказ",
        "Abwesenheitsnotiz: Bestellung",
        "Respuesta automática: pedido",
        "Risposta automatica: ordine",
        "Abwesend bis Montag",
    ],
)
def test_vacation_subjects(subject: str) -> None:
    found = read("I am away.", f"Subject: {subject}\r\n", head=NO_SUBJECT)
    assert (found.kind, found.suppress_auto_reply) == ("auto_reply", True)


@pytest.mark.parametrize(
    "subject", ["Automatic gearbox is broken", "My office is out of paper", "Re: reply to all", "Auto insurance"]
)
def test_people_write_such_words_too(subject: str) -> None:
    assert read("Hello", f"Subject: {subject}\r\n", head=NO_SUBJECT).kind == "message"


def test_nobody_answers_no_reply() -> None:
    found = read("Hello", head="From: no-reply@shop.example\r\nSubject: Your parcel\r\n")
    assert (found.kind, found.suppress_auto_reply) == ("message", True)


def test_the_loop_field_is_noted_for_who_can_check_it() -> None:
    assert read("x", "X-Rabta-Loop: abc.def\r\n").payload["loop_header"] == "abc.def"
    assert "loop_header" not in read("x").payload


def test_feedback_reports() -> None:
    body, kind = multipart(
        "report",
        part("Abuse report"),
        b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n",
        params="; report-type=feedback-report",
    )
    assert read(body, kind).kind == "feedback_report"


def test_read_receipts_are_automatic_and_no_bounce() -> None:
    body, kind = multipart(
        "report",
        part("Your message was read"),
        b"Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;"
        b" a@b.example\r\nDisposition: x; displayed\r\n",
        params="; report-type=disposition-notification",
    )
    found = read(body, kind)
    assert (found.kind, found.suppress_auto_reply, found.bounce) == ("auto_reply", True, None)


def report(
    *blocks: str, text: str = "This is the mail system.", original: str = "Message-ID: <out-1@rabta.example>\r\n\r\nHi"
) -> tuple[bytes, str]:
    status = "\r\n".join(("Reporting-MTA: dns; mx.example\r\n", *blocks))
    return multipart(
        "report",
        part(text),
        f"Content-Type: message/delivery-status\r\n\r\n{status}".encode(),
        f"Content-Type: message/rfc822\r\n\r\n{original}".encode(),
        params="; report-type=delivery-status",
    )


def recipient(address: str, action: str, status: str) -> str:
    return (
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 no such user\r\n"
    )


DAEMON = (
    "From: MAILER-DAEMON@mx.example\r\nTo: support@rabta.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
)


def test_delivery_reports() -> None:
    body, kind = report(recipient("Gone@x.example", "failed", "5.1.1"), recipient("ok@x.example", "delivered", "2.0.0"))
    found = read(body, kind, head=DAEMON)
    assert (found.kind, found.suppress_auto_reply) == ("bounce", True)
    assert found.bounce == Bounce(("gone@x.example",), False, "out-1@rabta.example", "550 no such user")


def test_delays_are_temporary() -> None:
    body, kind = report(recipient("slow@x.example", "delayed", "4.4.1"))
    assert read(body, kind, head=DAEMON).bounce == Bounce(
        ("slow@x.example",), True, "out-1@rabta.example", "550 no such user"
    )


def test_success_is_no_bounce() -> None:
    body, kind = report(recipient("ok@x.example", "delivered", "2.0.0"))
    found = read(body, kind, head=DAEMON)
    assert (found.kind, found.suppress_auto_reply, found.bounce) == ("auto_reply", True, None)


QMAIL = """Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<gone@x.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 <gone@x.example>: user unknown

--- Below this line is a copy of the message.

Return-Path: <support@rabta.example>
Message-ID: <out-7@rabta.example>
To: gone@x.example
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  gone@x.example
    host mx.example [192.0.2.1]: 550 No such user

------ This is a copy of the message, including all the headers. ------

Message-Id: <out-7@rabta.example>
From: support@rabta.example
"""
EXCHANGE = """Your message

  To:      gone@x.example
  Subject: Re: order
  Sent:    Sat, 21 Nov 2026 10:00:00 +0500

did not reach the following recipient(s):

gone@x.example on Sat, 21 Nov 2026 10:00:01 +0500
    The recipient name is not recognized
"""
POSTFIX_TEXT = """I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<gone@x.example>: host mx.example[192.0.2.1] said: 550 5.1.1 unknown (in reply to RCPT TO command)
"""


@pytest.mark.parametrize("text", [QMAIL, EXIM, EXCHANGE, POSTFIX_TEXT])
def test_prose_of_older_servers(text: str) -> None:
    found = read(text, head=DAEMON)
    assert found.kind == "bounce"
    assert found.bounce.recipients == ("gone@x.example",)
    assert not found.bounce.temporary
    assert found.bounce.original_message_id in ("", "out-7@rabta.example")


def test_prose_warnings_are_temporary() -> None:
    text = (
        "Warning: could not send message for past 4 hours\nWill keep trying until message is 5 "
        "days old\n\n<slow@x.example>... Deferred\n"
    )
    found = read(text, head=DAEMON.replace("Undelivered Mail Returned to Sender", "Warning: could not send message"))
    assert (found.kind, found.bounce.temporary, found.bounce.recipients) == ("bounce", True, ("slow@x.example",))


def test_our_own_address_is_no_bounced_recipient() -> None:
    from channels_email.mime import parse

    body, kind = report(
        recipient("support@rabta.example", "failed", "5.1.1"), recipient("gone@x.example", "failed", "5.1.1")
    )
    found = parse(mail(body, kind, head=DAEMON), own={"support@rabta.example"})
    assert found.bounce.recipients == ("gone@x.example",)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Mail delivery failed?", "Hello, my mails to you come back: user unknown. Can you help?"),
        ("Fwd: Undeliverable: order", "I got this.\n\nYour message could not be delivered to the following recipients"),
        ("My parcel was returned to sender", "The parcel could not be delivered."),
    ],
)
def test_people_who_complain_about_bounces_are_people(subject: str, text: str) -> None:
    assert read(text, f"Subject: {subject}\r\n", head=NO_SUBJECT).kind == "message"


def test_explain_says_what_surface_promises() -> None:
    body, kind = report(recipient("gone@x.example", "failed", "5.1.1"))
    told = explain(read(body, kind, head=DAEMON))
    assert set(told) == {
        "kind",
        "suppress_auto_reply",
        "from",
        "to",
        "cc",
        "reply_to",
        "subject",
        "message_id",
        "in_reply_to",
        "references",
        "date",
        "language",
        "text",
        "visible_text",
        "html",
        "attachments",
        "bounce",
        "thread",
        "warnings",
    }
    assert told["from"] == {"name": "", "address": "mailer-daemon@mx.example"}
    assert told["bounce"] == {
        "recipients": ["gone@x.example"],
        "temporary": False,
        "original_message_id": "out-1@rabta.example",
    }
    assert told["to"] == [{"name": "", "address": "support@rabta.example"}]
    assert explain(read("x"))["bounce"] is None
