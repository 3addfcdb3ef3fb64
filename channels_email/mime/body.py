"""What a person is meant to read in a mail, and what is a file beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from channels_email.mime import files
from channels_email.mime.charsets import decode, without_controls
from channels_email.mime.headers import parameters
from channels_email.mime.parts import Part, uuencoded
from inbox.adapters import InboundFile

MAX_TEXT = 1_000_000  # characters of one mail's text that are kept beside the original
MAX_HTML = 3_000_000

_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.I)
_ENRICHED = re.compile(r"<(/?)([a-zA-Z0-9-]{1,60})>")
_READABLE = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext", "text/x-amp-html"})
_QUOTE = re.compile(r">+")


@dataclass(slots=True)
class Piece:
    """One stretch of the body, as text, as HTML (not sanitised yet), or as both."""

    plain: str | None = None
    html: str | None = None


@dataclass(slots=True)
class Body:
    pieces: list[Piece] = field(default_factory=list)
    files: list[InboundFile] = field(default_factory=list)
    first: str = ""  # the first decoded text as it stood in the mail: part of the message's key


def read_body(root: Part, warnings: list[str]) -> Body:
    """The pieces of the body in reading order and the files. Nothing here is safe HTML yet."""
    body = Body()
    body.pieces = _read(root, body, warnings, related=False)
    return body


def _read(part: Part, body: Body, warnings: list[str], *, related: bool) -> list[Piece]:
    kind = part.kind
    if kind.startswith("multipart/") and part.children:
        if kind == "multipart/alternative":
            return _alternative(part, body, warnings)
        pieces: list[Piece] = []
        inner = related or kind == "multipart/related"
        for child in part.children:
            pieces += _read(child, body, warnings, related=inner)
        if kind == "multipart/related" and len(pieces) > 1:
            pieces = [pieces[0], *(piece for piece in pieces[1:] if piece.plain != "" and piece.html != "")]
        return pieces
    return _leaf(part, body, warnings, related=related)


def _alternative(part: Part, body: Body, warnings: list[str]) -> list[Piece]:
    """The first plain text and the last HTML of the alternatives: two tellings of one thing."""
    plain: str | None = None
    html: str | None = None
    others: list[str] = []
    for child in part.children:
        pieces = _read(child, body, warnings, related=False)
        texts = [piece.plain for piece in pieces if piece.plain is not None]
        pages = [piece.html for piece in pieces if piece.html is not None]
        if texts and plain is None and len(texts) >= len(pages):
            plain = "\n".join(texts)
        elif texts and not pages:
            others += texts
        if pages:
            html = "\n".join(pages)
    if plain is not None and html is None and others:
        plain = "\n\n".join([plain, *(other for other in others if other.strip() != plain.strip())])
    if plain is not None and not plain.strip() and html:
        plain = None
    return [Piece(plain, html)] if plain is not None or html is not None else []


def _leaf(part: Part, body: Body, warnings: list[str], *, related: bool) -> list[Piece]:
    kind = part.kind
    raw_disposition = part.first("content-disposition")
    disposition, params = parameters(raw_disposition) if raw_disposition else ("", {})
    disposition = "attachment" if disposition not in ("", "inline") else disposition
    name = files.declared_name(part, params)
    text = kind in _READABLE or kind.startswith("multipart/")
    if text and disposition != "attachment" and not (name and (related or disposition or part.depth)):
        return _text(part, body, warnings)
    if text and not part.depth and kind != "text/x-amp-html":
        return _text(part, body, warnings)  # the whole mail is this: it is read, whatever it calls itself
    if kind == "text/x-amp-html":
        return []
    if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
        plain, html, found = files.unpack_tnef(part.data, warnings)
        if plain or html or found:
            body.files += found
            return [Piece(plain or None, html or None)] if (plain or html) and not body.first else []
    body.files.append(files.from_part(part, name, disposition, len(body.files) + 1, related=related))
    return []


def _text(part: Part, body: Body, warnings: list[str]) -> list[Piece]:
    data = part.data
    if len(data) > 4 * MAX_HTML:
        data = data[: 4 * MAX_HTML]
        warnings.append("the body is very long: its end is only in the original")
    label = part.params.get("charset", "")
    html = part.kind == "text/html"
    hint = ""
    if html and not label:
        meta = _META_CHARSET.search(data, 0, 2048)
        hint = meta[1].decode("ascii", "replace") if meta else ""
    found: list[InboundFile] = []
    if not html and b"begin " in data:
        data, found = _lift_uuencoded(data)
    text = decode(data, label or hint)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = without_controls(text)
    if not body.first:
        body.first = text
    body.files += found
    if html:
        return [Piece(html=text)]
    if part.kind in ("text/enriched", "text/richtext"):
        return [Piece(plain=_enriched(text))]
    if part.params.get("format", "").lower() == "flowed":
        text = flowed(text, delsp=part.params.get("delsp", "").lower() == "yes")
    return [Piece(plain=text)]


def _lift_uuencoded(data: bytes) -> tuple[bytes, list[InboundFile]]:
    kept, found, at = [], [], 0
    for name, content, start, end in uuencoded(data):
        kept.append(data[at:start])
        at = end
        found.append(InboundFile(files.safe_name(name), "application/octet-stream", content))
    return b"\n".join([*kept, data[at:]]), found


def flowed(text: str, *, delsp: bool = False) -> str:
    """format=flowed (RFC 3676) with its paragraphs put together again; quote marks stay in front of each line."""
    out: list[str] = []
    parts: list[str] = []
    level = -1
    for line in text.split("\n"):
        marks = _QUOTE.match(line)
        depth = len(marks[0]) if marks else 0
        rest = line[depth:]
        rest = rest[1:] if rest.startswith(" ") else rest
        if parts and depth != level:
            out.append(_prefixed(level, parts))
            parts = []
        level = depth
        soft = rest.endswith(" ") and rest != "-- "
        parts.append(rest[:-1] if soft and delsp else rest)
        if not soft:
            out.append(_prefixed(level, parts))
            parts = []
    if parts:
        out.append(_prefixed(level, parts))
    return "\n".join(out)


def _prefixed(level: int, parts: list[str]) -> str:
    return (">" * level + " " if level else "") + "".join(parts)


def _enriched(text: str) -> str:
    """text/enriched (RFC 1896) as plain text: single line ends are spaces, commands go, parameters with them."""
    text = re.sub(r"<param>[^<]{0,500}</param>", "", text, flags=re.I).replace("<<", "\x01")
    text = re.sub(r"\n(\n*)", lambda match: match[1] or " ", text)
    return _ENRICHED.sub("", text).replace("\x01", "<")
