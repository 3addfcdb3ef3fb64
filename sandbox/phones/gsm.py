"""How many SMS a text takes: GSM 03.38 or UCS-2."""

from __future__ import annotations

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "^{}\\[~]|€\f"  # each takes two


def segments(text: str) -> int:
    """160 and then 153 septets each, or with any other character 70 and then 67 UTF-16 units."""
    if all(letter in BASIC or letter in EXTENDED for letter in text):
        length, alone, joined = sum(1 + (letter in EXTENDED) for letter in text), 160, 153
    else:
        length, alone, joined = len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)
