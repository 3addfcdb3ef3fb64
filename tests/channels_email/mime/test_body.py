"""What is read, what is a file, and what both are called."""

import base64
import binascii
import io
import struct

import pytest

from channels_email.mime.body import flowed
from channels_email.mime.files import MAX_NAME_BYTES, safe_name
from tests.channels_email.mime.build import HEAD, mail, multipart, part, read

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def test_alternative_gives_both_tellings() -> None:
    body, kind = multipart(
        "alternative", part("Plain words"), part("<p>Rich <b>words</b></p>", "text/html; charset=utf-8")
    )
    found = read(body, kind)
    assert found.text == "Plain words"
    assert found.html == "<p>Rich <b>words</b></p>"
    assert found.files == ()


def test_html_alone_fills_the_text() -> None:
    found = read("<p>One</p><p>Two<br>three</p><ul><li>four</li></ul>", "Content-Type: text/html\r\n")
    assert found.text == "One\n\nTwo\nthree\n\n- four"


def test_text_alone_makes_no_html() -> None:
    assert read("Only text").html == ""


def test_an_empty_text_beside_html_does_not_win() -> None:
    body, kind = multipart("alternative", part("  \n"), part("<p>Rich</p>", "text/html"))
    assert read(body, kind).text == "Rich"


def test_mixed_bodies_are_joined_in_order_and_files_kept_apart() -> None:
    body, kind = multipart(
        "mixed",
        part("First"),
        part(b"%PDF-1.7", "application/pdf", 'Content-Disposition: attachment; filename="a.pdf"\r\n'),
        part("Last"),
    )
    found = read(body, kind)
    assert found.text == "First\n\nLast"
    assert [(file.name, file.content_type, file.content, file.inline) for file in found.files] == [
        ("a.pdf", "application/pdf", b"%PDF-1.7", False)
    ]


def test_inline_images_keep_their_content_id() -> None:
    related, kind = multipart(
        "related",
        part('<p>Look <img src="cid:logo@x"></p>', "text/html"),
        part(PNG, "image/png", "Content-ID: <logo@x>\r\nContent-Disposition: inline; filename=logo.png\r\n"),
        boundary="rel",
    )
    outer, outer_kind = multipart("mixed", f"{kind}\r\n".encode() + related, part(b"x", "application/zip; name=z.zip"))
    found = read(outer, outer_kind)
    assert found.html == '<p>Look <img src="cid:logo@x"></p>'
    assert [(file.name, file.inline, file.content_id) for file in found.files] == [
        ("logo.png", True, "logo@x"),
        ("z.zip", False, ""),
    ]
    assert found.files[0].content == PNG


def test_a_forwarded_mail_is_a_file_and_not_our_text() -> None:
    inner = mail("Inner words", head=HEAD.replace("Where is my order?", "Inner subject")).replace(b"\r\n", b"\n")
    body, kind = multipart("mixed", part("See below"), b"Content-Type: message/rfc822\r\n\r\n" + inner)
    found = read(body, kind)
    assert found.text == "See below"
    assert [(file.name, file.content_type) for file in found.files] == [("Inner subject.eml", "message/rfc822")]
    assert b"Inner words" in found.files[0].content


def test_forwards_nested_in_forwards_stay_closed() -> None:
    raw = b"From: deep@x.example\r\nSubject: deepest\r\n\r\nDeep words\r\n"
    for level in range(60):
        inner, kind = multipart(
            "mixed", part(f"level {level}"), b"Content-Type: message/rfc822\r\n\r\n" + raw, boundary=f"b{level}"
        )
        raw = HEAD.encode() + kind.encode() + b"\r\n" + inner
    from channels_email.mime import parse

    found = parse(raw)
    assert found.text == "level 59"
    assert len(found.files) == 1


def test_calendar_and_unknown_parts_are_files() -> None:
    body, kind = multipart(
        "alternative",
        part("Come"),
        part("BEGIN:VCALENDAR", "text/calendar; method=REQUEST"),
        part("{}", "application/x-odd"),
    )
    found = read(body, kind)
    assert found.text == "Come"
    assert [file.name for file in found.files] == ["attachment-1.ics", "attachment-2.bin"]


def test_a_text_file_is_a_file() -> None:
    body, kind = multipart(
        "mixed", part("Body"), part("notes", "text/plain; name=notes.txt", "Content-Disposition: inline\r\n")
    )
    found = read(body, kind)
    assert (found.text, [file.name for file in found.files]) == ("Body", ["notes.txt"])


def test_flowed_paragraphs_are_put_together() -> None:
    text = "This is \none paragraph.\n\n> quoted \n> too\nnew\n-- \nsig"
    assert flowed(text) == "This is one paragraph.\n\n> quoted too\nnew\n-- \nsig"
    assert flowed("ab \ncd", delsp=True) == "abcd"


def test_enriched_text_loses_its_commands() -> None:
    found = read(
        "<bold>Now</bold> <<b>\n<color><param>red</param>is</color> the time", "Content-Type: text/enriched\r\n"
    )
    assert found.text == "Now <b> is the time"


def test_uuencoded_files_are_lifted_out() -> None:
    lines = b"".join(binascii.b2a_uu(PNG[at : at + 45]) for at in range(0, len(PNG), 45))
    found = read(b"Before\r\nbegin 644 pic.png\r\n" + lines + b"`\r\nend\r\nAfter\r\n")
    assert [(file.name, file.content) for file in found.files] == [("pic.png", PNG)]
    assert "Before" in found.text
    assert "After" in found.text
    assert "begin 644" not in found.text


@pytest.mark.parametrize("closing", [b"--=_b--\r\n", b""])
def test_missing_and_wrong_boundaries(closing: bytes) -> None:
    body, kind = multipart("mixed", part("One"), part("Two"))
    assert read(body.replace(b"--=_b--\r\n", closing), kind).text == "One\n\nTwo"
    assert read(body, "Content-Type: multipart/mixed\r\n").text == "One\n\nTwo"
    assert read(body, "Content-Type: multipart/mixed; boundary=other\r\n").text == "One\n\nTwo"


def test_a_boundary_that_begins_with_another() -> None:
    inner, kind = multipart("alternative", part("Plain"), part("<p>Rich</p>", "text/html"), boundary="b-1")
    outer, outer_kind = multipart("mixed", kind.encode() + b"\r\n" + inner, part(b"z", "application/zip"), boundary="b")
    found = read(outer, outer_kind)
    assert (found.text, found.html, len(found.files)) == ("Plain", "<p>Rich</p>", 1)


def test_damaged_base64_gives_what_can_be_read() -> None:
    coded = base64.b64encode(b"Hello, is my order on its way to me?")
    field = "Content-Transfer-Encoding: base64\r\n"
    assert read(coded[:-3], field).text.startswith("Hello, is my order on its way to")
    assert read(b"*" + coded[:10] + b"!\r\n" + coded[10:], field).text == "Hello, is my order on its way to me?"
    assert read(base64.b64encode(b"one ") + b"\r\n" + base64.b64encode(b"two"), field).text == "one two"


def test_winmail_dat_gives_up_its_files() -> None:
    found = read(_tnef("quote.txt", b"what it costs"), "Content-Type: application/ms-tnef; name=winmail.dat\r\n")
    assert [(file.name, file.content) for file in found.files] == [("quote.txt", b"what it costs")]


def test_a_broken_winmail_dat_stays_a_file() -> None:
    found = read(b"\x78\x9f\x3e\x22 nonsense", "Content-Type: application/ms-tnef; name=winmail.dat\r\n")
    assert [file.name for file in found.files] == ["winmail.dat"]


def _tnef(name: str, content: bytes) -> bytes:
    def attribute(level: int, kind: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    out = io.BytesIO()
    out.write(struct.pack("<IH", 0x223E9F78, 1))
    out.write(attribute(1, 0x00089006, struct.pack("<I", 0x00010000)))
    out.write(attribute(2, 0x00069002, struct.pack("<HIHHHH", 1, 0xFFFFFFFF, 0, 0, 0, 0)))
    out.write(attribute(2, 0x00018010, name.encode() + b"\0"))
    out.write(attribute(2, 0x0006800F, content))
    return out.getvalue()


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\bill.doc", "bill.doc"),
        ("/etc/cron.d/x", "x"),
        ("Invoice 1/2.pdf", "Invoice 1_2.pdf"),
        ("a\r\nb\x00.txt", "ab.txt"),
        ("cod\u202eexe.pdf", "codexe.pdf"),
        (".htaccess", "htaccess"),
        ("..", "image-3.png"),
        ("", "image-3.png"),
        ("رسید.pdf", "رسید.pdf"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_file_names_are_safe(given: str, safe: str) -> None:
    assert safe_name(given, "image/png", 3) == safe


def test_long_names_keep_their_extension() -> None:
    name = safe_name("ر" * 4000 + ".pdf")
    assert name.endswith(".pdf")
    assert len(name.encode()) <= MAX_NAME_BYTES


def test_nothing_is_lost_when_all_is_empty() -> None:
    found = read("")
    assert (found.text, found.visible_text, found.html, found.files) == ("", "", "", ())
