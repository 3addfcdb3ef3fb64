"""How long a text is for a channel that takes so much at a time, and into which messages it is split.

`counting.js` counts alike while one types; a test compares the two.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

Unit = Literal["utf16", "codepoints", "bytes", "sms"]  # bytes: of UTF-8

# GSM 03.38: one septet each; those of the extension take two.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
SMS = {True: (160, 153), False: (70, 67)}  # alone, and as one part of several: septets, or UTF-16 units
JOINER = "\u200d"  # of one picture out of several characters
MOST_BACK = 40  # characters that are gone back to keep something whole: what is longer is no sign that people use
BREAK_WITHIN = 0.6  # of a message: a break earlier than this is not worth its blank


@dataclass(frozen=True, slots=True)
class Limit:
    """What one message of a channel takes: `longest` of these units; one text is at most `most` messages (0: any).

    For text messages by phone (`sms`) the length of one follows from the alphabet, and `longest` is not looked at.
    """

    longest: int
    unit: Unit = "utf16"
    most: int = 0


def is_gsm(text: str) -> bool:
    return all(one in GSM or one in GSM_EXTENDED for one in text)


def cost(one: str, unit: Unit, gsm: bool = False) -> int:
    """What one character counts."""
    if unit == "codepoints":
        return 1
    if unit == "bytes":
        return len(one.encode(errors="replace"))
    if unit == "sms" and gsm:
        return 2 if one in GSM_EXTENDED else 1
    return 2 if ord(one) > 0xFFFF else 1


def size(text: str, limit: Limit) -> int:
    """The length of a text in the units of the channel."""
    gsm = limit.unit == "sms" and is_gsm(text)
    return sum(cost(one, limit.unit, gsm) for one in text)


def room(text: str, limit: Limit) -> int:
    """What one message takes of this text."""
    if limit.unit != "sms":
        return limit.longest
    alone, part = SMS[is_gsm(text)]
    return alone if size(text, limit) <= alone else part


def split(text: str, limit: Limit) -> list[str]:
    """The messages that a text becomes: broken at a blank line, a line, a sentence or a word where that is near.

    What is one sign to people stays whole: a letter with its marks, a flag, a picture made of several. A text that fits
    is one message, as it is.
    """
    if size(text, limit) <= room(text, limit):
        return [text] if text else []
    most, gsm = room(text, limit), limit.unit == "sms" and is_gsm(text)
    parts: list[str] = []
    rest = text
    while rest:
        used, end = 0, 0
        while end < len(rest):
            used += cost(rest[end], limit.unit, gsm)
            if used > most:
                break
            end += 1
        end = max(end, 1)  # where not even one fits, the platform may say so
        if end < len(rest):
            end = _break(rest, end)
        parts.append(rest[:end].rstrip() if end < len(rest) else rest)
        rest = rest[end:].lstrip() if end < len(rest) else ""
    return [part for part in parts if part]


def _break(text: str, end: int) -> int:
    """Where to break a text of which `end` characters fit."""
    start = max(1, int(end * BREAK_WITHIN))
    for mark in ("\n\n", "\n", ". ", "۔ ", "? ", "؟ ", "! ", " "):
        at = text.rfind(mark, start, end + 1)
        if at > 0:
            return at + (len(mark) if mark.strip() == "" else len(mark) - 1)
    for at in range(end, max(0, end - MOST_BACK), -1):
        if not _goes_on(text, at):
            return at
    return end


def _goes_on(text: str, at: int) -> bool:
    """Whether what stands at this place belongs to what stands before it."""
    one, before = text[at], text[at - 1]
    if one == JOINER or before == JOINER or unicodedata.category(one).startswith("M"):
        return True
    if "\U0001f3fb" <= one <= "\U0001f3ff" or "\U000e0020" <= one <= "\U000e007f":  # colours of skin, flags of regions
        return True
    return _is_half_flag(one) and sum(1 for _half in takewhile(_is_half_flag, reversed(text[:at]))) % 2 == 1


def _is_half_flag(one: str) -> bool:
    return "\U0001f1e6" <= one <= "\U0001f1ff"
