"""Facts of tickets that another part of reports makes: they are kept and made again together with ours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from reports.models import HandlingFact

Rows = Callable[[Collection[int]], Iterable[HandlingFact]]

_rows: list[Rows] = []
_kinds: set[str] = set()
_first: list[Callable[[], object]] = []


def register(rows: Rows, kinds: Iterable[str] = (), *, first: Callable[[], object] | None = None) -> None:
    """`rows` gives the handling of these tickets (numbers), unsaved; events of `kinds` change it, and no other fact.

    What it is made of and is itself made from the log, `first` makes anew before all facts are.
    """
    _rows.append(rows)
    _kinds.update(kinds)
    if first is not None:
        _first.append(first)


def begin_anew() -> None:
    """All facts are about to be made from zero. In a transaction that holds them."""
    for make in _first:
        make()


def kinds() -> frozenset[str]:
    return frozenset(_kinds)


def handling_of(numbers: Collection[int]) -> list[HandlingFact]:
    return [row for rows in _rows for row in rows(numbers)]
