"""Facts of tickets that another part of reports makes: they are kept and made again together with ours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from reports.models import HandlingFact

Rows = Callable[[Collection[int]], Iterable[HandlingFact]]

_rows: list[Rows] = []
_kinds: set[str] = set()


def register(rows: Rows, kinds: Iterable[str] = ()) -> None:
    """`rows` gives the handling of these tickets (numbers), unsaved; events of `kinds` change it, and no other fact."""
    _rows.append(rows)
    _kinds.update(kinds)


def kinds() -> frozenset[str]:
    return frozenset(_kinds)


def handling_of(numbers: Collection[int]) -> list[HandlingFact]:
    return [row for rows in _rows for row in rows(numbers)]
