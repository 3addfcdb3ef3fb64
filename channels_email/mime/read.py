"""From the raw bytes of a mail to one `Inbound`: the only way in for e-mail, whatever brought it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from channels_email.mime import headers as fields
from channels_email.mime.addresses import addresses
from channels_email.mime.body import MAX_TEXT, Body, Piece, read_body
from channels_email.mime.charsets import codec
from channels_email.mime.kind import classify
from channels_email.mime.parts import Part, read_tree
from channels_email.mime.visible import visible_reply
from inbox.adapters import Inbound, Party
from lib import html as markup
from lib.language import detect

MAX_SUBJECT = 1000  # characters
MAX_TOKENS = 20

_KEPT = """
    date return-path sender list-id list-unsubscribe auto-submitted precedence x-auto-response-suppress
    x-mailer user-agent x-spam-flag x-spam-status x-spam-score authentication-results importance x-priority
    content-language thread-topic x-loop feedback-id organization x-original-to delivered-to
    disposition-notification-to x-forwarded-for x-forwarded-to resent-from
""".split()
_ENVELOPE = """
    to cc delivered-to x-original-to envelope-to x-envelope-to x-delivered-to x-rcpt-to apparently-to
""".split()
_TAG = re.compile(rb"\+([A-Za-z0-9._=+-]{1,120})@")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SPACE = re.compile(r"\s+")
_FROM_MANGLED = re.compile(r"(?m)^>From ")


class Unparsable(ValueError):
    """These bytes are no mail at all; the text says what they are instead."""


def parse(raw: bytes, *, own: Collection[str] = frozenset(), recipients: Sequence[str] = ()) -> Inbound:
    """Read one RFC 5322 mail, however damaged. Raises Unparsable, and nothing else, for what is no mail.

    `own` are our own addresses, lower-cased: they are never taken for the sender where the mail names somebody else in
    Reply-To, nor for a bounced recipient. `recipients` is the envelope, whose +tags are tokens too. What was cut or
    could not be read is told in `warnings`; the caller keeps the original.
    """
    _refuse(raw)
    warnings: list[str] = []
    root = read_tree(raw, warnings)
    if not root.headers and not raw.strip(b"\x00\r\n\t "):
        raise Unparsable("the message is empty")
    ours = own if isinstance(own, frozenset) else frozenset(own)
    body = read_body(root, warnings)
    text, html = _render(body, warnings)
    hint = _header_hint(root)
    sender, reply_to, source = _sender(root, hint, ours)
    address, name = (sender.value, sender.name) if sender else ("", "")
    kind, suppress, bounce = classify(root, text, address, name, ours)
    subject = fields.plain(root.first("subject")[:16384], hint) if "subject" in root.headers else ""
    if len(subject) > MAX_SUBJECT:
        subject = subject[:MAX_SUBJECT]
        warnings.append(f"the subject was cut at {MAX_SUBJECT} characters")
    external_id = fields.message_id(root.first("message-id")) if "message-id" in root.headers else ""
    visible = visible_reply(text, html, prefer_html=not any(piece.plain is not None for piece in body.pieces))
    written_at = fields.date(root.first("date")) if "date" in root.headers else None
    replied = fields.message_ids(root.headers.get("in-reply-to", []))
    return Inbound(
        key=_key(root, external_id, hint, subject, written_at, body),
        scope="email",
        sender=sender,
        text=text,
        external_id=external_id,
        kind=kind,
        suppress_auto_reply=suppress,
        to=addresses(root.headers.get("to", []), hint),
        cc=addresses(root.headers["cc"], hint) if "cc" in root.headers else (),
        reply_to=reply_to,
        subject=subject,
        visible_text=visible,
        html=html,
        language=detect(visible or text, root.text("content-language") if "content-language" in root.headers else ""),
        written_at=written_at,
        in_reply_to=replied[0] if replied else "",
        references=fields.message_ids(root.headers.get("references", [])),
        tokens=_tokens(root, recipients),
        files=tuple(body.files),
        bounce=bounce,
        payload=_payload(root, source, warnings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _refuse(raw: bytes) -> None:
    if not raw:
        raise Unparsable("the message is empty")
    if raw.startswith(_OLE):
        raise Unparsable("this is an Outlook .msg file (OLE), not an Internet mail: save it as .eml")
    if raw.startswith((b"PK\x03\x04", b"%PDF-", b"\x89PNG", b"\x1f\x8b", b"GIF8", b"\xff\xd8\xff")):
        raise Unparsable("this is a file of another kind, not an Internet mail")


def _render(body: Body, warnings: list[str]) -> tuple[str, str]:
    """(text, sanitised HTML) of the pieces; a mail without HTML has none, one without text gets it from the HTML."""
    texts: list[str] = []
    pages: list[str] = []
    with_html = any(piece.html is not None for piece in body.pieces)
    for piece in body.pieces:
        page = _page(piece, warnings) if with_html else ""
        pages.append(page)
        texts.append(piece.plain if piece.plain is not None else _text_of(piece, page))
    text = texts[0] if len(texts) == 1 else "\n\n".join(one.strip("\n") for one in texts if one.strip())
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
        warnings.append(f"the text was cut at {MAX_TEXT} characters: the rest is only in the original")
    return text.strip("\n"), pages[0] if len(pages) == 1 else "\n".join(page for page in pages if page)


def _page(piece: Piece, warnings: list[str]) -> str:
    if piece.html is None:
        return markup.from_text(piece.plain or "")
    if len(piece.html) > markup.MAX_INPUT:
        warnings.append("the HTML is very long: its end is only in the original")
    try:
        return markup.clean(piece.html)
    except markup.TooComplex as error:
        warnings.append(f"the HTML is shown as text: {error}")
        return markup.from_text(markup.strip_tags(piece.html)[:MAX_TEXT], links=False)


def _text_of(piece: Piece, page: str) -> str:
    return markup.to_text(page) if page else ""


def _header_hint(root: Part) -> str:
    """A charset for raw 8-bit header fields: the one that the first readable part declares."""
    for part in (root, *root.children[:3]):
        label = part.params.get("charset", "")
        if label and codec(label) not in ("", "utf-8", "cp1252"):
            return label
    return ""


def _sender(root: Part, hint: str, own: frozenset[str]) -> tuple[Party | None, tuple[Party, ...], str]:
    """(who wrote it, Reply-To, the field that said so). A form on our site writes as us."""
    headers = root.headers
    reply_to = addresses(headers["reply-to"], hint) if "reply-to" in headers else ()
    named = addresses(headers["from"], hint) if "from" in headers else ()
    if named and named[0].value in own:
        other = next((party for party in reply_to if party.value not in own), None)
        return (other, reply_to, "reply-to") if other else (named[0], reply_to, "from")
    if named:
        return named[0], reply_to, "from"
    for name in ("sender", "reply-to", "return-path", "x-sender", "resent-from"):
        found = addresses(headers[name], hint) if name in headers else ()
        if found:
            return found[0], reply_to, name
    return None, reply_to, ""


def _tokens(root: Part, recipients: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    values = [value for name in _ENVELOPE if name in root.headers for value in root.headers[name]]
    values += [recipient.encode("utf-8", "replace") for recipient in recipients[:1000]]
    for value in values:
        if b"+" in value:
            for tag in _TAG.findall(value[:65536])[:MAX_TOKENS]:
                found.setdefault(tag.decode("ascii").lower())
    return tuple(found)[:MAX_TOKENS]


def _key(root: Part, external_id: str, hint: str, subject: str, written_at: datetime | None, body: Body) -> str:
    """The same for every copy, whatever hops did to folding, transfer encoding and trace fields.

    From is taken as it stands: who counts as the sender depends on our settings, and those change.
    """
    named = addresses(root.headers["from"], hint) if "from" in root.headers else ()
    address = named[0].value if named else root.text("from")
    text = "".join((_FROM_MANGLED.sub("From ", body.first) if ">From " in body.first else body.first).split())
    moment = written_at.isoformat() if written_at else _SPACE.sub(" ", root.text("date"))
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    parts = [external_id, address, moment, _SPACE.sub(" ", subject), digest]
    if not external_id:
        parts += [hashlib.sha256(file.content).hexdigest() for file in body.files[:100]]
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def _payload(root: Part, source: str, warnings: list[str]) -> dict[str, Any]:
    kept = {name: root.text(name)[:500] for name in _KEPT if name in root.headers}
    payload: dict[str, Any] = {"headers": kept}
    if source and source != "from":
        payload["sender_from"] = source
    if "x-rabta-loop" in root.headers:
        payload["loop_header"] = root.text("x-rabta-loop")[:200]
    if root.kind in ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"):
        payload["encrypted"] = True
    if warnings:
        payload["truncated"] = any("only in the original" in warning or " cut at " in warning for warning in warnings)
    return payload
