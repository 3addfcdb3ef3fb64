"""How long a text is for a channel that takes so much at a time, and into which messages it is split.

`counting.js` counts alike while one types; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["utf16", "codepoints", "bytes", "sms"]  # bytes: of UTF-8

# GSM 03.38: one septet each; those of the extension take two.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
SMS = {True: (160, 153), False: (70, 67)}  # alone, and as one part of several: septets, or UTF-16 units
JOINERS = frozenset("\u200d\ufe0f\u20e3")  # of one picture out of several characters
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

    A picture made of several characters stays whole. A text that fits is one message, as it is.
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
    while end > 1 and (text[end] in JOINERS or text[end - 1] == "\u200d" or _is_mark(text[end])):
        end -= 1
    return end


def _is_mark(one: str) -> bool:
    return "\u0300" <= one <= "\u036f" or "\u064b" <= one <= "\u065f" or "\U0001f3fb" <= one <= "\U0001f3ff"
