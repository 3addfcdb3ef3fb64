"""Address lists (RFC 5322 with the group syntax, and what people's programs make of it), in one linear pass."""

from __future__ import annotations

import re
from functools import lru_cache

from channels_email.mime.headers import plain
from inbox.adapters import Party

MAX_ADDRESSES = 2000
MAX_NAME = 200

_TOKEN = re.compile(
    r"""=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=   # an encoded word may hold a comma that should not be there
      | "(?:[^"\\]|\\.)*"?
      | <[^<>]*>?
      | [(),;:]
      | [^\s"(),;:<=]+ | = | \s+ | .""",
    re.X | re.S,
)
_SIMPLE = re.compile(rb"""\s*"?([^"<>@,;:()\\=\x00-\x1f\x7f-\xff]*?)"?\s*<([A-Za-z0-9._%+=-]+@[A-Za-z0-9.-]+)>\s*\Z""")
_BARE = re.compile(rb"\s*([A-Za-z0-9._%+=-]+@[A-Za-z0-9.-]+)\s*\Z")
_USABLE = re.compile(
    r"""(?:"(?:[^"\\\x00-\x1f]|\\.)+"|[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f]+)@(?:\[[0-9A-Fa-f.:v]+\]|[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f!/=]+)\Z"""
)
_INSIDE = re.compile(r"[^\s\"'(),:;<>@\[\]]{1,100}@[^\s\"'(),:;<>@\[\]]{1,255}")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def addresses(values: list[bytes], hint: str = "") -> tuple[Party, ...]:
    """The usable addresses of one or more header fields, lower-cased, each once, at most MAX_ADDRESSES of them."""
    if len(values) == 1 and len(values[0]) < 200:
        return _cached(values[0], hint)
    found: dict[str, Party] = {}
    for value in values:
        for party in _parse(value, hint):
            found.setdefault(party.value, party)
            if len(found) >= MAX_ADDRESSES:
                return tuple(found.values())
    return tuple(found.values())


@lru_cache(maxsize=2048)
def _cached(value: bytes, hint: str) -> tuple[Party, ...]:
    simple = _SIMPLE.match(value)
    if simple:
        one = _party(simple[2].decode("ascii"), simple[1].decode("ascii").strip())
        return (one,) if one else ()
    bare = _BARE.match(value)
    if bare:
        one = _party(bare[1].decode("ascii"), "")
        return (one,) if one else ()
    found: dict[str, Party] = {}
    for party in _parse(value, hint):
        found.setdefault(party.value, party)
    return tuple(found.values())


def _parse(value: bytes, hint: str) -> list[Party]:
    """Tokens are read from raw bytes, one character a byte: decoding comes last, so no name smuggles an address in."""
    text = value.decode("latin-1")
    out: list[Party] = []
    words: list[str] = []
    angle = comment = ""
    depth = 0

    def end() -> None:
        nonlocal angle, comment
        _finish(out, words, angle, comment, hint)
        words.clear()
        angle = comment = ""

    for match in _TOKEN.finditer(text):
        token = match[0]
        if depth:
            depth += (token == "(") - (token == ")")
            if depth and len(comment) < 1000:
                comment += token
        elif token == "(":
            depth = 1
        elif token in (",", ";"):
            end()
            if len(out) > MAX_ADDRESSES:
                break
        elif token == ":" and not angle and not any("@" in word for word in words):
            words.clear()  # the name of a group
        elif token[0] == "<":
            angle = token if "@" in token or not angle else angle
        elif len(words) < 2000:
            words.append(token)
    end()
    return out


def _finish(out: list[Party], words: list[str], angle: str, comment: str, hint: str) -> None:
    if not words and not angle:
        return
    raw = "".join(words).strip()[:4000]
    address = angle[:4000].strip("<> \t\r\n") if angle else raw
    if angle and address.startswith("@") and ":" in address:
        address = address.rpartition(":")[2]  # a source route (RFC 5322, 4.4)
    if address.lower().startswith("mailto:"):
        address = address[7:]
    name = raw if angle else comment
    address = plain(address.encode("latin-1"), hint)
    party = _party(address, "") or _party(address.replace(" ", ""), "")
    if party is None:
        inside = _INSIDE.search(address) or (_INSIDE.search(raw) if not angle or "@" not in address else None)
        party = _party(inside[0].strip(".'`"), "") if inside else None
        if party is not None and not angle:
            name = raw[: raw.find(inside[0])].strip(" <\"'\t\r\n") if inside else raw
    if party is not None:
        shown = _name(name, hint) or (_name(comment, hint) if comment else "")
        out.append(Party("email", party.value, "" if shown.lower() == party.value else shown))


def _name(raw: str, hint: str) -> str:
    raw = raw.strip()
    if len(raw) >= 2 and raw[0] == raw[-1] == '"' and '"' not in raw[1:-1].replace('\\"', ""):
        raw = raw[1:-1]
    else:
        raw = raw.replace('"', "")
    if "\\" in raw:
        raw = re.sub(r"\\(.)", r"\1", raw)
    text = _INVISIBLE.sub("", plain(raw[:4000].encode("latin-1", "replace"), hint))
    return " ".join(text.split())[:MAX_NAME].strip("\"' ")


def _party(address: str, name: str) -> Party | None:
    address = address.strip().strip("'").rstrip(".").lower()
    if len(address) > 320 or not _USABLE.match(address) or ".." in address.rpartition("@")[2]:
        return None
    return Party("email", address, "" if name.lower() == address else name)
