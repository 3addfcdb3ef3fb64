"""One number, one form."""

import pytest

from lib.phones import e164


@pytest.mark.parametrize(
    ("text", "region", "mobile", "expected"),
    [
        ("+351910000001", "", False, "+351910000001"),
        ("00351 910 000 001", "", False, "+351910000001"),
        ("0300 1234567", "PK", False, "+923001234567"),
        ("tel:+92-300-1234567", "", False, "+923001234567"),
        ("+55 11 91234-5678", "", False, "+5511912345678"),
        ("+551191234567", "", False, "+5511991234567"),  # a mobile as it was before 2016
        ("+551132345678", "", False, "+551132345678"),  # a landline stays
        ("+5215512345678", "", False, "+525512345678"),
        ("+525512345678", "", False, "+525512345678"),
        ("+5491123456789", "", True, "+5491123456789"),
        ("+541123456789", "", True, "+5491123456789"),
        ("+541123456789", "", False, "+541123456789"),  # it may be a landline
        ("910000001", "", False, ""),
        ("+12", "", False, ""),
        ("nobody", "PK", False, ""),
        ("", "", False, ""),
    ],
)
def test_numbers_have_one_form(text: str, region: str, mobile: bool, expected: str) -> None:
    assert e164(text, region, mobile=mobile) == expected
    assert e164(expected, mobile=mobile) == expected
