"""Small mails for the parser's tests: raw bytes, line by line, nothing helpful in between."""

from __future__ import annotations

import base64

from channels_email.mime import parse
from inbox.adapters import Inbound

HEAD = (
    "From: Ayesha Khan <ayesha@customer.example>\r\n"
    "To: Support <support@rabta.example>\r\n"
    "Subject: Where is my order?\r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 +0500\r\n"
    "Message-ID: <order-1@customer.example>\r\n"
)


def mail(
    body: str | bytes = "Hello, where is my order?\r\n",
    headers: str | bytes = "",
    *,
    head: str = HEAD,
    charset: str = "utf-8",
) -> bytes:
    """A mail of the usual head, further fields (each line with its \\r\\n) and a body."""
    more = headers.encode(charset) if isinstance(headers, str) else headers
    content = body.encode(charset) if isinstance(body, str) else body
    return head.encode(charset) + more + b"\r\n" + content


def read(body: str | bytes = "Hello\r\n", headers: str | bytes = "", **more: str) -> Inbound:
    return parse(mail(body, headers, **more))


def multipart(subtype: str, *parts: str | bytes, boundary: str = "=_b", params: str = "") -> tuple[bytes, str]:
    """(body, Content-Type field) of a multipart; each part is its fields, an empty line and its content."""
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    line = b"--" + boundary.encode() + b"\r\n"
    body = b"".join(line + part + b"\r\n" for part in raw) + b"--" + boundary.encode() + b"--\r\n"
    return body, f'Content-Type: multipart/{subtype}; boundary="{boundary}"{params}\r\n'


def part(content: str | bytes, kind: str = "text/plain; charset=utf-8", fields: str = "") -> bytes:
    data = content.encode() if isinstance(content, str) else content
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{fields}\r\n"
    return head.encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")


def word(text: str, charset: str = "utf-8") -> str:
    """An encoded word (RFC 2047, B)."""
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="
