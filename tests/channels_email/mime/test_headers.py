"""Encoded words, raw 8-bit fields, parameters, ids and dates."""

from datetime import UTC, datetime

import pytest

from channels_email.mime import headers
from tests.channels_email.mime.build import HEAD, mail, read, word


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Plain words", "Plain words"),
        (b"folded\r\n\tover\r\n two", "folded over two"),
        (b"=?utf-8?Q?Caf=C3=A9_now?=", "Café now"),
        (b"=?UTF-8?B?2LPZhNin2YU=?=", "سلام"),
        (b"=?utf-8?B?2LPZhA==?= =?utf-8?B?2KfZhQ==?=", "سلام"),
        (b"=?utf-8?B?2LPZ?=\r\n =?utf-8?B?hNin2YU=?=", "سلام"),  # a character cut in two by the words
        (b"Re: =?iso-8859-1?Q?Gr=FC=DFe?= again", "Re: Grüße again"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?gb2312?B?1tDOxA==?=", "中文"),
        (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
        (b"=?windows-1256?B?48fhx+M=?=", "مالام"),
        (b"=?utf-8*en?Q?a_b?=", "a b"),
        (b"=?no-such-charset?Q?caf=E9?=", "café"),
        (b"=?utf-8?B?4pyT?", "=?utf-8?B?4pyT?"),
        ("سلام".encode(), "سلام"),
        ("Größe".encode("latin-1"), "Größe"),
        (b"nul\x00 and bell\x07", "nul and bell"),
        (b"=?utf-8?Q?line=0D=0ABcc:_x@y.example?=", "line  Bcc: x@y.example"),
        (b"", ""),
    ],
)
def test_plain(raw: bytes, text: str) -> None:
    assert headers.plain(raw) == text


def test_raw_bytes_take_the_charset_of_the_body() -> None:
    found = read(
        "Привет, где заказ?\r\n".encode("koi8-r"),
        b"Content-Type: text/plain; charset=koi8-r\r\nSubject: " + "Заказ".encode("koi8-r") + b"\r\n",
        head=HEAD.replace("Subject: Where is my order?\r\n", ""),
    )
    assert found.subject == "Заказ"
    assert found.text == "Привет, где заказ?"


@pytest.mark.parametrize(
    ("raw", "kind", "params"),
    [
        (b"text/plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        (b'TEXT/HTML;CHARSET="Iso-8859-1" ; x=y', "text/html", {"charset": "Iso-8859-1", "x": "y"}),
        (b"multipart/mixed boundary=abc", "multipart/mixed", {"boundary": "abc"}),
        (b"attachment; filename*=utf-8'ur'%D8%B1%D8%B3%DB%8C%D8%AF.pdf", "attachment", {"filename": "رسید.pdf"}),
        (b"attachment; filename*0*=utf-8''a%20; filename*1=b.txt", "attachment", {"filename": "a b.txt"}),
        (b'attachment; filename="=?utf-8?B?2LHYs9uM2K8ucGRm?="', "attachment", {"filename": "رسید.pdf"}),
        (b"attachment; filename=two words.pdf", "attachment", {"filename": "two words.pdf"}),
        (b'attachment; filename="a\\"b.txt"', "attachment", {"filename": 'a"b.txt'}),
        (b'attachment; filename="never closed.txt', "attachment", {"filename": "never closed.txt"}),
        (b";;;", "", {}),
    ],
)
def test_parameters(raw: bytes, kind: str, params: dict[str, str]) -> None:
    assert headers.parameters(raw) == (kind, params)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"<a@b>", "a@b"),
        (b" < a@b > ", "a@b"),
        (b"a@b", "a@b"),
        (b"<a\r\n b@c>", "ab@c"),
        (b"<>", ""),
        (b"<" + b"x" * 5000 + b"@y>", "x" * 500),
    ],
)
def test_message_id(raw: bytes, found: str) -> None:
    assert headers.message_id(raw) == found


def test_references_are_read_in_any_shape_and_the_newest_are_kept() -> None:
    assert headers.message_ids([b"<a@b><c@d>,\r\n\t<e@f>\r\n <a@b>"]) == ("a@b", "c@d", "e@f")
    assert headers.message_ids([b"a@b c@d"]) == ("a@b", "c@d")
    assert headers.message_ids([b"Your message of Monday <a@b> (x)"]) == ("a@b",)
    many = headers.message_ids([b" ".join(b"<%d@x>" % number for number in range(9000))])
    assert len(many) == headers.MAX_REFERENCES
    assert many[-1] == "8999@x"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"Sat, 21 Nov 2026 10:00:00 +0500", datetime(2026, 11, 21, 5, tzinfo=UTC)),
        (b"21 Nov 26 10:00 GMT", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        (b"2026-11-21T10:00:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        (b"Sat, 31 Feb 2026 10:00:00 +0000", None),
        (b"Sat, 21 Nov 9999999 10:00:00 +0000", None),
        (b"Sat, 21 Nov 2026 10:00:00 +999999", None),
        (b"soon", None),
        (b"", None),
    ],
)
def test_date(raw: bytes, found: datetime | None) -> None:
    assert headers.date(raw) == found


def test_damaged_headers_do_not_swallow_the_mail() -> None:
    wrapped = read("Body\r\n", "X-Long: first\r\nthis line lost its blank\r\nX-After: yes\r\n")
    assert wrapped.text == "Body"
    bare = parse_without_blank_line()
    assert bare == "The blank line is missing here."


def parse_without_blank_line() -> str:
    from channels_email.mime import parse

    return parse(HEAD.encode() + b"The blank line is missing here.\r\n").text


def test_line_ends_of_any_kind() -> None:
    raw = mail("One\r\nTwo\r\n")
    from channels_email.mime import parse

    expected = parse(raw)
    for ends in (b"\n", b"\r"):
        found = parse(raw.replace(b"\r\n", ends))
        assert (found.subject, found.text, found.key) == (expected.subject, expected.text, expected.key)


def test_long_subjects_are_cut_with_a_warning() -> None:
    found = read("x", f"Subject: {word('ا' * 1500)}\r\n", head="From: a@b.example\r\n")
    assert len(found.subject) == 1000
    assert any("subject" in warning for warning in found.warnings)
