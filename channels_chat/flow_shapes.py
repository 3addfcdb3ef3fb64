"""The shape of a bot's flow; `channels_chat.flows.problems` then reads it as a whole."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from channels_chat import flows
from channels_chat.shapes import Problems, by_language, flag, listed, number, one_of, shape, text

_mark = text(40, pattern=flows.KEY, wrong=gettext_lazy("Small letters, digits, - and _ alone, at most 40."))
_go = text(41)
_label = by_language(text(flows.MOST_LABEL))
_ask = shape(
    {
        "field": _mark,
        "kind": one_of(*flows.FIELD_KINDS),
        "into": text(70, pattern=flows.INTO, wrong=gettext_lazy("Such as email, topic or ticket:order.")),
        "options": listed(text(flows.MOST_LABEL), flows.MOST_BUTTONS, lines=True),
    },
    needs=["field"],
)
_step = shape(
    {
        "key": _mark,
        "say": by_language(text(flows.MOST_TEXT, lines=True)),
        "buttons": listed(shape({"key": _mark, "label": _label, "go": _go}, needs=["label"]), flows.MOST_BUTTONS),
        "ask": _ask,
        "helped": flag,
        "human": flag,
        "go": _go,
    },
    needs=["key", "say"],
)
_flow = shape(
    {
        "on": flag,
        "name": by_language(text(60)),
        "start": _mark,
        "silent": number(5, 600),
        "words": listed(text(flows.MOST_LABEL), flows.MOST_WORDS, lines=True),
        "steps": listed(_step, flows.MOST_STEPS),
    }
)


def flow(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    """A bot's flow: every part of its shape, every step leading somewhere."""
    before = len(problems.found)
    found: dict[str, Any] | None = _flow(value, path, problems)
    if found is not None and len(problems.found) == before:
        for sentence in flows.problems(found):
            problems.say(path, sentence)
    return found
