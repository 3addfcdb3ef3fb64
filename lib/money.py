"""Amounts of money: whole numbers of a currency's smallest unit, read from what people write and written for them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from django.utils.formats import number_format

# Digits behind the point where they are not two: ISO 4217, list one, https://www.six-group.com/en/products-services/financial-information/data-standards.html
NONE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
MOST = 10**15  # of the smallest unit: what nobody turns over, and a sum of which still fits
AMOUNT = re.compile(r"[-+]?\d[\d.,']*|[-+]?[.,]\d+")
CODE = re.compile(r"[A-Z]{3}")


def is_currency(code: str) -> bool:
    return CODE.fullmatch(code) is not None


def places(currency: str) -> int:
    """Digits behind the point."""
    return 0 if currency in NONE else 3 if currency in THREE else 2


def minor(text: str, currency: str) -> int:
    """“1.234,50 €”, “1,234.5” or “(12.00)” in the smallest unit. Raises ValueError where it is no amount.

    The last point or comma parts the fraction, unless it parts thousands: it stands several times, or three digits
    follow where the currency has another number of them.
    """
    bare = re.sub(r"[\s\u00a0\u202f\u066c]", "", text).replace("\u066b", ".").replace("\u2212", "-")
    bare = bare.translate({ord(letter): str(n) for first in "٠۰" for n in range(10) for letter in chr(ord(first) + n)})
    found = AMOUNT.findall(bare)
    if len(found) != 1:
        raise ValueError(text)
    number = found[0].replace("'", "").rstrip(".,")
    less = number.startswith("-") or re.match(r"\(.*\)$|-", bare) is not None or bare.endswith("-")
    number = number.lstrip("+-")
    last = max(number.rfind("."), number.rfind(","))
    digits = places(currency)
    if last >= 0:
        mark, behind = number[last], len(number) - last - 1
        other = "." if mark == "," else ","
        if number.count(mark) > 1 or (behind == 3 and digits != 3 and other not in number):
            whole, fraction = number, ""
        else:
            whole, fraction = number[:last], number[last + 1 :]
    else:
        whole, fraction = number, ""
    try:
        value = Decimal(f"{re.sub('[.,]', '', whole) or '0'}.{fraction or '0'}").scaleb(digits)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if value != value.to_integral_value() or value > MOST:
        raise ValueError(text)
    return -int(value) if less else int(value)


def exact(value: Decimal, currency: str) -> int:
    """A decimal number in the smallest unit. Raises ValueError where it has more digits than the currency."""
    scaled = value.scaleb(places(currency))
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or abs(scaled) > MOST:
        raise ValueError(str(value))
    return int(scaled)


def plain(amount: int, currency: str) -> str:
    """As machines read it: 1234.50."""
    return f"{Decimal(amount).scaleb(-places(currency)):.{places(currency)}f}"


def words(amount: float, currency: str, *, whole: bool = False) -> str:
    """As people here read it: “1,234.50 EUR”; `whole` leaves out what is behind the point."""
    digits = places(currency)
    shown = number_format(Decimal(round(amount)).scaleb(-digits), 0 if whole else digits, force_grouping=True)
    return f"{shown} {currency}".strip()
