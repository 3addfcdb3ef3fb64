"""Amounts as people write them, in the smallest unit of their currency."""

from decimal import Decimal

import pytest

from lib import money


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12", "EUR", 1200),
        ("12.5", "EUR", 1250),
        ("1.234,50 €", "EUR", 123450),
        ("1,234.50", "USD", 123450),
        ("1'234.50", "CHF", 123450),
        ("1,234", "EUR", 123400),
        ("1.234.567", "EUR", 123456700),
        ("Rs 1,200", "PKR", 120000),
        ("1 234,50", "EUR", 123450),
        ("-3.20", "EUR", -320),
        ("(12.00)", "EUR", -1200),
        ("−7", "EUR", -700),
        ("1,500", "JPY", 1500),
        ("1.250", "KWD", 1250),
        ("۱۲٫۵۰", "PKR", 1250),
        (".5", "EUR", 50),
    ],
)
def test_what_people_write(text: str, currency: str, amount: int) -> None:
    assert money.minor(text, currency) == amount


@pytest.mark.parametrize("text", ["", "free", "1.005,123", "12 of 30", "9" * 30, "0.123456"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError):
        money.minor(text, "EUR")


def test_for_machines_and_for_people() -> None:
    assert money.plain(-123450, "EUR") == "-1234.50" and money.plain(1500, "JPY") == "1500"
    assert money.exact(Decimal("12.5"), "EUR") == 1250
    with pytest.raises(ValueError):
        money.exact(Decimal("12.505"), "EUR")
    assert money.words(123450, "EUR") == "1,234.50 EUR"
