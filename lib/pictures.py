"""How large a raster picture is, by its head alone: nothing of it is unfolded, which only browsers do."""

from __future__ import annotations

from struct import error, unpack_from

NOT_FRAMES = {0xC4, 0xC8, 0xCC}  # between the frame headers of JPEG: tables and reserved


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG, JPEG, GIF or WebP; (0, 0) for what is none, or is cut off."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
            return unpack_from(">II", content, 16)
        if content.startswith((b"GIF87a", b"GIF89a")):
            return unpack_from("<HH", content, 6)
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
    except error:
        pass
    return 0, 0


def _jpeg(content: bytes) -> tuple[int, int]:
    """The frame header among the segments (ITU-T T.81, B.1.1.2 and B.2.2)."""
    place = 2
    while True:
        mark, kind = unpack_from(">BB", content, place)
        if mark != 0xFF:
            return 0, 0
        if kind == 0xFF:  # padding
            place += 1
        elif 0xC0 <= kind <= 0xCF and kind not in NOT_FRAMES:
            height, width = unpack_from(">HH", content, place + 5)
            return width, height
        else:
            (length,) = unpack_from(">H", content, place + 2)
            place += 2 + max(length, 2)


def _webp(content: bytes) -> tuple[int, int]:
    """The head of each of the three kinds (RFC 9649, 2.5 to 2.7)."""
    kind = content[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = unpack_from("<HBHB", content, 24)
        return (low_width | high_width << 16) + 1, (low_height | high_height << 16) + 1
    if kind == b"VP8 ":
        width, height = unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0
