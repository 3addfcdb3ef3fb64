"""Mails that no program should send, as bytes. Each goes over SMTP; none may stop what comes after it."""

from email.message import EmailMessage

HEAD = b"From: Mallory <m@customers.example>\r\nTo: support@rabta.example\r\nSubject: hostile\r\n"
SCRIPT = b"<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a>"


def nested(depth: int) -> bytes:
    """Multiparts within multiparts."""
    parts = [HEAD]
    for level in range(depth):
        parts.append(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level))
    parts.append(b"Content-Type: text/plain\r\n\r\ndeep\r\n")
    return b"".join(parts)


def forwarded(depth: int) -> bytes:
    """Mails within mails."""
    inner = b"Content-Type: text/plain\r\n\r\nin the middle\r\n"
    for _level in range(depth):
        inner = b"Content-Type: message/rfc822\r\n\r\n" + inner
    return HEAD + inner


def many_files(count: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "m@customers.example", "support@rabta.example", "many"
    mail.set_content("many")
    for number in range(count):
        mail.add_attachment(b"x", "application", "octet-stream", filename=f"../../{number}\u202etxt.exe")
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


LISTED = b"".join(b"\r\n <%d@x>" % number for number in range(5000))
CROWD = b",\r\n ".join(b"p%d@x.example" % number for number in range(5000))

MAILS: dict[str, bytes] = {
    "nothing at all": b"\r\n",
    "no header": b"\r\njust text\r\n",
    "no body": HEAD,
    "header only, unended": b"From",
    "nul bytes": HEAD + b"\r\nbefore\x00after\r\n",
    "nul in the subject": b"From: a@b.example\r\nSubject: a\x00b\r\n\r\nx\r\n",
    "random bytes": HEAD + b"\r\n" + bytes(byte for byte in range(256) if byte not in b"\r\n.") * 40 + b"\r\n",
    "unknown charset": HEAD + b"Content-Type: text/plain; charset=klingon-8\r\n\r\n\xff\xfe\xfd\r\n",
    "wrong charset": HEAD + b"Content-Type: text/plain; charset=utf-16\r\n\r\nodd\r\n",
    "codec that is no charset": HEAD + b"Content-Type: text/plain; charset=zlib\r\n\r\nx\r\n",
    "broken base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n=====!!!!\r\n",
    "unknown encoding": HEAD + b"Content-Transfer-Encoding: rot13\r\n\r\nuryyb\r\n",
    "multipart without a boundary": HEAD + b"Content-Type: multipart/mixed\r\n\r\n--\r\nx\r\n",
    "boundary that never comes": HEAD + b"Content-Type: multipart/mixed; boundary=zzz\r\n\r\nx\r\n",
    "a thousand levels": nested(1000),
    "two hundred mails within mails": forwarded(200),
    "two thousand files": many_files(2000),
    "ten thousand header fields": HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\nx\r\n",
    "one header of 200 KB": HEAD + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\nx\r\n",
    "a folded subject without end": b"From: a@b.example\r\nSubject: x" + b"\r\n y" * 20_000 + b"\r\n\r\nx\r\n",
    "thousands of references": HEAD
    + b"References:"
    + b"".join(b"\r\n <%d@x>" % n for n in range(5000))
    + b"\r\n\r\nx\r\n",
    "thousands of recipients": HEAD
    + b"Cc: "
    + b",\r\n ".join(b"p%d@x.example" % n for n in range(5000))
    + b"\r\n\r\nx\r\n",
    "two senders": b"From: a@b.example\r\nFrom: c@d.example\r\n\r\nx\r\n",
    "a sender that is none": b"From: <>\r\nSubject: x\r\n\r\nx\r\n",
    "a sender of 10 KB": b"From: " + b"a" * 10_000 + b"@b.example\r\n\r\nx\r\n",
    "unclosed quotes": b'From: "a <a@b.example\r\nTo: "((((\r\nSubject: =?utf-8?b?\r\n\r\nx\r\n',
    "encoded words that lie": b"From: =?utf-8?q?=ff=fe?= <a@b.example>\r\nSubject: =?x?y?z?= =?utf-8?b?!!?=\r\n\r\n",
    "impossible dates": b"From: a@b.example\r\nDate: Fri, 99 Foo 99999 99:99:99 +9999\r\n\r\nx\r\n",
    "a date before all": b"From: a@b.example\r\nDate: Mon, 01 Jan 0001 00:00:00 +0000\r\n\r\nx\r\n",
    "a Message-ID with everything": HEAD + b"Message-ID: <\xff\x01'\";--@>\r\n\r\nx\r\n",
    "line ends of all kinds": HEAD.replace(b"\r\n", b"\n") + b"\n\rone\rtwo\nthree\r\n",
    "script": HEAD + b"Content-Type: text/html\r\n\r\n" + SCRIPT + b"\r\n",
    "script in names": b"From: " + SCRIPT + b" <a@b.example>\r\nSubject: " + SCRIPT + b"\r\n\r\n" + SCRIPT + b"\r\n",
    "html a hundred thousand deep": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000 + b"\r\n",
    "a bounce of nothing": HEAD
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=q\r\n\r\n--q--\r\n",
    "winmail without sense": HEAD
    + b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n\r\n\x78\x9f\x3e\x22zz\r\n',
    "a calendar without sense": HEAD
    + b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:\r\n",
}
