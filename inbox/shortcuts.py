"""The keys, as the help on `?` lists them. Those that lead to a view are the view's own, as in the palette.

A test holds this against what pages and scripts listen to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, pgettext_lazy

from inbox import default_views

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Shortcut:
    """One of `keys`, or with `in_turn` all of them one after another. Keys pressed together stand in one of them."""

    label: StrOrPromise
    keys: tuple[str, ...]
    in_turn: bool = False


@dataclass(frozen=True)
class Group:
    key: str
    label: StrOrPromise
    shortcuts: tuple[Shortcut, ...]


def one(label: StrOrPromise, *keys: str) -> Shortcut:
    return Shortcut(label, keys)


GROUPS = (
    Group("list", gettext_lazy("The list"), (
        one(gettext_lazy("Next and previous ticket"), "j", "k"),
        one(pgettext_lazy("a ticket, by a key", "Open"), "Enter"),
        one(gettext_lazy("Back to the list"), "Esc"),
        one(gettext_lazy("Select"), "x"),
        one(gettext_lazy("Select further"), "⇧ j", "⇧ k"),
        one(gettext_lazy("Select all"), "Ctrl A"),
        one(gettext_lazy("Undo what was done last"), "Ctrl Z"),
        one(gettext_lazy("Move selected ones to the trash"), "#"),
        one(gettext_lazy("Filter"), "⇧ f"),
        one(gettext_lazy("Search"), "/"),
    )),
    Group("ticket", gettext_lazy("A ticket, or the selected ones"), (
        one(gettext_lazy("Assign"), "a"),
        one(gettext_lazy("Tag"), "t"),
        one(gettext_lazy("Snooze"), "s"),
        one(gettext_lazy("Solve"), "e"),
        one(gettext_lazy("Mark as unread"), "u"),
        one(gettext_lazy("Follow"), "f"),
        one(gettext_lazy("Spam, or not"), "!"),
        one(gettext_lazy("Start a side conversation"), "o"),
        one(gettext_lazy("More"), "."),
    )),
    Group("writing", gettext_lazy("Writing"), (
        one(gettext_lazy("Reply"), "r"),
        one(gettext_lazy("Note"), "n"),
        one(gettext_lazy("New ticket"), "c"),
        one(gettext_lazy("Send"), "Ctrl ↵"),
        one(gettext_lazy("Send and solve"), "Ctrl ⇧ ↵"),
        one(gettext_lazy("Macros, in a reply"), "/"),
        one(gettext_lazy("Name a colleague, in a note"), "@"),
    )),
    Group("places", gettext_lazy("Places"), (
        one(gettext_lazy("Every action and place"), "Ctrl K"),
        *(
            Shortcut(format_lazy(gettext_lazy("Go to {place}"), place=view.label), ("g", view.go), in_turn=True)
            for view in default_views.VIEWS.values()
            if view.go
        ),
        one(gettext_lazy("This list"), "?"),
    )),
)  # fmt: skip

_added: list[Group] = []


def register(group: Group) -> None:
    """Let the help list the keys of another app's pages, too."""
    _added.append(group)


def groups() -> list[Group]:
    return [*GROUPS, *_added]
