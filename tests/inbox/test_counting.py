"""However a text is split: nothing of it is lost, no part is too long, and no sign that people see is cut in two."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox import counting
from inbox.counting import Limit

examples = settings(max_examples=150, derandomize=True, database=None, deadline=None)
# Each is one sign to people, of one character or of many.
SIGNS = [
    "a", "b", "Z", "7", " ", "  ", "\n", "\n\n", ". ", "! ", "۔ ", "؟ ", "é", "€", "{", "^", "ß", "\t", "ش", "ہ", "漢",
    "e\u0301", "بِ", "هٰ", "لُّ", "कि", "ठ्", "ก็", "ᄀ", "😀", "👍🏽", "❤️", "1️⃣", "👨‍👩‍👧", "🏳️‍🌈", "🇵🇰", "🇬🇧",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "👩🏽‍❤️‍💋‍👨🏿",
]  # fmt: skip
LIMITS = [Limit(40), Limit(97), Limit(25, "codepoints"), Limit(90, "bytes"), Limit(0, "sms")]
runs = st.lists(st.tuples(st.sampled_from(SIGNS), st.integers(1, 25)), max_size=12)


def bare(text: str) -> str:
    return "".join(text.split())


def whole(text: str, limit: Limit) -> list[str]:
    """The parts, found to be of the text and to fit."""
    parts = counting.split(text, limit)
    assert bare("".join(parts)) == bare(text)
    assert all(part.strip() for part in parts) or len(parts) == 1
    gsm = limit.unit == "sms" and counting.is_gsm(text)
    for part in parts:
        assert sum(counting.cost(one, limit.unit, gsm) for one in part) <= counting.room(text, limit)
    return parts


@examples
@given(runs, st.sampled_from(LIMITS))
def test_signs_stay_whole(run: list[tuple[str, int]], limit: Limit) -> None:
    signs = [sign for sign, times in run for _time in range(times)]
    ends = {0, *accumulate(len(bare(sign)) for sign in signs)}
    cuts = set(accumulate(len(bare(part)) for part in whole("".join(signs), limit)))
    assert cuts <= ends


@examples
@given(st.text(max_size=400), st.sampled_from([*LIMITS, Limit(1), Limit(2), Limit(1, "bytes"), Limit(3, "codepoints")]))
def test_whatever_the_text(text: str, limit: Limit) -> None:
    parts = counting.split(text, limit)
    assert bare("".join(parts)) == bare(text)
    if limit.longest > 4 or limit.unit == "sms":
        whole(text, limit)


@pytest.mark.parametrize("text", ["e" + "\u0301" * 9000, "\u0301" * 9000, "\u200d" * 9000, "🇵" * 9001, "👍🏽" * 5000])
def test_what_is_one_sign_without_end_is_cut_where_it_has_to_be(text: str) -> None:
    """And not into a message for each of its characters."""
    assert len(whole(text, Limit(4096))) <= counting.size(text, Limit(4096)) // 4000 + 1


def test_a_sign_that_fits_nowhere_is_told_to_the_platform() -> None:
    assert counting.split("😀😀", Limit(1)) == ["😀", "😀"]
