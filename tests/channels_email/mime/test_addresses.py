"""Who wrote, to whom, and which tokens the addresses carry."""

import pytest

from channels_email.mime import parse
from channels_email.mime.addresses import MAX_ADDRESSES, addresses
from inbox.adapters import Party
from tests.channels_email.mime.build import mail, word


def of(raw: str | bytes) -> list[tuple[str, str]]:
    value = raw.encode() if isinstance(raw, str) else raw
    return [(party.name, party.value) for party in addresses([value])]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("ali@x.example", [("", "ali@x.example")]),
        ("Ali Raza <ALI@X.example>", [("Ali Raza", "ali@x.example")]),
        ('"Raza, Ali" <ali@x.example>, b@y.example', [("Raza, Ali", "ali@x.example"), ("", "b@y.example")]),
        ("ali@x.example (Ali (the first) Raza)", [("Ali (the first) Raza", "ali@x.example")]),
        (
            "Team: ali@x.example, b@y.example;, c@z.example",
            [("", "ali@x.example"), ("", "b@y.example"), ("", "c@z.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("<@relay.example,@other.example:ali@x.example>", [("", "ali@x.example")]),
        (f"{word('عائشہ، خان')} <ayesha@x.example>", [("عائشہ، خان", "ayesha@x.example")]),
        ("=?utf-8?Q?Doe,_John?= <john@x.example>", [("Doe, John", "john@x.example")]),
        ("عائشہ <ayesha@x.example>", [("عائشہ", "ayesha@x.example")]),
        ("ali@bücher.example", [("", "ali@bücher.example")]),
        ('"odd local"@x.example', [("", '"odd local"@x.example')]),
        ("ali@x.example <ali@x.example>", [("", "ali@x.example")]),
        ('"Unclosed <ali@x.example>', [("Unclosed", "ali@x.example")]),
        ("<mailto:ali@x.example>", [("", "ali@x.example")]),
        ("Nobody", []),
        ("@", []),
        ("a@", []),
        ("", []),
        (f"{word('boss@bank.example')} <thief@evil.example>", [("boss@bank.example", "thief@evil.example")]),
        (f"{word('x@y.example>, <z@w.example')} <real@x.example>", [("x@y.example>, <z@w.example", "real@x.example")]),
        ("ali@x.example\r\n\tBcc: eve@x.example", [("", "ali@x.example")]),
    ],
)
def test_lists(raw: str, found: list[tuple[str, str]]) -> None:
    assert of(raw)[: len(found) or 1] == found


def test_no_line_end_survives_in_a_name_or_an_address() -> None:
    for raw in (
        "=?utf-8?Q?a=0D=0ABcc:_x@y.example?= <a@b.example>",
        "a\r\nb <c\r\nd@e.example>",
        "nul\0 <a@b.example>",
        '"x\ny" <a@b.example>',
    ):
        for party in addresses([raw.encode()]):
            assert not set("\r\n\0") & set(party.name + party.value)


def test_direction_overrides_leave_names() -> None:
    assert of("\u202eelpmaxe\u202c <a@b.example>") == [("elpmaxe", "a@b.example")]


def test_a_crowd_is_cut() -> None:
    crowd = b", ".join(b"u%d@x.example" % number for number in range(5000))
    assert len(addresses([crowd])) == MAX_ADDRESSES


def sender(head: str, own: frozenset[str] = frozenset()) -> Party | None:
    return parse(head.replace("\n", "\r\n").encode() + b"\r\nHello", own=own).sender


def test_the_sender_falls_back_and_is_never_invented() -> None:
    assert sender("From: a@b.example\nReply-To: c@d.example\n").value == "a@b.example"
    assert sender("From: Broken\nSender: s@b.example\n").value == "s@b.example"
    assert sender("Reply-To: c@d.example\n").value == "c@d.example"
    assert sender("Return-Path: <r@b.example>\n").value == "r@b.example"
    assert sender("From: \nSubject: x\n") is None
    assert sender("Return-Path: <>\nFrom: MAILER-DAEMON\n") is None


def test_a_form_that_writes_as_us_names_the_person_in_reply_to() -> None:
    own = frozenset({"support@rabta.example"})
    head = "From: support@rabta.example\nReply-To: Ali <ali@x.example>\n"
    assert sender(head, own) == Party("email", "ali@x.example", "Ali")
    assert sender(head).value == "support@rabta.example"
    assert sender("From: support@rabta.example\n", own).value == "support@rabta.example"


def test_tokens_come_from_every_recipient_and_the_envelope() -> None:
    raw = mail(
        headers="Cc: Desk <support+t.5.abc@rabta.example>, x@y.example\r\nDelivered-To: support+t9=q@rabta.example\r\n"
        "X-Original-To: Support+UP@rabta.example\r\n"
    )
    found = parse(raw, recipients=["support+env-1@rabta.example", "plain@rabta.example"])
    assert set(found.tokens) == {"t.5.abc", "t9=q", "up", "env-1"}


def test_recipients_are_parties() -> None:
    found = parse(mail(headers="Cc: Bilal <b@x.example>\r\nReply-To: r@x.example\r\n"))
    assert found.to == (Party("email", "support@rabta.example", "Support"),)
    assert found.cc == (Party("email", "b@x.example", "Bilal"),)
    assert found.reply_to == (Party("email", "r@x.example"),)
