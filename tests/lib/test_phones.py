"""One number, one form."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.phones import e164, zone_of


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


STARTS = st.sampled_from(
    ["", "+", "00", "0", "tel:", "tel:+", "+52", "+521", "+55", "+5511", "+54", "+549", "+1", "+44", "+92"]
)
DIGITS = st.text(st.sampled_from("0123456789٣۳ -()./x\x00+"), max_size=22)
REGIONS = st.sampled_from(["", "PK", "US", "BR", "MX", "AR", "IT", "XX", "pk"])


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.builds("{}{}".format, STARTS, DIGITS) | st.text(max_size=30), REGIONS, st.booleans())
@example("+52 1 521 1234567", "", False)
def test_what_was_written_once_is_written_so_for_ever(text: str, region: str, mobile: bool) -> None:
    found = e164(text, region, mobile=mobile)
    assert found == "" or re.fullmatch(r"\+[1-9][0-9]{4,16}", found)
    for where in (region, "", "PK"):
        assert e164(found, where, mobile=mobile) == found


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+923335551234", "Asia/Karachi"), ("+12125550177", "America/New_York"), ("+447911123456", "Europe/London"),
        ("+18005550199", ""), ("+79161234567", ""), ("", ""), ("+", ""), ("12", ""), ("+999123456", ""),
    ],
)  # fmt: skip
def test_where_a_number_belongs(number: str, zone: str) -> None:
    assert zone_of(number) == zone
