"""A colour that somebody chose, and the shades of it that can be read (WCAG 2.2 AA) whatever it is."""

from __future__ import annotations

import re

DEFAULT = "#0f766e"
TEXT = 4.6  # contrast of text: 4.5, and a little for rounding
LIGHT = (255, 255, 255)
DARK = (24, 26, 31)  # the window's ground in the dark theme

Colour = tuple[int, int, int]


def shades(chosen: str) -> dict[str, str]:
    """`fill` and `on`: the colour, and text on it; `light` and `dark`: text of that colour on the windows' grounds."""
    fill = _read(chosen)
    on = LIGHT if contrast(LIGHT, fill) >= contrast(DARK, fill) else DARK
    while contrast(on, fill) < TEXT:  # a middle grey: neither black nor white is enough, so the colour gives way
        fill = _towards(fill, (0, 0, 0) if on == LIGHT else LIGHT)
    return {
        "fill": _hex(fill),
        "on": _hex(on),
        "light": _hex(_readable(fill, LIGHT, (0, 0, 0))),
        "dark": _hex(_readable(fill, DARK, LIGHT)),
    }


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours, 1 to 21, as WCAG defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: Colour, ground: Colour, towards: Colour) -> Colour:
    while contrast(colour, ground) < TEXT:
        colour = _towards(colour, towards)
    return colour


def _towards(colour: Colour, goal: Colour) -> Colour:
    """A step nearer to the goal; it arrives."""
    red, green, blue = (
        part + (round((end - part) * 0.08) or (end > part) - (end < part))
        for part, end in zip(colour, goal, strict=True)
    )
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _read(text: str) -> Colour:
    digits = text.strip().lstrip("#")
    if re.fullmatch(r"[0-9a-fA-F]{3}", digits):
        digits = "".join(digit * 2 for digit in digits)
    if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
        digits = DEFAULT[1:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
