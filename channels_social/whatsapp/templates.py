"""Message templates: which can be sent from here, their variables, and what they say once filled in.

Those with a picture above, or with buttons that need more than a piece of an address, are named with the reason alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from channels_social import reading

VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
MOST = 500  # templates that are kept of one account
LONGEST = 1024  # characters of a part once it is filled in
PLAIN_BUTTONS = {"QUICK_REPLY", "PHONE_NUMBER", "URL"}
FIELDS = "name,language,status,category,components,parameter_format"


class Wrong(Exception):
    """A template cannot be filled in like this; the text says why, `place` is that of the value that it is about."""

    def __init__(self, said: str, place: int = 0) -> None:
        super().__init__(said)
        self.place = place


@dataclass(frozen=True, slots=True)
class Slot:
    """One variable: in which part, which button, and what it is called there."""

    part: str
    index: int
    name: str

    @property
    def shown(self) -> str:
        return "{{" + self.name + "}}"


def kept(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is kept of a template that can be sent from here; None of any other."""
    found = _read(row)
    return None if found is None or "why" in found else found


def left(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is kept of one that is approved, but cannot be filled in from here: its name, and `why` (`why_not`)."""
    found = _read(row)
    return found if found is not None and "why" in found else None


def _read(row: Mapping[str, Any]) -> dict[str, Any] | None:
    name, language = reading.text(row.get("name"), 512), reading.text(row.get("language"), 20)
    if row.get("status", "APPROVED") != "APPROVED" or not name or not language:
        return None
    found: dict[str, Any] = {"name": name, "language": language, "category": reading.text(row.get("category"), 30)}
    examples: dict[str, str] = {}
    for component in reading.rows(row.get("components")):
        part = reading.text(component.get("type"), 30).lower()
        if part == "buttons":
            buttons = reading.rows(component.get("buttons"))
            if any(one.get("type") not in PLAIN_BUTTONS for one in buttons):
                return {"name": name, "language": language, "why": "buttons"}
            urls = [(place, reading.text(one.get("url"), 2000)) for place, one in enumerate(buttons)]
            found["urls"] = [[place, url] for place, url in urls if VARIABLE.search(url)]
        elif part in {"header", "body", "footer"}:
            if part == "header" and component.get("format", "TEXT") != "TEXT":
                return {"name": name, "language": language, "why": "media"}
            found[part] = reading.text(component.get("text"), 2000)
            examples |= {f"{part}:{of}": said for of, said in _examples(part, component.get("example"))}
        else:
            return {"name": name, "language": language, "why": "part"}
    if not found.get("body"):
        return {"name": name, "language": language, "why": "part"}
    return found | ({"examples": examples} if examples else {})


def _examples(part: str, told: Any) -> list[tuple[str, str]]:
    """What Meta was shown of a text's variables when it was made: by number, or by name."""
    example = reading.table(told)
    named = reading.rows(example.get(f"{part}_text_named_params"))
    if named:
        return [(reading.text(one.get("param_name"), 100), reading.text(one.get("example"), 100)) for one in named]
    given = example.get(f"{part}_text")
    row = given[0] if isinstance(given, list) and given and isinstance(given[0], list) else given
    return [(str(place), reading.text(one, 100)) for place, one in enumerate(row if isinstance(row, list) else [], 1)]


def why_not(template: Mapping[str, Any]) -> str:
    """Why it cannot be filled in from here, in words; empty if it can."""
    words = {
        "media": _("it begins with a picture, a video, a file or a place"),
        "buttons": _("its buttons need more than a piece of an address"),
        "part": _("it has parts that cannot be filled in here"),
    }
    return words.get(str(template.get("why", "")), "")


def key(template: Mapping[str, Any]) -> str:
    return f"{template['name']}|{template['language']}"


def slots(template: Mapping[str, Any]) -> list[Slot]:
    """The variables in the order in which they are asked for."""
    found = [
        Slot(part, 0, name)
        for part in ("header", "body")
        for name in dict.fromkeys(VARIABLE.findall(template.get(part, "")))
    ]
    return found + [
        Slot("button", place, name) for place, url in template.get("urls", []) for name in VARIABLE.findall(url)
    ]


def preview(template: Mapping[str, Any], given: Mapping[int, str]) -> list[dict[str, Any]]:
    """Its parts as they are read, each in pieces: words, or a variable with its `place` among the fields, what it is
    called, and the value that was `given` for it.
    """
    places = {(slot.part, slot.index, slot.name): place for place, slot in enumerate(slots(template), 1)}

    def pieces(part: str, index: int, text: str) -> list[dict[str, Any]]:
        found = []
        for turn, one in enumerate(VARIABLE.split(text)):  # words and names take turns
            place = places.get((part, index, one)) if turn % 2 else None
            if place is not None:
                found.append(
                    {"place": place, "shown": "{{" + one + "}}", "value": " ".join(given.get(place, "").split())}
                )
            elif one:
                found.append({"text": one})
        return found

    texts = [(part, pieces(part, 0, template.get(part, ""))) for part in ("header", "body", "footer")]
    urls = [("button", pieces("button", place, url)) for place, url in template.get("urls", [])]
    return [{"part": part, "pieces": found} for part, found in texts + urls if found]


def asked(template: Mapping[str, Any], given: Mapping[int, str]) -> list[dict[str, Any]]:
    """The fields of its variables: `place`, `part`, how each is `shown` in the text, its value so far, an example."""
    examples = template.get("examples", {})
    return [
        {
            "place": place,
            "part": slot.part,
            "shown": slot.shown,
            "value": given.get(place, ""),
            "example": examples.get(f"{slot.part}:{slot.name}", ""),
        }
        for place, slot in enumerate(slots(template), 1)
    ]


def fill(template: Mapping[str, Any], given: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """What it says with these values, and what is sent of it. Raises Wrong."""
    wanted = slots(template)
    values = [" ".join(one.split()) for one in given]  # no line breaks: WhatsApp lets none through
    padded = [*values, *[""] * len(wanted)]
    missing = [place for place, value in enumerate(padded[: len(wanted)]) if not value]
    if missing:
        names = ", ".join(wanted[place].shown for place in missing)
        raise Wrong(_("This template needs a value for %(names)s.") % {"names": names}, missing[0] + 1)
    if len(values) > len(wanted):
        raise Wrong(_("This template takes %(number)s values, and there are more.") % {"number": len(wanted)})
    by_slot = dict(zip(wanted, values, strict=True))
    texts, components = [], []
    for part in ("header", "body", "footer"):
        text = template.get(part, "")
        mine = {slot.name: value for slot, value in by_slot.items() if slot.part == part}
        said = _said(text, mine)
        if len(said) > LONGEST:
            raise Wrong(
                _("With these values the template is too long: it takes %(most)s characters.") % {"most": LONGEST}
            )
        if said:
            texts.append(said)
        if mine:
            components.append({"type": part, "parameters": [_parameter(name, value) for name, value in mine.items()]})
    components += [
        {
            "type": "button",
            "sub_type": "url",
            "index": str(slot.index),
            "parameters": [{"type": "text", "text": value}],
        }
        for slot, value in by_slot.items()
        if slot.part == "button"
    ]
    sent: dict[str, Any] = {"name": template["name"], "language": {"code": template["language"]}}
    return "\n".join(texts), sent | ({"components": components} if components else {})


def _said(text: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def _parameter(name: str, value: str) -> dict[str, str]:
    named = {} if name.isdecimal() else {"parameter_name": name}
    return {"type": "text", **named, "text": value}
