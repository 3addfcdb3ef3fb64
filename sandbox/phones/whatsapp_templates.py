"""WhatsApp's message templates: kept in an account's settings, listed by pages, and filled in when sent.

`settings["templates"]` is a list of {"id", "name", "language", "status", "category", "components"}; a component is
{"type": "BODY", "text": "Hello {{1}}"}, HEADER (with "format" TEXT, IMAGE, VIDEO or DOCUMENT), FOOTER or BUTTONS.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.phones import graph
from sandbox.phones.graph import Asked, GraphError, route
from sandbox.phones.models import Account

VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
MOST = 1024
FIELDS = "name,status,category,language,components,parameter_format"


@route("whatsapp", "waba", "GET", "message_templates")
def listed(asked: Asked) -> dict[str, Any]:
    """The templates, a page at a time."""
    graph.need(asked.account, "whatsapp_business_management", 200)
    rows = []
    for number, template in enumerate(asked.account.settings.get("templates", [])):
        whole = {"id": str(7000 + number), "parameter_format": "POSITIONAL", **template}
        wanted = (
            (key, asked.text(key).upper().split(",")) for key in ("status", "category", "language") if asked.text(key)
        )
        if all(str(whole[key]).upper() in values for key, values in wanted) and asked.text("name") in whole["name"]:
            rows.append(graph.pick(asked, whole, FIELDS))
    page = graph.paged(asked, rows)
    if asked.text("summary"):
        total = len(rows)
        page["summary"] = {
            "total_count": total,
            "message_template_count": total,
            "message_template_limit": 6000,
            "are_translations_complete": True,
        }
    return page


def _found(account: Account, name: str, code: str) -> dict[str, Any]:
    for template in account.settings.get("templates", []):
        if template["name"] == name and template["language"] == code:
            status = template.get("status", "APPROVED")
            if status == "PAUSED":
                raise GraphError(132015, "Template is Paused", details="Template is paused due to low quality")
            if status == "DISABLED":
                raise GraphError(132016, "Template is Disabled", details="Template is disabled")
            if status == "APPROVED":
                return dict(template)
    raise GraphError(
        132001,
        "Template name does not exist in the translation",
        status=404,
        details=f"template name ({name}) does not exist in {code}",
    )


def filled(account: Account, sent: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text that a template makes with what was sent, and the template. Raises GraphError 132000…132016."""
    name, language = sent.get("name"), sent.get("language")
    if not name or not isinstance(language, dict) or not language.get("code"):
        raise GraphError(131008, "Required parameter is missing", details="template needs name and language.code")
    template = _found(account, str(name), str(language["code"]))
    given = sent.get("components") or []
    lines = []
    for component in template["components"]:
        kind = component["type"].lower()
        if kind == "buttons":
            _check_buttons(component.get("buttons", []), given)
            continue
        parameters = next((one.get("parameters") or [] for one in given if str(one.get("type")).lower() == kind), [])
        if kind == "header" and component.get("format", "TEXT") != "TEXT":
            expected = component["format"].lower()
            if [one.get("type") for one in parameters] != [expected]:
                raise _mismatch(f"header: Format mismatch, expected {component['format']}, received UNKNOWN")
            continue
        lines.append(_text(kind, component.get("text", ""), parameters))
    return "\n".join(line for line in lines if line), template


def _text(part: str, text: str, parameters: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    _count(part, len(parameters), len(names))
    values: dict[str, str] = {}
    for number, one in enumerate(parameters):
        name = str(one.get("parameter_name") or (number + 1 if names[number].isdecimal() else names[number]))
        if name not in names:
            raise _mismatch(f"{part}: parameter_name {name} is not in the template")
        kind = one.get("type")
        known = {"currency": "currency", "date_time": "date_time"}
        value = one.get("text") if kind == "text" else (one.get(known.get(str(kind), "")) or {}).get("fallback_value")
        if not value or not isinstance(value, str):
            raise GraphError(
                131008, "Required parameter is missing", details=f"{part}: parameter {number + 1} is empty"
            )
        values[name] = value
    made = VARIABLE.sub(lambda match: values[match[1]], text)
    if len(made) > MOST:
        raise GraphError(132005, "Translated text too long", details=f"{part}: text is over {MOST} characters")
    return made


def _check_buttons(buttons: list[dict[str, Any]], given: list[dict[str, Any]]) -> None:
    sent = {str(one.get("index")): one.get("parameters") or [] for one in given if one.get("type") == "button"}
    for number, button in enumerate(buttons):
        if button.get("type") == "URL":
            _count(
                f"buttons: button at index {number}",
                len(sent.get(str(number), [])),
                len(VARIABLE.findall(button["url"])),
            )


def _count(part: str, got: int, expected: int) -> None:
    if got != expected:
        raise GraphError(
            132000,
            "Number of parameters does not match the expected number of params",
            details=f"{part}: number of localizable_params ({got}) does not match the expected number of params "
            f"({expected})",
        )


def _mismatch(details: str) -> GraphError:
    return GraphError(132012, "Parameter format does not match format in the created template", details=details)
