"""Letters that open an account never become tickets: not themselves, not their bounces, not answers to them."""

from __future__ import annotations

import base64
import contextlib
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse

from channels_email.receipts import raw_receipt
from channels_email.receiver import store as received
from inbox import accounts, post
from inbox.actions import people, receive
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Message, Receipt, Role, Ticket
from tests.channels_email.conftest import SUPPORT, MakeChannel, mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(make_channel: MakeChannel) -> Channel:
    return make_channel()


@pytest.fixture
def noor(db: None) -> Agent:
    return Agent.objects.create_user("noor@staff.example", "a-password-of-noor", name="Noor", role=Role.ADMIN)


@pytest.fixture
def letter(noor: Agent) -> tuple[bytes, str]:
    """The mail about a forgotten password as it leaves, and the path of its link."""
    link = accounts.reset_link(noor)
    return accounts.reset_letter(noor, link).message().as_bytes(), link


def taken(channel: Channel, raw: bytes) -> Any:
    (stored,) = receive.store(channel, [raw_receipt(raw, meta={"recipients": [SUPPORT]})], claim=True)
    return receive.take_in([stored.receipt_id], patient=False)[0]


def nothing_is_left(outcome: Any) -> bool:
    row = Receipt.objects.get(pk=outcome.receipt_id)
    return (
        (outcome.status, row.state) == ("ignored", "ignored")
        and bytes(row.raw or b"") == b""
        and not row.stored
        and "of Rabta itself" in row.reason
        and not Ticket.objects.exists()
        and not Message.objects.exists()
    )


def report(original: bytes, *, encoded: bool = False, kind: str = "message/rfc822") -> bytes:
    enclosed = base64.encodebytes(original) if encoded else original
    return b"\r\n".join(
        [
            b"From: Mail Delivery System <MAILER-DAEMON@mx.staff.example>",
            f"To: {SUPPORT}".encode(),
            b"Subject: Undelivered Mail Returned to Sender",
            b"Message-ID: <dsn@mx.staff.example>",
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            b"",
            b"--b",
            b"Content-Type: text/plain",
            b"",
            b"Mailbox full.",
            b"--b",
            b"Content-Type: message/delivery-status",
            b"",
            b"Reporting-MTA: dns; mx.staff.example",
            b"",
            b"Final-Recipient: rfc822; noor@staff.example",
            b"Action: failed",
            b"Status: 5.2.2",
            b"",
            b"--b",
            b"Content-Type: " + kind.encode(),
            *([b"Content-Transfer-Encoding: base64"] if encoded else []),
            b"",
            enclosed,
            b"--b--",
            b"",
        ]
    )


def test_a_letter_that_ends_in_a_channel_is_not_kept(channel: Channel, letter: tuple[bytes, str]) -> None:
    assert nothing_is_left(taken(channel, letter[0]))


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_its_bounce_is_not_kept(
    channel: Channel, letter: tuple[bytes, str], folded: bool, encoded: bool, kind: str
) -> None:
    """Whatever the report does to the original: encodes it, or folds the case of ids."""
    original = letter[0].lower() if folded else letter[0]
    assert nothing_is_left(taken(channel, report(original, encoded=encoded, kind=kind)))


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
@pytest.mark.parametrize("automatic", [False, True])
def test_an_answer_is_not_kept(
    channel: Channel, letter: tuple[bytes, str], noor: Agent, header: str, automatic: bool
) -> None:
    raw, link = letter
    ours = next(line.split(b" ", 1)[1] for line in raw.splitlines() if line.startswith(b"Message-ID:"))
    told = EmailMessage()
    told["From"], told["To"], told["Subject"] = noor.email, SUPPORT, "Out of office"
    told["Message-ID"], told[header] = "<ooo@staff.example>", ours.decode()
    if automatic:
        told["Auto-Submitted"] = "auto-replied"
    told.set_content(f"I am away.\n> {link}\n")
    assert nothing_is_left(taken(channel, told.as_bytes()))


def test_a_relay_that_gives_ids_of_its_own_changes_nothing(channel: Channel, letter: tuple[bytes, str]) -> None:
    lines = [
        b"Message-ID: <0100-abc@relay.example>" if line.startswith(b"Message-ID:") else line
        for line in letter[0].splitlines()
    ]
    assert nothing_is_left(taken(channel, b"\r\n".join(lines)))


@pytest.mark.parametrize("wrap", ["{}", "https://filter.example/?url={}&data=1"])
def test_a_machine_that_sends_the_link_back_without_the_mark_is_not_kept(
    channel: Channel, letter: tuple[bytes, str], wrap: str
) -> None:
    from urllib.parse import quote

    link = wrap.format(letter[1] if wrap == "{}" else quote(letter[1], safe=""))
    told = mail("I am away.\n> " + link, subject="Out of office").replace(
        b"From:", b"Auto-Submitted: auto-replied\r\nFrom:", 1
    )
    assert nothing_is_left(taken(channel, told))


def test_a_person_who_quotes_a_link_is_heard_and_the_link_is_cut(
    channel: Channel, letter: tuple[bytes, str], noor: Agent
) -> None:
    token = people.invite("new@staff.example", Role.AGENT, by=noor)[1]
    invitation = "http://testserver" + reverse("invitation", kwargs={"token": token})
    other = f"https://party.example/invitation/{token}/"
    outcome = taken(channel, mail(f"What is this?\n{letter[1]}\n{invitation}\n{other}"))
    message = Message.objects.get(pk=outcome.message)
    key = letter[1].rstrip("/").rpartition("/")[2]
    for text in (message.text, message.html, message.visible_text):
        assert key not in text and f"testserver/invitation/{token}" not in text
    assert "What is this?" in message.text and other in message.text


@pytest.mark.parametrize("mark", ["rabta-house." + "0" * 24 + "." + "a" * 16, "rabta-house."])
def test_a_forged_mark_hides_nothing(channel: Channel, mark: str) -> None:
    assert taken(channel, mail("Help!", in_reply_to=f"<{mark}@rabta.example>")).status == "created"


def test_a_large_one_leaves_no_file(channel: Channel, letter: tuple[bytes, str]) -> None:
    from django.core.files.storage import default_storage

    (stored,) = receive.store(channel, [raw_receipt(letter[0] + b"x\r\n" * 3_000_000)], claim=True)
    name = Receipt.objects.get(pk=stored.receipt_id).stored
    assert default_storage.exists(name)
    assert nothing_is_left(receive.take_in([stored.receipt_id], patient=False)[0])
    assert not default_storage.exists(name)


def test_by_the_receiver_too(channel: Channel, letter: tuple[bytes, str]) -> None:
    received(letter[0], {channel.pk: [SUPPORT]}, {})
    receive.take_in_waiting()
    assert Receipt.objects.get().state == "ignored" and not Message.objects.exists()


@pytest.mark.parametrize(
    "address", ["support@rabta.example", "Support+me@RABTA.example", "help@rabta.example", "anybody@all.example"]
)
def test_no_link_is_mailed_into_a_channel(make_channel: MakeChannel, address: str) -> None:
    Channel.objects.filter(pk=make_channel().pk).update(addresses=[SUPPORT, "help@rabta.example"])
    Channel.objects.create(
        kind="email", name="All", slug="all", addresses=[], settings={"address": "x@all.example", "catch_all": True}
    )
    with pytest.raises(ActionError) as refused:
        post.send(post.letter("Hello", "Hello", address))
    assert refused.value.code == "own_address" and address in str(refused.value.reason)
    post.send(post.letter("Hello", "Hello", "noor@staff.example"))
    assert [letter.to for letter in outbox.outbox] == [["noor@staff.example"]]


def test_a_forgotten_password_of_such_an_address_is_answered_as_ever(
    channel: Channel, noor: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(letter: Any) -> None:
        """In this thread, whose transaction the test sees."""
        with contextlib.suppress(ActionError):
            post.send(letter)

    monkeypatch.setattr(post, "soon", at_once)
    Agent.objects.create_user(SUPPORT, "a-password-of-support", name="Support", role=Role.ADMIN)
    pages = []
    for email in (SUPPORT, noor.email, "nobody@staff.example"):
        answer = Client().post(reverse("account_reset_password"), {"email": email}, follow=True)
        pages.append((answer.status_code, answer.redirect_chain))
    assert pages[0] == pages[1] == pages[2]
    assert [letter.to for letter in outbox.outbox] == [[noor.email]]
