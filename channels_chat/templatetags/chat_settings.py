"""Inputs of the settings' pages: each knows its value and what is wrong with it by its dotted path in `form`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.translation import gettext_lazy

from channels_chat import posting
from inbox import schedule_words

register = template.Library()

# Languages by their own names, as the pages offer and head them.
LANGUAGES = {"en": "English", "ur": "اردو"}
KINDS = {
    "text": gettext_lazy("One line"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "area": gettext_lazy("Several lines"),
    "choice": gettext_lazy("Choice"),
    "check": gettext_lazy("Tick"),
}


def value_at(context: template.Context, path: str, otherwise: Any = "") -> Any:
    value = context["form"].value(path)
    return otherwise if value is None else value


def told(context: template.Context, path: str, lines: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """What every kind of input is rendered with; `lines` is what is wrong with single ones of several."""
    wrong = [*context["form"].wrong(path), *lines]
    ident = "at-" + path.replace(".", "-")
    return {
        "name": path,
        "id": ident,
        "wrong": wrong,
        "focus": bool(wrong) and _first_wrong(context),
        "described": " ".join([f"{ident}-help"] * bool(more.get("help")) + [f"{ident}-error"] * bool(wrong)),
        **more,
    }


def lines_wrong(context: template.Context, path: str) -> list[str]:
    """What is wrong with single lines of an input that takes one a line, each named."""
    found = context["form"].value(path)
    lines = found.splitlines() if isinstance(found, str) else found or []
    lines = [one for one in lines if str(one).strip()]
    return [f"{one}: {text}" for at, one in enumerate(lines) for text in context["form"].wrong(f"{path}.{at}")]


def _first_wrong(context: template.Context) -> bool:
    known = "wrong field" in context.dicts[0]
    context.dicts[0]["wrong field"] = True
    return not known


@register.inclusion_tag("channels_chat/settings/_input.html", takes_context=True)
def chat_input(
    context: template.Context,
    path: str,
    label: str,
    kind: str = "text",
    help: str = "",
    placeholder: str = "",
    otherwise: Any = "",
    dir: str = "auto",
    **attrs: Any,
) -> dict[str, Any]:
    """A line, a number, a time, a colour or (`area`, `lines`) several lines. `otherwise` is shown where nothing is set.

    `hidden_label` leaves the label to screen readers; `unit` stands behind the input.
    """
    value = attrs.pop("value", None)
    value = value_at(context, path, otherwise) if value is None else value
    if isinstance(value, list):
        value = "\n".join(str(one) for one in value)
    if kind == "time" and value == "24:00":  # such inputs end at 23:59, and show nothing then
        value = "00:00"
    more = {"label": label, "kind": kind, "help": help, "placeholder": placeholder, "dir": dir, **attrs}
    return told(context, path, lines_wrong(context, path) if kind == "lines" else [], value=value, **more)


@register.inclusion_tag("channels_chat/settings/_select.html", takes_context=True)
def chat_select(
    context: template.Context,
    path: str,
    label: str,
    options: Any,
    otherwise: str = "",
    help: str = "",
    **attrs: Any,
) -> dict[str, Any]:
    """A choice among (value, label); a value that is stored and no longer offered stays to be seen."""
    value = attrs.pop("value", None)
    value = str(value_at(context, path, otherwise) if value is None else value)
    offered = list(options.items() if isinstance(options, dict) else options)
    if value and all(value != str(one) for one, _label in offered):
        offered.append((value, value))
    return told(context, path, value=value, options=offered, label=label, help=help, **attrs)


@register.inclusion_tag("channels_chat/settings/_tick.html", takes_context=True)
def chat_tick(
    context: template.Context,
    path: str,
    label: str,
    otherwise: bool = False,
    help: str = "",
    on: Any = None,
) -> dict[str, Any]:
    """A box to tick. Unticked it says so, by an empty input of the same name before it."""
    value = on if on is not None else value_at(context, path, otherwise)
    return told(context, path, ticked=value in (True, "on", "true", "1"), label=label, help=help)


@register.simple_tag(takes_context=True)
def chat_value(context: template.Context, path: str, otherwise: Any = "") -> Any:
    """What stands at a path."""
    return value_at(context, path, otherwise)


@register.simple_tag(takes_context=True)
def chat_wrong(context: template.Context, path: str) -> list[str]:
    """What is wrong at a path."""
    found: list[str] = context["form"].wrong(path)
    return found


@register.simple_tag(takes_context=True)
def chat_rows(context: template.Context, path: str, least: int = 0) -> list[dict[str, Any]]:
    """The rows of a list, each with its path, its number and its place; at least so many, empty ones behind."""
    found = context["form"].value(path)
    count = max(len(found) if isinstance(found, list) else 0, least)
    return [
        {"path": f"{path}.{at}", "number": at + 1, "first": at == 0, "last": at == count - 1, "id": f"row-{path}.{at}"}
        for at in range(count)
    ]


@register.inclusion_tag("channels_chat/settings/_row_buttons.html")
def chat_row_buttons(row: dict[str, Any], what: str, moves: bool = True) -> dict[str, Any]:
    """Up, down and away for one row; `what` names it to screen readers."""
    return {**row, "what": what, "moves": moves, "do": posting.DO}


@register.simple_tag
def language_name(code: str) -> str:
    """A language as its speakers call it, else its code."""
    return LANGUAGES.get(code, code)


@register.filter
def join_path(path: str, name: object) -> str:
    """A path below a path."""
    return f"{path}.{name}"


@register.simple_tag
def field_kinds() -> dict[str, Any]:
    return KINDS


@register.simple_tag(takes_context=True)
def chat_moment(context: template.Context, path: str) -> dict[str, Any]:
    """Where a journey begins or ends, as a page asks for it: `by` a page or an event, and `what`."""
    value = context["form"].value(path)
    value = value if isinstance(value, dict) else {}
    by = value.get("by") or ("event" if "event" in value else "url")
    wrong = [text for one in ("", ".url", ".event") for text in context["form"].wrong(f"{path}{one}")]
    return {"by": by, "what": value.get("what", value.get(by, "")), "wrong": wrong}


@register.simple_tag(takes_context=True)
def chat_second_languages(context: template.Context, offered: list[tuple[str, str]], none: str) -> list[Any]:
    """(path, options) of each language behind the first: those that are there, and one more."""
    count = min(max(len(context["form"].value("languages") or ()), 2), len(offered))
    return [(f"languages.{at}", [("", none), *offered]) for at in range(1, count)]


@register.filter
def words_of(text: str) -> list[str]:
    return text.split()


@register.simple_tag
def week() -> list[str]:
    """The days, Monday first."""
    return schedule_words.week()
