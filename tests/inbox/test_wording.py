"""Reasons that were written down, as somebody reads them in another language."""

from __future__ import annotations

from django.template import Context, Template
from django.utils.translation import override

from channels_social.graph import Refused
from channels_social.whatsapp.api import refusal
from inbox.templatetags import inbox_tags


def test_a_reason_is_read_in_the_readers_language() -> None:
    stored = str(refusal(Refused(400, 131047)).reason)
    shown = Template("{% load inbox_tags %}{{ reason|retold }}")
    assert shown.render(Context({"reason": stored})) == stored
    with override("ur"):
        said = shown.render(Context({"reason": stored}))
        assert said != stored
        assert any("\u0600" <= letter <= "\u06ff" for letter in said)
        assert shown.render(Context({"reason": "550 No such user"})) == "550 No such user"
        assert shown.render(Context({"reason": ""})) == ""


def test_a_number_among_urdu_words_keeps_its_order() -> None:
    people = [{"address": "+923001234567"}, {"address": "ayesha@example.com", "name": "Ayesha"}]
    assert inbox_tags.addresses(people) == "\u2066+923001234567\u2069, ayesha@example.com"
