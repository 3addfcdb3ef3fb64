"""The flow that a chat channel's bot goes through, as values: read from the settings, and checked for what is wrong.

Its JSON is described in docs/channels/chat.md, "Greeting bot". Nothing here knows of chats:
`channels_chat.actions.flow` walks along it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from channels_chat.bots import MOST_IN_A_ROW
from channels_chat.config import Texts

HUMAN, END = "@human", "@end"  # where a button or a step may lead besides steps
FIELD_KINDS = ("text", "email", "phone", "choice")
CLAIMS = ("name", "email", "phone")
MOST_STEPS, MOST_BUTTONS, MOST_TEXT, MOST_LABEL, MOST_WORDS = 60, 12, 2000, 80, 30
SILENT = 30  # seconds without a word of the bot's until a human gets the chat
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
INTO = re.compile(r"(name|email|phone|topic|(ticket|customer):[a-z0-9][a-z0-9_-]{0,59})?")


def text_in(texts: Texts, language: str) -> str:
    """These words in a language; else in English, else in whichever there are."""
    short = language.split("-")[0]
    return texts.get(language) or texts.get(short) or texts.get("en") or next(filter(None, texts.values()), "")


@dataclass(frozen=True, slots=True)
class Button:
    key: str
    label: Texts
    go: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What the visitor's next words fill. `into` is a claim, "topic", "ticket:<key>" or "customer:<key>"."""

    field: str
    kind: str = "text"
    into: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What the bot says and waits for: a button, an answer, a yes or no (`helped`). Else it goes on at once."""

    key: str
    say: Texts
    buttons: tuple[Button, ...] = ()
    ask: Ask | None = None
    helped: bool = False
    go: str = HUMAN

    @property
    def waits(self) -> bool:
        return bool(self.buttons) or self.ask is not None or self.helped

    def leads(self) -> Iterator[str]:
        """Wherever it may go from here."""
        yield from (one.go for one in self.buttons)
        if self.helped:
            yield from (END, HUMAN)
        elif self.ask is not None or not self.buttons:
            yield self.go


@dataclass(frozen=True, slots=True)
class Flow:
    on: bool = False
    name: Texts = field(default_factory=dict)
    start: str = ""
    silent: int = SILENT
    words: tuple[str, ...] = ()  # of the organisation's own that ask for a human
    steps: Mapping[str, Step] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Whether it is on, and has a step to begin with."""
        return self.on and self.start in self.steps


def read(given: Mapping[str, Any] | None) -> Flow:
    """Stored JSON as a flow. What `problems` would object to is left out, so that a bot never stumbles over it."""
    if not given:
        return Flow()
    steps = [_step(one) for one in _list(given.get("steps"))[:MOST_STEPS] if isinstance(one, Mapping)]
    named: dict[str, Step] = {}
    for one in steps:
        if one.key:
            named.setdefault(one.key, one)
    return Flow(
        on=bool(given.get("on")),
        name=_texts(given.get("name")),
        start=str(given.get("start") or (steps[0].key if steps else "")),
        silent=_seconds(given.get("silent")),
        words=tuple(str(one)[:MOST_LABEL] for one in _list(given.get("words"))[:MOST_WORDS] if one),
        steps=named,
    )


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _texts(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {"en": value[:MOST_TEXT]}
    found = value if isinstance(value, Mapping) else {}
    return {str(key): text[:MOST_TEXT] for key, text in found.items() if isinstance(text, str) and text.strip()}


def _seconds(value: Any) -> int:
    return min(max(value, 5), 600) if isinstance(value, int) and not isinstance(value, bool) else SILENT


def _step(given: Mapping[str, Any]) -> Step:
    asked = given.get("ask")
    return Step(
        key=str(given.get("key") or "")[:40],
        say=_texts(given.get("say")),
        buttons=tuple(
            Button(str(one.get("key") or place)[:40], _texts(one.get("label")), str(one.get("go") or HUMAN))
            for place, one in enumerate(_list(given.get("buttons"))[:MOST_BUTTONS])
            if isinstance(one, Mapping)
        ),
        ask=_ask(asked) if isinstance(asked, Mapping) and asked.get("field") else None,
        helped=bool(given.get("helped")),
        go=HUMAN if given.get("human") else str(given.get("go") or HUMAN),
    )


def _ask(given: Mapping[str, Any]) -> Ask:
    kind, into = str(given.get("kind") or "text"), str(given.get("into") or "")
    kind = kind if kind in FIELD_KINDS else "text"
    return Ask(
        field=str(given["field"])[:40],
        kind=kind,
        into=into if INTO.fullmatch(into) else "",
        options=tuple(str(one)[:MOST_LABEL] for one in _list(given.get("options"))[:MOST_BUTTONS]),
    )


def problems(given: Any) -> list[str]:
    """All that is wrong with a flow as JSON, in sentences for the person who built it. Empty: it may be stored."""
    if given in (None, {}):
        return []
    if not isinstance(given, Mapping):
        return [_("The bot's flow has to be an object.")]
    return list(_problems(given))


def _problems(given: Mapping[str, Any]) -> Iterator[str]:
    raw = given.get("steps")
    steps = [one for one in _list(raw) if isinstance(one, Mapping)]
    if len(steps) != len(_list(raw)) or not isinstance(raw, list):
        yield _("The steps have to be a list of objects.")
    if given.get("on") and not steps:
        yield _("A bot needs at least one step.")
    if len(steps) > MOST_STEPS:
        yield _("A flow has at most %(most)s steps.") % {"most": MOST_STEPS}
    keys = [str(one.get("key") or "") for one in steps]
    for key in sorted({one for one in keys if keys.count(one) > 1}):
        yield _("There are two steps “%(step)s”.") % {"step": key}
    if steps and (start := str(given.get("start") or keys[0])) not in keys:
        yield _("The flow begins with “%(step)s”, but there is no such step.") % {"step": start}
    silent = given.get("silent", SILENT)
    if not isinstance(silent, int) or isinstance(silent, bool) or not 5 <= silent <= 600:
        yield _("The bot may be silent for 5 to 600 seconds.")
    known = {*keys, HUMAN, END}
    for step in steps:
        yield from _problems_of(step, known)
    yield from _rounds(read(given))


def _problems_of(step: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    key = str(step.get("key") or "")
    named = {"step": key or "?"}
    if not KEY.fullmatch(key):
        yield _("The key of step “%(step)s” has to be small letters, digits and dashes, at most 40.") % named
    if not _texts(step.get("say")):
        yield _("Step “%(step)s” says nothing.") % named
    if isinstance(step.get("say"), Mapping) and any(len(str(text)) > MOST_TEXT for text in step["say"].values()):
        yield _("What step “%(step)s” says is too long.") % named
    buttons = [one for one in _list(step.get("buttons")) if isinstance(one, Mapping)]
    if len(buttons) > MOST_BUTTONS:
        yield _("Step “%(step)s” has more buttons than anybody reads.") % named
    marks = [str(one.get("key") or place) for place, one in enumerate(buttons)]
    if len(set(marks)) != len(marks):
        yield _("Two buttons of step “%(step)s” have the same key.") % named
    if any(not _texts(one.get("label")) for one in buttons):
        yield _("A button of step “%(step)s” has no words.") % named
    asked = step.get("ask")
    if asked:
        if not isinstance(asked, Mapping) or not KEY.fullmatch(str(asked.get("field") or "")):
            yield _("Step “%(step)s” asks for something without saying for which field.") % named
        elif str(asked.get("kind") or "text") not in FIELD_KINDS or not INTO.fullmatch(str(asked.get("into") or "")):
            yield _("Step “%(step)s” asks for a kind of answer that there is not.") % named
        elif asked.get("kind") == "choice" and not _list(asked.get("options")):
            yield _("Step “%(step)s” lets visitors choose among nothing.") % named
    if sum((bool(buttons), bool(asked), bool(step.get("helped")))) > 1:
        yield _("Step “%(step)s” can wait for one thing: a button, an answer, or whether it helped.") % named
    for go in [step.get("go"), *(one.get("go") for one in buttons)]:
        if go and go not in known:
            yield _("Step “%(step)s” leads to “%(go)s”, which is no step.") % {**named, "go": go}


def _rounds(flow: Flow) -> Iterator[str]:
    """Steps that wait for nothing and lead back to themselves, or to too many more: a bot would talk on and on."""
    for step in flow.steps.values():
        said, now = [step.key], step
        while not now.waits and now.go in flow.steps and flow.steps[now.go].key not in said:
            now = flow.steps[now.go]
            said.append(now.key)
        if not now.waits and now.go == step.key:
            yield _("Step “%(step)s” leads back to itself without waiting for the visitor.") % {"step": step.key}
        elif len(said) > MOST_IN_A_ROW:
            yield _("More than %(most)s steps follow “%(step)s” without waiting for the visitor.") % {
                "most": MOST_IN_A_ROW - 1,
                "step": step.key,
            }
