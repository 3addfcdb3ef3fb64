"""The shop with the chat on it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from sandbox.shop_words import PRODUCTS

EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ur"])
def test_what_it_sells_is_drawn_and_needs_no_emoji_font(language: str) -> None:
    pages = [f"product/{one.slug}/" for one in PRODUCTS]
    drawn = []
    for path in ["", *pages, "cart/", "checkout/", "thanks/"]:
        text = Client().get(f"/sandbox/shop/{path}?lang={language}").content.decode()
        assert not EMOJI.search(text)
        drawn += re.findall(r'<svg viewBox="0 0 96 72".*?</svg>', text, re.DOTALL)
    assert len(drawn) == 2 * len(PRODUCTS) and len(set(drawn)) == len(PRODUCTS)  # on the shelf, and alone
    assert all("<path" in one for one in drawn) and not any("style=" in one for one in drawn)  # its policy forbids it
