"""An organisation's own fields: what may stand in an attribute, how it is edited and read, who may change fields."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import QueryDict
from django.utils import translation

from inbox import fields
from inbox.actions import fields as acting
from inbox.actions.errors import ActionError
from inbox.models import Agent, Event, Field
from tests.cast import team, zoya

__all__ = ["team", "zoya"]

COLOURS = ["red", "green"]


def a_field(kind: str = "text", key: str = "one", **said: Any) -> Field:
    return Field(noun="ticket", key=key, label=key.title(), kind=kind, choices=COLOURS, **said)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", ["A-1", ""], [3, True, "x" * 1001, ["a"]]),
        ("long", ["a\nb"], [1, "x" * 20_001]),
        ("number", [0, 1.5, -3], ["1", True, float("nan"), float("inf")]),
        ("date", ["2026-02-28"], ["2026-02-30", "20260228", 5, "28.2.2026"]),
        ("check", [True, False], ["yes", 1]),
        ("choice", ["red"], ["blue", ["red"]]),
        ("choices", [["red", "green"], []], ["red", ["blue"], [{"a": 1}]]),
        (
            "link",
            ["https://example.com/a?b=c"],
            ["javascript:alert(1)", "//example.com", "https://x y", "https://e\u202ex.com"],
        ),
    ],
)
def test_what_a_value_may_be(kind: str, good: list[Any], bad: list[Any]) -> None:
    one = a_field(kind)
    assert [fields.fault(one, value) for value in [None, *good]] == [""] * (len(good) + 1)
    assert all(fields.fault(one, value) for value in bad)


def test_a_form_keeps_types_and_what_it_does_not_know() -> None:
    known = [a_field("number", "count"), a_field("date", "due"), a_field("check", "gift"),
             a_field("choices", "colours"), a_field("choice", "size"), a_field("link", "page")]  # fmt: skip
    before = {"other": {"deep": [1]}, "count": 7, "size": "huge", "page": "https://example.com"}
    typed = QueryDict(
        "attribute-count=3&attribute-due=2026-03-01&attribute-gift=no&attribute-colours=red&attribute-size=huge&attribute-page="
    )
    form = fields.AttributesForm(known, before, typed)
    assert form.is_valid(), form.errors
    assert form.attributes() == {
        "other": {"deep": [1]}, "count": 3, "size": "huge", "due": "2026-03-01", "gift": False, "colours": ["red"],
    }  # fmt: skip
    alone = fields.AttributesForm(known, before, QueryDict("attribute-count="), only=["count"])
    assert alone.is_valid()
    assert alone.attributes() == {"other": {"deep": [1]}, "size": "huge", "page": "https://example.com"}
    wrong = fields.AttributesForm(known, {}, QueryDict("attribute-page=javascript:x&attribute-size=huge"))
    assert set(wrong.errors) == {"attribute-page", "attribute-size"}


def test_people_read_values_in_their_words_and_nothing_from_outside_as_markup() -> None:
    known = [a_field("date", "due"), a_field("number", "sum"), a_field("link", "page"), a_field("check", "gift")]
    said = {"due": "2026-03-01", "sum": 1234.5, "page": 'https://example.com/"><b>', "gift": False, "raw": "<b>"}
    with translation.override("en"):
        shown = {line.label: str(line.value) for line in fields.shown(known, said)}
    assert shown["Due"] == "Mar 1, 2026"
    assert shown["Sum"] == "1234.5"
    assert "<b>" not in shown["Page"]
    assert shown["Gift"] == "No"
    assert fields.in_words(known[2], "javascript:alert(1)") == "javascript:alert(1)"  # as text, not as a link
    assert [line.key for line in fields.shown(known, {"gift": True})] == ["gift"]
    assert fields.missing([a_field("check", "gift", required=True)], {"gift": False}) == []
    assert len(fields.missing([a_field("check", "gift", required=True)], {"gift": None})) == 1


def test_fields_are_made_changed_ordered_and_deleted_by_administrators(zoya: Agent, sana: Agent) -> None:
    first = acting.create(by=zoya, noun="ticket", key="order", label="Order", kind="text")
    with pytest.raises(ActionError) as taken:
        acting.create(by=zoya, noun="ticket", key="order", label="Again")
    assert taken.value.code == "taken"
    with pytest.raises(ActionError) as empty:
        acting.create(by=zoya, noun="ticket", key="size", label="Size", kind="choice", choices=["  "])
    assert empty.value.code == "no_choices"
    second = acting.create(by=zoya, noun="ticket", key="size", label="Size", kind="choice", choices=["S", " S", "L"])
    assert second.choices == ["S", "L"]
    acting.order("ticket", [second.pk, first.pk], by=zoya)
    assert [one.key for one in fields.of("ticket")] == ["size", "order"]
    assert acting.update(second, by=zoya, kind="text").choices == []
    with pytest.raises(PermissionDenied):
        acting.delete(first, by=sana)
    acting.delete(first, by=zoya)
    assert [one.key for one in fields.of("ticket")] == ["size"]
    assert set(Event.objects.values_list("kind", flat=True)) == {
        "field_created", "field_changed", "fields_ordered", "field_deleted",
    }  # fmt: skip
