"""Mails built to hang, to fill the memory or to break out: bounded time, a warning, never an exception."""

import time
from collections.abc import Callable

import pytest

from channels_email.mime import parse
from channels_email.mime.parts import MAX_DEPTH, MAX_PARTS
from tests.channels_email.mime.build import HEAD, read

TOP = HEAD.encode()
HTML = TOP + b"Content-Type: text/html\r\n\r\n"
PROSE = b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\nqmail-send program "


def nested(levels: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(levels)
    )
    return (
        TOP
        + opened
        + b"Content-Type: text/plain\n\ninner\n"
        + b"".join(b"--b%d--\n" % level for level in reversed(range(levels)))
    )


SHAPES: dict[str, Callable[[], bytes]] = {
    "nested multiparts": lambda: nested(10_000),
    "many fields": lambda: b"X-A: b\n" * 100_000 + TOP + b"\nbody",
    "folds without end": lambda: b"Subject: x" + b"\n " * 500_000 + b"\n" + TOP + b"\nbody",
    "a field of megabytes": lambda: b"X-A: " + b"b" * 5_000_000 + b"\n" + TOP + b"\nbody",
    "recipients": lambda: b"To: " + b", ".join(b"u%d@x.example" % n for n in range(200_000)) + b"\n" + TOP + b"\nbody",
    "references": lambda: b"References: " + b"<a@b> " * 300_000 + b"\n" + TOP + b"\nbody",
    "open references": lambda: b"References: " + b"<" * 1_000_000 + b"\n" + TOP + b"\nbody",
    "encoded words": lambda: b"Subject: " + b"=?a?q?" * 200_000 + b"\n" + TOP + b"\nbody",
    "quotes": lambda: b"From: " + b'"' * 300_000 + b" <a@b.c>\n\nb",
    "backslashes": lambda: b'From: "' + b"\\" * 300_000 + b" <a@b.c>\n\nb",
    "parentheses": lambda: b"From: " + b"(" * 300_000 + b" <a@b.c>\n\nb",
    "at signs": lambda: b"From: " + b"a@" * 300_000 + b"\n\nb",
    "parameters": lambda: TOP + b"Content-Type: text/plain" + b'; a="' * 200_000 + b"\n\nb",
    "delimiters": lambda: TOP + b"Content-Type: multipart/mixed; boundary=q\n\n" + b"--q\n" * 300_000,
    "near delimiters": lambda: TOP + b"Content-Type: multipart/mixed; boundary=q\n\n" + b"--\n" * 500_000,
    "quote marks": lambda: TOP + b"\n" + b">" * 1_000_000,
    "headers of replies": lambda: TOP + b"\n" + b"On Mon, 1 Jan 2020 at 10:00 x@y.z wrote:\n" * 20_000,
    "rules": lambda: TOP + b"\n" + (b"_" * 390 + b"x\n") * 2_000,
    "blanks": lambda: TOP + b"\n" + b" " * 2_000_000,
    "uuencode": lambda: TOP + b"\n" + b"begin 644 x\n" * 100_000,
    "padding": lambda: TOP + b"Content-Transfer-Encoding: base64\n\n" + b"QQ==\n" * 200_000,
    "angle brackets": lambda: HTML + b"<" * 500_000,
    "open elements": lambda: HTML + b"<div>" * 100_000,
    "repeated formatting": lambda: (
        HTML + b"<p>" + b"".join(b"<font color=%d>" % n for n in range(2000)) + b"</p>" + b"<p>x</p>" * 5000
    ),
    "hidden end tags": lambda: HTML + b"<div><!--</div>--><style></div></style><table></div></table>" * 20_000,
    "attributes": lambda: HTML + b"<p " + b"".join(b"a%d=1 " % n for n in range(100_000)) + b">x",
    "entities": lambda: HTML + b"&amp" * 200_000,
    "comments": lambda: HTML + b"<!--" * 200_000,
    "words without end": lambda: b"Subject: " + b"=?a?q?x" * 100_000 + b"\n" + TOP + b"\nbody",
    "semicolons": lambda: (
        TOP
        + (
            b"Content-Type: multipart/mixed; boundary=q\n\n"
            + b"".join(b"--q\nContent-Type: text/plain; a%d=b" % n + b";" * 8000 + b"\n\nx\n" for n in range(50))
        )
    ),
    "tags": lambda: b"To: +" + b"a" * 500_000 + b"\nCc: +" + b"a" * 500_000 + b"\n" + TOP + b"\nbody",
    "a file's name of blanks": lambda: TOP + b"\nbegin 644 " + b"\t" * 500_000,
    "delimiters of blanks": lambda: (
        TOP
        + b"Content-Type: multipart/mixed; boundary=q\n\n"
        + (b"--q\nContent-Type: multipart/mixed\n\n--a" + b" " * 60_000 + b"x\n") * 60
    ),
    "hard spaces": lambda: HTML + b"x" + b"&nbsp;" * 100_000 + b"y",
    "preformatted blanks": lambda: HTML + b"<pre>x" + b"\t" * 500_000 + b"y</pre>",
    "names in styles": lambda: HTML + (b'<p style="width:calc(' + b"a" * 7900 + b'">x</p>') * 100,
    "bounce prose of blanks": lambda: PROSE + b"for" + b" " * 60_000 + b"\x0b",
    "a bounced address before blanks": lambda: PROSE + b"\na@b.c" + b" " * 60_000 + b"\xc2\xa0x",
    "a bounced field of blanks": lambda: PROSE + b"\nFinal-Recipient:" + b"\t" * 60_000 + b"x",
    "bounce prose": lambda: PROSE + b"a" * 1_000_000,
    "bounce addresses": lambda: PROSE + b"a@" * 200_000,
    "wrong utf-7": lambda: TOP + b"Content-Type: text/plain; charset=utf-7\n\n" + b"+2D3-" * 50_000,
    "unlabelled bytes": lambda: TOP + b"\n" + bytes(range(128, 256)) * 20_000,
}


@pytest.mark.parametrize("name", SHAPES)
def test_time_is_bounded(name: str) -> None:
    raw = SHAPES[name]()
    start = time.process_time()
    found = parse(raw)
    assert time.process_time() - start < 2
    assert len(found.text) <= 1_000_000


def test_what_was_left_out_is_told() -> None:
    assert any("nested deeper" in warning for warning in parse(nested(MAX_DEPTH + 20)).warnings)
    assert any("parts" in warning for warning in parse(SHAPES["delimiters"]()).warnings)
    assert any("elements nest" in warning for warning in parse(SHAPES["open elements"]()).warnings)
    assert parse(SHAPES["delimiters"]()).payload["truncated"]
    assert read("ordinary").warnings == ()
    assert "truncated" not in read("ordinary").payload


def test_depth_that_people_use_is_read() -> None:
    assert parse(nested(50)).text == "inner"


def test_many_files_are_kept_up_to_the_limit() -> None:
    body = b"".join(b"--q\nContent-Type: application/pdf\n\nx\n" for _ in range(MAX_PARTS + 10))
    found = parse(TOP + b"Content-Type: multipart/mixed; boundary=q\n\n" + body + b"--q--\n")
    assert len(found.files) == MAX_PARTS - 1


def test_a_big_file_costs_little_more_than_itself() -> None:
    content = b"A" * 76 + b"\r\n"
    raw = TOP + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + content * 200_000
    start = time.process_time()
    found = parse(raw)
    assert len(found.files[0].content) == 57 * 200_000
    assert time.process_time() - start < 2
