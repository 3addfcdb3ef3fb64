"""Message templates: which can be sent from here, their variables, and what they say once filled in.

Those with a picture above, or with buttons that need more than a piece of an address, are left out.
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
    """A template cannot be filled in like this; the text says why."""


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
    name, language = reading.text(row.get("name"), 512), reading.text(row.get("language"), 20)
    if row.get("status", "APPROVED") != "APPROVED" or not name or not language:
        return None
    found: dict[str, Any] = {"name": name, "language": language, "category": reading.text(row.get("category"), 30)}
    for component in reading.rows(row.get("components")):
        part = reading.text(component.get("type"), 30).lower()
        if part == "buttons":
            buttons = reading.rows(component.get("buttons"))
            if any(one.get("type") not in PLAIN_BUTTONS for one in buttons):
                return None
            urls = [(place, reading.text(one.get("url"), 2000)) for place, one in enumerate(buttons)]
            found["urls"] = [[place, url] for place, url in urls if VARIABLE.search(url)]
        elif part in {"header", "body", "footer"}:
            if part == "header" and component.get("format", "TEXT") != "TEXT":
                return None
            found[part] = reading.text(component.get("text"), 2000)
        else:
            return None
    return found if found.get("body") else None


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


def preview(template: Mapping[str, Any]) -> str:
    """Its text, with its variables as they stand in it."""
    parts = [template.get(part, "") for part in ("header", "body", "footer")]
    return "\n".join([one for one in parts if one] + [url for _place, url in template.get("urls", [])])


def fill(template: Mapping[str, Any], given: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """What it says with these values, and what is sent of it. Raises Wrong."""
    asked = slots(template)
    values = [" ".join(one.split()) for one in given]  # no line breaks: WhatsApp lets none through
    missing = [one.shown for one, value in zip(asked, [*values, *[""] * len(asked)], strict=False) if not value]
    if missing:
        raise Wrong(_("This template needs a value for %(names)s.") % {"names": ", ".join(missing)})
    if len(values) > len(asked):
        raise Wrong(_("This template takes %(number)s values, and there are more.") % {"number": len(asked)})
    by_slot = dict(zip(asked, values, strict=True))
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
