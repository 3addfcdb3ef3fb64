"""What customers write about: how often, how long it takes, how unhappy they are with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine import Group
from reports.engine.figures import ratio
from reports.engine.groups import PAGE
from reports.pages import charts, words
from reports.pages.cards import link
from reports.pages.sections import Cell, cell
from reports.pains.wanted import COLUMNS, Wanted

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_ROWS = 25
HEADS: Mapping[str, StrOrPromise] = {
    "volume": gettext_lazy("Tickets"),
    "resolution_full": gettext_lazy("Resolution"),
    "customer_wait": gettext_lazy("Customer’s wait"),
    "csat": gettext_lazy("CSAT"),
    "reopen_rate": gettext_lazy("Opened again"),
    "fcr_confirmed": gettext_lazy("“Not solved”"),
    "contacts": gettext_lazy("Contacts per customer"),
}


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its words, the address that sorts by it, whether and how the table is sorted by it, what it is."""

    name: StrOrPromise
    url: str
    sorts: str  # ascending, descending, or empty
    text: StrOrPromise


@dataclass(frozen=True, slots=True)
class Pain:
    label: str
    cells: Sequence[Cell]
    is_none: bool


@dataclass(frozen=True, slots=True)
class Pains:
    heads: Sequence[Head]
    rows: Sequence[Pain]
    more: int
    total: str
    texts: Sequence[StrOrPromise] = ()


def read(wanted: Wanted) -> Pains:
    """A row for each group in which a ticket was opened; what belongs to none stands last, in whatever order."""
    question = wanted.asked.question
    groups = engine.grouped(list(COLUMNS), question, wanted.by)
    groups = [one for one in groups if any(figure.n for figure in one.figures.values())]
    total = engine.figure("volume", question).n
    groups.sort(key=_order(wanted))
    shown = [one for one in groups if one.key is not None][:MOST_ROWS]
    shown += [one for one in groups if one.key is None]
    if all(one.key is None for one in shown):
        shown = []
    rows = [Pain(one.label, _cells(wanted, one, total, at), one.key is None) for at, one in enumerate(shown)]
    return Pains(_heads(wanted), rows, len(groups) - len(shown) if shown else 0, words.number(total), texts(wanted))


def texts(wanted: Wanted) -> list[str]:
    """What each column is; and how things are told apart."""
    found = [f"{name}: {DEFINITIONS[column].text}" for column, name in HEADS.items() if column != "fcr_confirmed"]
    found.append(_("“Not solved”: answers of no to “Was it solved?”, of all answers to it."))
    found.append(
        _("A ticket counts for each of its tags or values, as it has them now; a click on a number opens its tickets.")
    )
    if wanted.by == PAGE:
        found.append(
            _("The page is the one that the customer had seen last, within half an hour before they first wrote.")
        )
    return found


def _order(wanted: Wanted) -> Callable[[Group], tuple[Any, ...]]:
    """By the column chosen; where it says nothing a row comes after those where it does."""

    def key(group: Group) -> tuple[Any, ...]:
        value = group.figures[wanted.column].value
        signed = 0.0 if value is None else -value if wanted.down else value
        return value is None, signed, -group.figures["volume"].n, group.label.casefold()

    return key


def _heads(wanted: Wanted) -> list[Head]:
    ways = {True: "descending", False: "ascending"}
    return [
        Head(
            name,
            wanted.sorted_by(column).url(),
            ways[wanted.down ^ (column == "fcr_confirmed")] if column == wanted.column else "",
            DEFINITIONS[column].text,
        )
        for column, name in HEADS.items()
    ]


def _cells(wanted: Wanted, group: Group, total: int, at: int) -> list[Cell]:
    asked, by = wanted.asked, wanted.by
    found = [_often(wanted, group, total, at)]
    for key in list(HEADS)[1:]:
        made = {"fcr_confirmed": _unsolved, "contacts": _contacts}.get(key)
        found.append(made(wanted, group) if made else cell(asked, key, group, by))
    return found


def _contacts(wanted: Wanted, group: Group) -> Cell:
    """How often the same customers came; `n` is how many they are."""
    contacts = group.figures["contacts"]
    if contacts.value is None:
        return Cell(words.NOTHING)
    url = link(wanted.asked, "contacts", "n", wanted.by, group.key)
    return Cell(words.number(contacts.value, 2), f"n = {words.number(contacts.extra['customers'])}", url)


def _often(wanted: Wanted, group: Group, total: int, at: int) -> Cell:
    count = cell(wanted.asked, "volume", group, wanted.by)
    share = group.figures["volume"].n / total if total else 0.0
    told = words.said("ratio", share)
    bar = charts.plots.span(f"pain-{at}", told, min(share, 1.0), None, None)
    return Cell(count.words, told, count.url if group.figures["volume"].n else "", "", bar)


def _unsolved(wanted: Wanted, group: Group) -> Cell:
    """Who said that it was not solved, of all who were asked and answered: the rest of those who said yes."""
    yes = group.figures["fcr_confirmed"]
    if yes.value is None or yes.denominator is None:
        return Cell(words.NOTHING)
    no = ratio("not_solved", int(yes.denominator - (yes.numerator or 0)), int(yes.denominator))
    url = link(wanted.asked, "fcr_confirmed", "rest", wanted.by, group.key) if no.numerator else ""
    return Cell(words.said("ratio", no.value), words.basis(no), url, words.between(no))
