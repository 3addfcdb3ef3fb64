"""The tree of parts of a mail, cut out of its bytes in one pass without recursion (RFC 5322, RFC 2046).

The standard library's parser takes a line at a time, and a generator per level: too slow for a queue, and stopped by
RecursionError at a thousand levels. Here delimiter lines are looked up among the boundaries in force, so the cost is
linear in the size of the mail whatever its shape, and nothing is copied before it is decoded.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels_email.mime.headers import parameters, plain

MAX_DEPTH = 100
MAX_PARTS = 2500
MAX_HEADERS = 3000  # fields of one part that are looked at; of one name, MAX_SAME
MAX_SAME = 50
MAX_NAME = 1000  # bytes of a field's name
MAX_VALUE = 256 * 1024  # bytes of one field

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FIELD_END = re.compile(rb"\n(?![ \t])")  # a search, not a repeated group: the engine keeps state for each repeat
_LINE = re.compile(rb"[^\r\n]*(?:\r?\n|\r|\Z)")
_BLANK_LINE = re.compile(rb"\n[ \t]*\r?\n|\r\r")
_KNOWN_FIELD = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|reply-to|return-path|in-reply-to"
    rb"|references|sender|delivered-to|x-[a-z-]+)[ \t]*:",
    re.I | re.M,
)
_GUESSED_BOUNDARY = re.compile(rb"(?:^|\n)--([^\r\n]{0,199}[^ \t\r\n])[ \t]*\r?\nContent-", re.I)
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_OTHER_BYTES = re.compile(rb"[^A-Za-z0-9+/=\s]")
_UU_BEGIN = re.compile(rb"(?:^|\n)begin[ \t]+[0-7]{3,4}[ \t]+([^ \t\r\n][^\r\n]{0,499})\r?\n")


@dataclass(slots=True)
class Part:
    """One part: its fields by lower-case name, its type, and where its body lies in the bytes of the mail."""

    raw: bytes = field(repr=False)
    headers: dict[str, list[bytes]]
    kind: str
    params: dict[str, str]
    start: int
    end: int
    depth: int = 0
    children: list[Part] = field(default_factory=list)
    _data: bytes | None = field(default=None, repr=False)

    def first(self, name: str) -> bytes:
        values = self.headers.get(name)
        return values[0] if values else b""

    def text(self, name: str) -> str:
        """The first field of this name, decoded; "" where there is none."""
        values = self.headers.get(name)
        return plain(values[0]) if values else ""

    @property
    def data(self) -> bytes:
        """The body with its transfer encoding undone."""
        if self._data is None:
            self._data = undo(memoryview(self.raw)[self.start : self.end], self.encoding)
        return self._data

    @property
    def encoding(self) -> str:
        value = self.first("content-transfer-encoding")
        return plain(value).lower().split(";")[0].strip(" \"'.") if value else ""

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail."""
        todo = [self]
        while todo:
            part = todo.pop()
            yield part
            todo.extend(reversed(part.children))


def undo(body: memoryview, encoding: str) -> bytes:
    """Decode base64, quoted-printable or uuencode, however damaged; anything else is taken as it is."""
    if encoding in ("base64", "b"):
        return _base64(body)
    if encoding in ("quoted-printable", "q", "quopri"):
        return binascii.a2b_qp(body)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return next((data for _, data, _, _ in uuencoded(bytes(body))), bytes(body))
    return bytes(body)


def _base64(body: memoryview) -> bytes:
    try:
        data = binascii.a2b_base64(body)
    except binascii.Error:
        data = None
    if data is not None and len(data) * 4 > len(body) * 2:
        return data
    # Damaged, or several pieces with their own padding one after another.
    raw = bytes(body)
    padding = raw.find(b"=")
    if data is not None and (padding < 0 or _OTHER_BYTES.search(raw, padding)):
        return data
    out = []
    for piece in raw.split(b"=", 100_000)[:100_000]:
        piece = piece.translate(None, _NOT_BASE64)
        piece = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
        out.append(binascii.a2b_base64(piece + b"=="))
    return b"".join(out)


def uuencoded(body: bytes, limit: int = 50) -> Iterator[tuple[str, bytes, int, int]]:
    """(name, content, start, end) of each uuencoded file that lies within a text."""
    at = 0
    for _ in range(limit):
        begin = _UU_BEGIN.search(body, at)
        if not begin:
            return
        end = body.find(b"\nend", begin.end() - 1)
        if end < 0:
            return
        out = []
        for line in body[begin.end() : end].splitlines():
            try:
                out.append(binascii.a2b_uu(line))
            except binascii.Error:
                count = (((line[0] - 32) & 63) * 4 + 5) // 3  # some encoders count trailing garbage in
                try:
                    out.append(binascii.a2b_uu(line[:count]))
                except binascii.Error:
                    out = []
                    break
        at = end + 4
        if out:
            yield plain(begin[1]), b"".join(out), begin.start(), at


def read_tree(raw: bytes, warnings: list[str]) -> Part:
    """The root part of a mail. Limits that were reached are named in `warnings`; nothing is raised."""
    if b"\n" not in raw[:65536] and b"\r" in raw[:65536]:
        raw = raw.replace(b"\r", b"\n")
    start = _skip_junk(raw)
    root = _open(raw, start, len(raw), "text/plain", 0, warnings, {})
    stack: list[tuple[bytes, Part]] = []
    active: dict[bytes, int] = {}
    _enter(root, stack, active)
    if not stack:
        return root
    current: Part | None = None  # the part whose end is not known yet
    count = 1
    at = max(root.start - 1, 0)
    while stack:
        at = raw.find(b"\n--", at) if at or not raw.startswith(b"--") else -1
        if at < 0:
            break
        stop = raw.find(b"\n", at + 1)
        stop = len(raw) if stop < 0 else stop
        line = raw[at + 3 : min(stop, at + 1003)].rstrip()
        closing = False
        level = active.get(line)
        if level is None and line.endswith(b"--"):
            level, closing = active.get(line[:-2].rstrip()), True
        if level is None:
            at = stop if stop > at else at + 1
            continue
        if current is not None:
            current.end = max(current.start, at - 1 if raw[at - 1 : at] == b"\r" else at)
        while len(stack) > level + 1:
            name, inner = stack.pop()
            active.pop(name, None)
            inner.end = min(inner.end, at)
        current = None
        parent = stack[level][1]
        if closing:
            stack.pop()
            active.pop(line[:-2].rstrip(), None)
            parent.end = at
            at = stop - 1 if stop > at + 1 else stop
            at = max(at, stop)
            continue
        if count >= MAX_PARTS:
            warnings.append(f"more than {MAX_PARTS} parts: the rest is only in the original")
            break
        count += 1
        begin = min(stop + 1, len(raw))
        default = "message/rfc822" if parent.kind == "multipart/digest" else "text/plain"
        current = _open(raw, begin, parent.end, default, parent.depth + 1, warnings, active)
        parent.children.append(current)
        at = max(current.start - 1, stop)
        if current.kind.startswith("multipart/"):
            if current.depth >= MAX_DEPTH:
                warnings.append(f"parts nested deeper than {MAX_DEPTH}: the rest is only in the original")
                current.kind = "application/octet-stream"
            elif _enter(current, stack, active):
                current = None
    return root


def _enter(part: Part, stack: list[tuple[bytes, Part]], active: dict[bytes, int]) -> bool:
    if not part.kind.startswith("multipart/"):
        return False
    boundary = part.params.get("boundary", "").encode("utf-8", "replace").rstrip()
    if not boundary or (len(stack) == 0 and part.raw.find(b"--" + boundary, part.start) < 0):
        guess = _GUESSED_BOUNDARY.search(part.raw, max(part.start - 1, 0), min(part.end, part.start + 65536))
        if not guess:
            return False
        boundary = guess[1]
    if boundary in active:
        return False
    active[boundary] = len(stack)
    stack.append((boundary, part))
    return True


def _skip_junk(raw: bytes) -> int:
    """Past a byte order mark, blank lines and the "From " line of an mbox."""
    at = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    while at < len(raw) and raw[at : at + 1] in (b"\r", b"\n"):
        at += 1
    while raw[at : at + 5] == b"From " or raw[at : at + 6] == b">From ":
        line = _LINE.match(raw, at)
        at = line.end() if line else len(raw)
    return at


def _open(
    raw: bytes, start: int, end: int, default: str, depth: int, warnings: list[str], active: dict[bytes, int]
) -> Part:
    headers, body = read_headers(raw, start, end, warnings, active)
    given = headers.get("content-type")
    kind, params = parameters(given[0]) if given else (default, {})
    if given and len(given) > 1 and "/" not in kind:
        kind, params = parameters(given[-1])
    if "/" not in kind or kind.startswith("/") or " " in kind:
        guess = kind.split("/")[0].strip()
        kind = {"text": "text/plain", "html": "text/html", "multipart": "multipart/mixed"}.get(guess, default)
    return Part(raw, headers, kind, params, body, max(end, body), depth)


def read_headers(
    raw: bytes, start: int, end: int, warnings: list[str] | None = None, active: dict[bytes, int] | None = None
) -> tuple[dict[str, list[bytes]], int]:
    """The fields from `start`, and where the body begins. Damage is forgiven where what follows are fields again."""
    headers: dict[str, list[bytes]] = {}
    at, count, last = start, 0, None
    blank: int | None = None  # where the next blank line is, once somebody had to know
    while at < end:
        if raw[at] in b"\r\n":
            at += 2 if raw[at : at + 2] == b"\r\n" else 1
            break
        match = _FIELD.match(raw, at, min(at + MAX_NAME, end))
        if match and not (active and raw.startswith(b"--", at) and _delimits(raw, at, active)):
            count += 1
            stop = _FIELD_END.search(raw, match.end(), end)
            after = stop.end() if stop else end
            if count <= MAX_HEADERS:
                last = headers.setdefault(match[1].decode("ascii").lower(), [])
                if len(last) < MAX_SAME:
                    value = raw[match.end() : min(after, match.end() + MAX_VALUE)]
                    if after - match.end() > MAX_VALUE:
                        if match[1].lower() == b"references":
                            value = raw[after - MAX_VALUE : after]  # the newest stand last
                        if warnings is not None:
                            warnings.append(f"the field {match[1][:40].decode()} was cut at {MAX_VALUE} bytes")
                    last.append(value)
            elif count == MAX_HEADERS + 1 and warnings is not None:
                warnings.append(f"more than {MAX_HEADERS} header fields: the rest is only in the original")
            elif count > 10 * MAX_HEADERS:
                gap = _BLANK_LINE.search(raw, at, end)
                at = gap.end() if gap else end
                break
            at = after
            continue
        line = _LINE.match(raw, at, end)
        after = line.end() if line else end
        if raw.startswith(b"--", at) and active and _delimits(raw, at, active):
            break
        if blank is None or blank < at:
            gap = _BLANK_LINE.search(raw, at, end)
            blank = gap.start() + 1 if gap else end
        if raw[at] in b" \t":
            if not raw[at:after].strip():  # a line of blanks ends the header for most programs
                at = after
                break
        elif not _KNOWN_FIELD.search(raw, after, min(blank, after + 65536)):
            break  # the blank line is missing: this is the body already
        if last and len(last[-1]) < 4096:
            last[-1] += b" " + raw[at:after].strip()
        at = max(after, at + 1)
    return headers, min(at, end)


def _delimits(raw: bytes, at: int, active: dict[bytes, int]) -> bool:
    line = raw[at + 2 : at + 1002].split(b"\n", 1)[0].rstrip()
    return line in active or (line.endswith(b"--") and line[:-2] in active)
