"""Whatever the bytes: an Inbound that PostgreSQL takes and a browser survives, or Unparsable."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from channels_email.explain import explain
from channels_email.mime import Unparsable, parse
from channels_email.mime.files import safe_name
from channels_email.mime.visible import strip_text
from lib import html as markup
from tests.lib.browser_eyes import unsafe

UNSAFE_NAME = re.compile("[/\\\\\x00-\x1f\u202a-\u202e\u2066-\u2069]")
PIECES = st.sampled_from(
    [
        b"From: ",
        b"To: a@b.c, <d@e.f>\r\n",
        b"Subject: =?utf-8?B?2LPZhA==?=\r\n",
        b"Content-Type: multipart/mixed; boundary=q\r\n",
        b"Content-Type: text/html; charset=utf-8\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"--q\r\n",
        b"--q--\r\n",
        b"<p>x</p><script>1</script>",
        b"> quoted\r\n",
        b"On 1 Jan 2020 a@b.c wrote:\r\n",
        b"-- \r\n",
        b"begin 644 x\r\n",
        b"\x00",
        b"Content-Disposition: attachment; filename*=utf-8''..%2F%2e%2e\r\n",
        b"Content-Type: message/delivery-status\r\n",
        b"Action: failed\r\n",
        b"=",
        b"+tag@x",
        b"Final-Recipient: rfc822; a@b.c\r\n",
        b"References: <a@b> <",
        b"Date: 1 Jan 99999\r\n",
        b"Content-Type: application/ms-tnef\r\n",
        b"\x78\x9f\x3e\x22",
        b"Message-ID: <",
        b"Return-Path: <>\r\n",
        b"\xff\xfe",
        b"\xc3\xa9",
        b'"',
        b"(",
        b"=?a?q?",
        b"; charset=utf-7",
        b"format=flowed",
        b" ",
        b"\t",
    ]
)
MAILS = st.one_of(
    st.binary(max_size=2000), st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=60).map(b"".join)
)


@settings(max_examples=400, deadline=None)
@given(MAILS)
def test_any_bytes(raw: bytes) -> None:
    try:
        found = parse(raw)
    except Unparsable:
        return
    told = explain(found)
    for text in (
        found.text,
        found.subject,
        found.visible_text,
        found.html,
        told["from"]["name"],
        found.external_id,
        *found.references,
    ):
        assert "\x00" not in text
        text.encode()
    assert len(found.key) == 64
    assert bool(found.visible_text.strip()) == bool(found.text.strip())
    assert unsafe(found.html) is None
    for file in found.files:
        assert file.name
        assert not UNSAFE_NAME.search(file.name)
    for party in (*found.to, *found.cc, *found.reply_to):
        assert not set("\r\n\x00") & set(party.value + party.name)
        assert party.value == party.value.lower()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["image/png", "", "text/plain"]))
def test_any_file_name(name: str, kind: str) -> None:
    safe = safe_name(name, kind)
    assert safe
    assert safe not in (".", "..")
    assert not UNSAFE_NAME.search(safe)
    assert len(safe) <= 150
    assert len(safe.encode()) <= 240


TAGS = st.sampled_from(
    "<p> </p> <div> <table><tr><td> </td> <script> </script> <img src=x onerror=alert(1)> <svg"
    " onload=alert(1)> <a href='javascript:alert(1)'> <a"
    " href=\" java&#10;script:alert(1)\"> <math><mtext> <style> </style> <iframe srcdoc='<script>'>"
    " <!-- --> <![CDATA[ ]]> <noscript> <template>"
    " <form><input> <base href=//evil> <meta http-equiv=refresh> <link rel=import href=x> <object"
    " data=x> <embed src=x> <p"
    " style='position:fixed;top:0'> <p style=\"width:expression(alert(1))\"> <p"
    " style=background:url(javascript:1)> <select> <textarea> <xmp> <title>"
    " <font color=1> <b> </b> text &lt;script&gt; &#60;img &colon; \" ' ` \x00 \u2028 <img"
    " src=data:text/html,x> <a href=data:text/html;base64,x>".split(" ")
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(TAGS, st.text(max_size=8)), max_size=30).map(" ".join))
def test_any_html(page: str) -> None:
    cleaned = markup.clean(page)
    assert unsafe(cleaned) is None
    assert unsafe(markup.with_remote_images(cleaned)) is None
    assert unsafe(markup.from_text(page)) is None
    assert markup.clean(cleaned).replace(" ", "") == cleaned.replace(" ", "") or unsafe(markup.clean(cleaned)) is None
    markup.to_text(cleaned).encode()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "text",
                "> q",
                "On 1.1.2020 a@b.c wrote:",
                "-- ",
                "",
                "From: x@y",
                "Sent: 1",
                "To: z",
                "____________",
                "Sent from my iPhone",
            ]
        ),
        max_size=30,
    )
)
def test_a_reply_is_never_hidden_whole(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert bool(strip_text(text)) == bool(text.strip())
