"""Writing RFC 5322 and MIME by hand: the same input gives the same bytes on every Python, and nothing can add a header.

Headers are ASCII unless an address needs SMTPUTF8 (RFC 6531); other text goes into RFC 2047 words and RFC 2231
parameters. Lines stay within 78 octets wherever the syntax permits.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

CRLF = b"\r\n"
WORD_BYTES = 39  # what one encoded word carries: with its frame, 64 characters of a line of at most 76 (RFC 2047 2)
PARAMETER_BYTES = 50
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+")
_DOT_ATOM = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\]\\,;:\"@]+")
_TOKEN_PARAMETER = re.compile(r"[A-Za-z0-9._\-]{1,50}")


def one_line(text: str) -> str:
    """`text` without control, line and formatting-attack characters, its white space single: safe inside a header."""
    if text.isprintable():
        return " ".join(text.split())
    spaced = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} else char for char in text)
    return " ".join(spaced.split())


def encoded_words(text: str) -> str:
    """RFC 2047 base-64 words of UTF-8, one a line; no character is cut in two."""
    chunks, chunk = [], b""
    for char in text:
        octets = char.encode()
        if len(chunk) + len(octets) > WORD_BYTES:
            chunks.append(chunk)
            chunk = b""
        chunk += octets
    chunks.append(chunk)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(one).decode()}?=" for one in chunks)


def unstructured(text: str) -> str:
    """The value of a Subject and the like, folded."""
    text = one_line(text)
    words = text.split(" ")
    if not text.isascii() or "=?" in text or any(len(word) > 60 for word in words):
        return encoded_words(text)
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > 62:  # leaves room for the header's name
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def phrase(name: str) -> str:
    """A display name: as it is, quoted, or as encoded words."""
    name = one_line(name)
    if not name.isascii() or "=?" in name or len(name) > 60:
        return encoded_words(name)
    if _ATOM.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ascii_domain(domain: str) -> str:
    """A domain in its ASCII form (IDNA), itself when it has none."""
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return domain


_ORDINARY = re.compile(r"[A-Za-z0-9_-]+(?:[.+][A-Za-z0-9_-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_BEYOND_ASCII = bytes(range(127, 256))


def addr_spec(address: str) -> str:
    """`local@domain` fit for header and envelope: domain in ASCII, odd local parts quoted, nothing ends it early."""
    if _ORDINARY.fullmatch(address):
        return address
    address = "".join(char for char in address if unicodedata.category(char) not in {"Cc", "Zl", "Zp", "Cs"}).strip()
    local, _, domain = address.rpartition("@")
    domain = re.sub(r"[\s<>,;\"()@\\]", "", domain)
    if not _DOT_ATOM.fullmatch(local):
        local = local.removeprefix('"').removesuffix('"') if len(local) > 1 else local
        unquoted = re.sub(r"\\(.)", r"\1", local)
        local = '"' + unquoted.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{local}@{ascii_domain(domain)}"


def needs_utf8(addresses: Iterable[str]) -> bool:
    """Whether an address can only travel by SMTPUTF8 (a local part beyond ASCII)."""
    return any(not address.isascii() and not addr_spec(address).isascii() for address in addresses)


def address_list(parties: Sequence[tuple[str, str]]) -> str:
    """The value of a From, To or Cc header out of (name, address) pairs, one a line."""
    return ",\r\n ".join(_mailbox(name, address) for name, address in parties)


def _mailbox(name: str, address: str) -> str:
    spec = addr_spec(address)
    shown = phrase(name)
    if not shown:
        return spec
    last_line = shown.rsplit("\r\n", 1)[-1]
    return f"{shown}{' ' if len(last_line) + len(spec) < 66 else chr(13) + chr(10) + ' '}<{spec}>"


def message_ids(ids: Iterable[str]) -> str:
    """References and the like, one id a line; an id that could not be written is left out."""
    usable = (re.sub(r"[\s<>\x00-\x1f\x7f]", "", one) for one in ids)
    return "\r\n ".join(f"<{one}>" for one in usable if one and one.isascii())


def parameter(name: str, value: str) -> str:
    """`; name=value` of a MIME header, folded; RFC 2231 where the value asks for it."""
    value = one_line(value)
    if _TOKEN_PARAMETER.fullmatch(value):
        return f";\r\n {name}={value}"
    if value.isascii() and len(value) <= PARAMETER_BYTES and not re.search(r"[\"\\%]", value):
        return f';\r\n {name}="{value}"'
    pieces, piece = [], ""
    for char in value:
        octets = quote(char, safe="")
        if len(piece) + len(octets) > PARAMETER_BYTES:
            pieces.append(piece)
            piece = ""
        piece += octets
    pieces.append(piece)
    if len(pieces) == 1:
        return f";\r\n {name}*=utf-8''{piece}"
    return "".join(
        f";\r\n {name}*{number}*={chr(39).join(['utf-8', '', one]) if number == 0 else one}"
        for number, one in enumerate(pieces)
    )


def header(name: str, value: str) -> bytes:
    """One header line with its end. `value` is already folded; any other line break is refused (ValueError)."""
    line = f"{name}: {value}"
    if re.search(r"\r(?!\n )|(?<!\r)\n|\x00", line) or not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ValueError(f"not a header: {name}")
    return line.encode() + CRLF


@dataclass(slots=True)
class Part:
    """A leaf (`body` is its encoded content) or a multipart (`children`)."""

    content_type: str
    headers: list[bytes] = field(default_factory=list)
    body: bytes = b""
    children: list["Part"] = field(default_factory=list)

    def chunks(self, seed: str, first: Iterable[bytes] = ()) -> Iterable[bytes]:
        """The part as pieces of bytes; `seed` makes its boundary, `first` are headers to stand on top."""
        yield from first
        if not self.children:
            yield header("Content-Type", self.content_type)
            yield from self.headers
            yield CRLF
            yield self.body
            return
        boundary = "=_" + hashlib.sha256(f"{seed}/{self.content_type}".encode()).hexdigest()[:40]
        yield header("Content-Type", f'{self.content_type};\r\n boundary="{boundary}"')
        yield from self.headers
        yield CRLF
        for number, child in enumerate(self.children):
            yield b"--" + boundary.encode() + CRLF
            yield from child.chunks(f"{seed}/{number}")
            yield CRLF
        yield b"--" + boundary.encode() + b"--" + CRLF


def text_part(subtype: str, text: str) -> Part:
    """A text/* leaf in UTF-8; line ends become CRLF; 7bit, quoted-printable or base64, whichever fits."""
    text = re.sub(r"\r\n|\r|\n", "\r\n", text.replace("\0", ""))
    octets = text.encode("utf-8", "replace")
    plain = text.isascii() and not re.search(r"[^\t\r\n\x20-\x7e]", text)
    charset = "us-ascii" if text.isascii() else "utf-8"
    if plain and not re.search(r"[^\r\n]{79}|^From |[ \t]\r\n|[ \t]$", text, re.MULTILINE):
        encoding, body = "7bit", octets
    elif (len(octets) - len(octets.translate(None, _BEYOND_ASCII))) * 6 > len(octets):
        encoding, body = "base64", base64_lines(octets)
    else:
        encoding, body = "quoted-printable", quoted_printable(text)
    return Part(f"text/{subtype}; charset={charset}", [header("Content-Transfer-Encoding", encoding)], body)


def base64_lines(octets: bytes) -> bytes:
    """Base 64 in lines of 76 with CRLF."""
    return base64.encodebytes(octets).replace(b"\n", CRLF).removesuffix(CRLF)


def quoted_printable(text: str) -> bytes:
    """RFC 2045 6.7 of text whose lines end in CRLF; soft breaks keep every line within 76."""
    lines = []
    for line in text.split("\r\n"):
        current = ""
        octets = line.encode("utf-8", "replace")
        for position, octet in enumerate(octets):
            last = position == len(octets) - 1
            safe = (33 <= octet <= 126 and octet != 61) or (octet in (32, 9) and not last)
            unit = chr(octet) if safe else f"={octet:02X}"
            if len(current) + len(unit) > 75:
                lines.append(current + "=")
                current = ""
            if not current and unit in ("F", "."):  # never a line that looks like an mbox separator or ends DATA
                unit = f"={octet:02X}"
            current += unit
        lines.append(current)
    return "\r\n".join(lines).encode()


def file_part(name: str, content_type: str, content: bytes, content_id: str = "") -> Part:
    """An attached file, or with a Content-ID an inline one."""
    if not re.fullmatch(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+", content_type):
        content_type = "application/octet-stream"
    if content_type.startswith(("message/", "multipart/")):  # may not be base 64 (RFC 2046 5.2.1)
        content_type = "application/octet-stream"
    name = one_line(name) or "file"
    disposition = "inline" if content_id else "attachment"
    headers = [
        header("Content-Transfer-Encoding", "base64"),
        header("Content-Disposition", disposition + parameter("filename", name)),
    ]
    if content_id and (value := message_ids([content_id])):
        headers.append(header("Content-ID", value))
    return Part(content_type + parameter("name", name), headers, base64_lines(content))
