"""What is written must be read back by the standard library exactly, and nothing may add a header."""

import email.policy
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from channels_email import wire

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
URDU = "السلام علیکم، میرا آرڈر نمبر ۱۲۳ ابھی تک نہیں پہنچا۔ براہِ کرم جلد جواب دیں"
INJECTION = "hello\r\nBcc: victim@example.com\r\n\r\n<script>"


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=email.policy.default)


def shown(header: bytes) -> str:
    """The first display name. policy.default of 3.11 leaves a blank between two encoded words of a phrase."""
    name, _address = getaddresses([message_from_bytes(header + b"\r\n")["To"]])[0]
    return str(make_header(decode_header(name)))


def lines_of(raw: bytes) -> list[bytes]:
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return raw.split(b"\r\n")


@given(TEXT)
@settings(max_examples=300, deadline=None)
def test_a_subject_reads_back_and_stays_one_header(text: str) -> None:
    raw = wire.header("Subject", wire.unstructured(text)) + b"\r\nbody"
    message = read(raw)
    assert message.keys() == ["Subject"]
    assert message["Subject"] == wire.one_line(text)
    assert all(len(line) <= 78 for line in lines_of(raw))
    assert message.get_payload() == "body"


@given(TEXT, st.emails())
@settings(max_examples=300, deadline=None)
def test_a_display_name_reads_back(name: str, address: str) -> None:
    raw = wire.header("To", wire.address_list([(name, address), ("Zweite", "b@example.com")])) + b"\r\n"
    message = read(raw)
    assert message.keys() == ["To"]
    first, second = message["To"].addresses
    assert shown(raw) == wire.one_line(name)
    assert second.addr_spec == "b@example.com"
    assert first.addr_spec.lower() == address.lower()


def test_an_urdu_subject_and_name_read_back() -> None:
    raw = wire.header("Subject", wire.unstructured(URDU))
    raw += wire.header("To", wire.address_list([(URDU, "a@example.com")]))
    message = read(raw + b"\r\n")
    assert message["Subject"] == URDU
    assert shown(wire.header("To", wire.address_list([(URDU, "a@example.com")]))) == URDU
    assert raw.isascii()
    assert all(len(line) <= 76 for line in lines_of(raw))


def test_line_breaks_never_make_a_header() -> None:
    raw = b"".join(
        [
            wire.header("Subject", wire.unstructured(INJECTION)),
            wire.header("To", wire.address_list([(INJECTION, "a@example.com\r\nBcc: x@example.com")])),
            wire.header("References", wire.message_ids([INJECTION + "@example.com", "ok@example.com"])),
        ]
    )
    assert read(raw + b"\r\n").keys() == ["Subject", "To", "References"]


@given(TEXT)
@settings(max_examples=300, deadline=None)
def test_a_body_reads_back(text: str) -> None:
    part = wire.text_part("plain", text)
    raw = b"".join(part.chunks("seed"))
    expected = re.sub(r"\r\n|\r", "\n", text.replace("\0", ""))
    found = cast(bytes, read(raw).get_payload(decode=True)).decode()
    assert found.replace("\r\n", "\n") == expected
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=120))
@settings(max_examples=200, deadline=None)
def test_a_file_name_reads_back(name: str) -> None:
    raw = b"".join(wire.file_part(name, "application/pdf", b"%PDF-1.4 \x00\xff").chunks("seed"))
    message = read(raw)
    assert message.get_filename() == (wire.one_line(name) or "file")
    assert message.get_content() == b"%PDF-1.4 \x00\xff"
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


def test_a_long_ascii_file_name_and_a_wrong_type_do_no_harm() -> None:
    message = read(b"".join(wire.file_part("a" * 255 + '"\r\nX: y', "text/html\r\nX: y", b"x").chunks("seed")))
    assert message.get_content_type() == "application/octet-stream"
    assert message["X"] is None
    assert message.get_filename() == "a" * 255 + '" X: y'


def test_an_idn_domain_goes_out_in_ascii_and_a_local_part_beyond_it_asks_for_utf8() -> None:
    assert wire.addr_spec("info@bücher.example") == "info@xn--bcher-kva.example"
    assert not wire.needs_utf8(["info@bücher.example"])
    assert wire.needs_utf8(["جواب@example.com"])
