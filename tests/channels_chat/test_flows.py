"""The flow as values: what is read of stored JSON, and what is wrong with one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from channels_chat import flows

DOCS = Path(__file__).resolve().parents[2] / "docs" / "channels" / "chat.md"


def documented() -> dict[str, Any]:
    section = DOCS.read_text().split("## Greeting bot", 1)[1]
    return dict(json.loads(re.search(r"```json\n(.+?)```", section, re.S).group(1)))


def test_the_documented_flow_is_right_and_is_read() -> None:
    given = documented()
    assert flows.problems(given) == []
    flow = flows.read(given)
    assert flow.works
    assert list(flow.steps) == ["hello", "order", "email", "returns", "help"]
    assert list(flow.steps["hello"].leads()) == ["order", "returns"]
    assert flow.steps["order"].ask == flows.Ask("order", "text", "ticket:order_number")
    assert flow.steps["help"].helped
    assert flows.text_in(flow.steps["hello"].say, "ur").startswith("السلام")
    assert flows.text_in(flow.steps["hello"].say, "de").startswith("Hello")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "object"),
        ({"steps": "x"}, "list"),
        ({"on": True}, "at least one step"),
        ({"steps": [{"key": "a", "say": {"en": "x"}}] * 2}, "two steps"),
        ({"start": "b", "steps": [{"key": "a", "say": {"en": "x"}}]}, "begins with"),
        ({"steps": [{"key": "a", "say": {"en": "x"}}], "silent": 1}, "5 to 600"),
        ({"steps": [{"key": "A b", "say": {"en": "x"}}]}, "small letters"),
        ({"steps": [{"key": "a", "say": {}}]}, "says nothing"),
        ({"steps": [{"key": "a", "say": {"en": "x" * 3000}}]}, "too long"),
        ({"steps": [{"key": "a", "say": {"en": "x"}, "go": "b"}]}, "no step"),
        ({"steps": [{"key": "a", "say": {"en": "x"}, "buttons": [{"key": "k", "label": {}}]}]}, "no words"),
        (
            {"steps": [{"key": "a", "say": {"en": "x"}, "buttons": [{"key": "k", "label": {"en": "y"}}] * 2}]},
            "same key",
        ),
        ({"steps": [{"key": "a", "say": {"en": "x"}, "ask": {"field": ""}}]}, "for which field"),
        ({"steps": [{"key": "a", "say": {"en": "x"}, "ask": {"field": "f", "into": "ticket:"}}]}, "kind of answer"),
        ({"steps": [{"key": "a", "say": {"en": "x"}, "ask": {"field": "f", "kind": "choice"}}]}, "among nothing"),
        ({"steps": [{"key": "a", "say": {"en": "x"}, "ask": {"field": "f"}, "helped": True}]}, "one thing"),
        (
            {"steps": [{"key": "a", "say": {"en": "x"}, "go": "b"}, {"key": "b", "say": {"en": "y"}, "go": "a"}]},
            "leads back",
        ),
        (
            {
                "steps": [
                    {"key": f"s{n}", "say": {"en": "x"}, "go": f"s{n + 1}" if n < 6 else "@human"} for n in range(7)
                ]
            },
            "More than 4 steps follow “s0”",
        ),
    ],
)
def test_what_is_wrong_is_said(given: Any, says: str) -> None:
    assert any(says in one for one in flows.problems(given)), flows.problems(given)


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"on": 1, "steps": {}, "name": 3},
        {"steps": [None, 3, {"key": None, "buttons": "x", "ask": []}]},
        {
            "on": True,
            "silent": "x",
            "words": 5,
            "steps": [{"key": "a", "say": "Hi", "buttons": [{}, "x"], "ask": {"field": 3}}],
        },
    ],
)
def test_reading_never_stumbles(given: Any) -> None:
    flows.read(given)
    flows.problems(given)
