"""Bytes to text when the label may be missing, wrong or hostile."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

# What mail programs call a charset, and what they really send (WHATWG Encoding: the superset wins).
_ALIASES = {
    "": "", "ansi_x3.4-1968": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252",
    "iso_8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "8859_1": "cp1252",
    "iso-8859-1-windows-3.1-latin-1": "cp1252", "windows-31j": "cp932", "shift_jis": "cp932", "shift-jis": "cp932",
    "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
    "gb_2312-80": "gb18030", "hz-gb-2312": "hz", "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949",
    "ksc5601": "cp949", "korean": "cp949", "big5": "cp950", "big5-hkscs": "big5hkscs", "x-x-big5": "cp950",
    "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "iso-8859-9": "cp1254", "tis-620": "cp874",
    "iso-8859-11": "cp874", "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-ms": "iso2022_jp_ext",
    "x-mac-roman": "mac_roman", "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "unicode": "utf-8",
    "unicode-1-1-utf-7": "utf-7", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "cp65001": "utf-8",
    "windows-65001": "utf-8", "x-unknown": "", "unknown-8bit": "", "unknown": "", "default": "", "default_charset": "",
    "binary": "", "none": "", "x-user-defined": "", "iso-8859-6-i": "iso-8859-6", "iso-8859-6-e": "iso-8859-6",
    "x-cp1250": "cp1250", "x-cp1251": "cp1251", "x-cp1252": "cp1252", "win-1251": "cp1251", "ansi": "cp1252",
}  # fmt: skip
_SEVEN_BIT = frozenset({"utf-7", "hz", "iso2022_jp_ext", "iso2022_jp", "iso2022_kr", "iso2022_jp_2"})
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")
_WINDOWS = re.compile(r"(?:windows|cp|win|x-cp|ibm)[-_ ]?(\d{3,4})$")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


@lru_cache(maxsize=512)
def codec(label: str) -> str:
    """The Python codec for a charset label, or "" for one that is unknown or no text encoding (base64, rot13, …)."""
    name = label.strip(" \t\r\n\"'<>[]").lower()[:60]
    name = name.split(";")[0].split("*")[0].strip(" \"'")
    if name.startswith("charset="):
        name = name[8:].strip("\"'")
    if name in _ALIASES:
        return _ALIASES[name]
    windows = _WINDOWS.match(name)
    if windows:
        name = "cp" + windows[1]
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    # `_is_text_encoding` is how bytes.decode itself refuses zlib, hex and their like.
    if not getattr(found, "_is_text_encoding", True) or found.name in ("idna", "punycode", "undefined", "mbcs", "oem"):
        return ""
    if "escape" in found.name:
        return ""
    return _ALIASES.get(found.name, found.name)


def decode(data: bytes, label: str = "", hint: str = "") -> str:
    """Text of `data` declared as `label`. Never raises; what cannot be read at all becomes U+FFFD.

    UTF-8 that says so by itself beats a wrong label. `hint` is a label from elsewhere (the page, the body).
    """
    if not data:
        return ""
    name = codec(label)
    if data.isascii() and name not in _SEVEN_BIT and not name.startswith(_WIDE):
        if b"\x1b$" in data or b"\x1b(" in data:
            name = name if name in _SEVEN_BIT else "iso2022_jp_ext"
        else:
            return data.decode("ascii")
    if data[:3] == b"\xef\xbb\xbf":
        return tidy(data[3:].decode("utf-8", "replace"))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return tidy(data.decode("utf-16", "replace"))
    if name in ("", "utf-8") or (_one_byte(name) and b"\xef\xbf\xbd" not in data):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if name == "utf-8" and (error.start > 0.9 * len(data) or _mostly_utf8(data)):
                return tidy(data.decode("utf-8", "replace"))
    for candidate in (name if name != "utf-8" else "", codec(hint)):
        if candidate:
            try:
                return tidy(data.decode(candidate))
            except (UnicodeError, ValueError):
                continue
    if name and name != "utf-8" and not name.startswith("cp125"):
        loose = tidy(data.decode(name, "replace"))
        if loose.count("\ufffd") * 50 < len(loose):
            return loose
    return tidy(_guess(data))


@lru_cache(maxsize=128)
def _one_byte(name: str) -> bool:
    """Whether text in this codec that happens to be valid UTF-8 is practically always UTF-8 with a wrong label."""
    return name.startswith(("cp125", "iso8859", "iso-8859", "koi8", "mac_", "cp8", "cp4", "cp7", "latin", "ascii"))


def _mostly_utf8(data: bytes) -> bool:
    text = data[:65536].decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(1 for char in text if char > "\x7f") - bad
    return good > 4 * bad


def _guess(data: bytes) -> str:
    """Unlabelled 8-bit text: ask charset-normalizer about its beginning, and settle for Windows-1252."""
    sample = data[:4096]
    if sum(byte > 127 for byte in sample) >= 12:
        from charset_normalizer import from_bytes  # costs 30 ms to import and is rarely needed

        best = from_bytes(sample, cp_exclusion=["utf_16", "utf_32", "utf_7"]).best()
        if best is not None and codec(best.encoding):
            try:
                return data.decode(best.encoding)
            except UnicodeError:
                pass
    return data.decode("cp1252", "replace") if not _has_cp1252_holes(data) else data.decode("latin-1")


def _has_cp1252_holes(data: bytes) -> bool:
    return any(hole in data for hole in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))


def tidy(text: str) -> str:
    """Text without lone surrogates (some decoders let them through, PostgreSQL does not)."""
    if _SURROGATE.search(text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def without_controls(text: str) -> str:
    """Text without NUL and the other control characters that no person typed; tab, line ends and form feed stay."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text)
