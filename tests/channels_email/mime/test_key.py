"""The key of a message is the same on every hop and differs where the message does."""

import base64
import quopri

import pytest

from channels_email.mime import Unparsable, parse
from tests.channels_email.mime.build import HEAD, mail, word

BODY = "Grüße, wo bleibt meine Bestellung?\r\nFrom here it went.\r\n"


def key(raw: bytes) -> str:
    return parse(raw).key


def test_hops_leave_the_key_alone() -> None:
    first = mail(BODY, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
    trace = (
        b"Received: from a by b; Sat, 21 Nov 2026 10:00:01 +0500\r\nDKIM-Signature: v=1\r\n"
        b"Return-Path: <x@y.example>\r\n"
    )
    coded = {
        "quoted-printable": quopri.encodestring(BODY.encode()),
        "base64": base64.encodebytes(BODY.encode()),
    }
    copies = [trace + first, first.replace(b"\r\n", b"\n"), first.replace(b"\r\nFrom here", b"\r\n>From here")]
    copies += [
        mail(body, f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {name}\r\n")
        for name, body in coded.items()
    ]
    copies.append(mail(BODY.encode("latin-1"), "Content-Type: text/plain; charset=iso-8859-1\r\n"))
    copies.append(first.replace(b"Subject: Where is", b"Subject: Where\r\n is"))
    copies.append(first.replace(b"Where is my order?", word("Where is my order?").encode()))
    assert {key(copy) for copy in copies} == {key(first)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"order-1@", b"order-2@"),
        (b"ayesha@", b"asma@"),
        (b"10:00:00", b"10:00:01"),
        (b"Subject: Where", b"Subject: There"),
        (b"bleibt", b"blieb"),
    ],
)
def test_another_message_has_another_key(old: bytes, new: bytes) -> None:
    raw = mail(BODY)
    assert key(raw) != key(raw.replace(old, new))


def test_without_a_message_id_the_files_count() -> None:
    head = HEAD.replace("Message-ID: <order-1@customer.example>\r\n", "")
    one, two = (
        mail(content, "Content-Type: application/pdf\r\n", head=head) for content in (b"first scan", b"second scan")
    )
    assert key(one) != key(two)


def test_our_settings_do_not_change_the_key() -> None:
    raw = mail(headers="Reply-To: other@x.example\r\n")
    assert parse(raw).key == parse(raw, own={"ayesha@customer.example"}).key


def test_ids_come_without_brackets() -> None:
    found = parse(mail(headers="In-Reply-To: <p@x>\r\nReferences: <r@x>\r\n <p@x>\r\n"))
    assert (found.external_id, found.in_reply_to, found.references) == (
        "order-1@customer.example",
        "p@x",
        ("r@x", "p@x"),
    )
    assert found.scope == "email"
    assert found.at is None


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"\x00\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", b"%PDF-1.7 x"])
def test_what_is_no_mail_is_refused_by_name(raw: bytes) -> None:
    with pytest.raises(Unparsable):
        parse(raw)
