"""Spellings that are one meet; folding is done once; nothing that is typed makes it fail."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib import folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كتاب", "کتاب"),  # Arabic and Urdu kaf
        ("علي", "علی"),
        ("مصطفى", "مصطفی"),
        ("فاطمة", "فاطمہ"),
        ("فاطمۃ", "فاطمه"),
        ("ھمارا", "ہمارا"),
        ("آرڈر", "ارڈر"),
        ("أحمد", "احمد"),
        ("إسلام", "اسلام"),
        ("ثناء", "ثنا"),
        ("مسئلہ", "مسیلہ"),
        ("محـــمد", "محمد"),  # tatweel
        ("مُحَمَّد", "محمد"),
        ("براہِ", "براہ"),
        ("می\u200cخواهم", "میخواہم"),  # a joiner
        ("\u202bسلام\u202c", "سلام"),
        ("ﻻﻫﻮﺭ", "لاہور"),  # presentation forms
        ("۱۲۳٤٥", "12345"),
        ("१२३", "123"),
        ("Café", "cafe"),
        ("cafe\u0301", "CAFÉ"),
        ("Straße", "STRASSE"),
        ("Søren Ødegård", "soren odegard"),
        ("Łukasz", "lukasz"),
        ("Yıldız İzmir", "yildiz izmir"),
        ("Ægir Þór", "aegir thor"),
        ("ﬁnance", "finance"),
        ("ＡＢＣ１２", "abc12"),
        ("Ёлка", "елка"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("in\u00advoice", "invoice"),
    ],
)
def test_equal_spellings_meet(one: str, other: str) -> None:
    assert folding.fold(one) == folding.fold(other)
    assert folding.of_text(one) == folding.of_text(other)


@pytest.mark.parametrize(("one", "other"), [("ہے", "ہی"), ("سال", "صال"), ("کل", "گل"), ("order", "0rder")])
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert folding.fold(one) != folding.fold(other)


@given(st.text())
@example("ͅ")
@example("ᾳ\u0345\u0301")
@example("ﷺ İ ǰ ŉ")
def test_folding_twice_is_folding_once(text: str) -> None:
    once = folding.fold(text)
    assert folding.fold(once) == once
    assert folding.of_text(once) == folding.of_text(text)


@given(st.text())
def test_how_a_text_was_composed_makes_no_difference(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folding.fold(unicodedata.normalize(form, text)) == folding.fold(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_words_are_letters_and_digits(text: str) -> None:
    for word in folding.of_text(text):
        assert 0 < len(word) <= folding.WORD
        assert not set(word) & set("'\\:&|!<>()* \t\n\0")


def test_the_words_of_a_text() -> None:
    assert folding.of_text("Parcel KV-2024/117, please!") == {
        "parcel", "kv", "2024", "117", "kv2024117", "2024117", "please"
    }  # fmt: skip
    assert {"ayesha", "khan", "example", "com", "ayeshakhanexamplecom", "examplecom"} <= folding.of_text(
        "Write to <ayesha.khan@example.com>."
    )


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("+923001234567", "0300 1234567"),
        ("0300-1234567", "+92 300 1234567"),
        ("0092 (300) 123 4567", "03001234567"),
        ("۰۳۰۰۱۲۳۴۵۶۷", "+92-300-1234567"),
        ("Tel. 030 / 1234-5678", "+49 30 12345678"),
    ],
)
def test_telephone_numbers_meet_however_they_are_written(written: str, typed: str) -> None:
    [(digits, _start, _end)] = folding.phones(folding.fold(typed))
    assert folding.of_text(written) & folding.spellings(digits)


def test_what_stands_inside_a_word() -> None:
    assert folding.inside({"parcel", "to"}) == {"arcel", "rcel", "cel"}
    assert folding.beginnings({"parcel", "p", "to"}) == {"p", "pa", "t", "to"}
