"""Figures as CSV, by whatever they are broken down: the very numbers that cards and API show.

RFC 4180 in UTF-8 with a byte order mark, as the export of tickets; values in the figure's own unit, unrounded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from inbox.exports import BOM, safe
from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine import Figure
from reports.pages.asked import Asked

COLUMNS = ("value", "numerator", "denominator", "n", "median", "p90", "mean", "low", "high", "provisional")


def heading() -> list[str]:
    return [
        _("Group"), _("Name"), _("Figure"), _("Title"), _("Unit"), _("Value"), _("Numerator"), _("Denominator"), "n",
        _("Median"), _("90th percentile"), _("Mean"), _("From (95%)"), _("To (95%)"), _("Provisional"),
    ]  # fmt: skip


def rows(asked: Asked, by: str) -> Iterator[Sequence[Any]]:
    """A line for each group and figure; without `by`, a line for each figure."""
    keys = list(engine.KEYS)
    if not by:
        for key, figure in engine.figures(keys, asked.question).items():
            yield ["", "", *_line(key, figure)]
        return
    for group in engine.grouped(keys, asked.question, by):
        for key in keys:
            figure = group.figures[key]
            if figure.value is not None or figure.n:
                yield [safe("" if group.key is None else str(group.key)), safe(group.label), *_line(key, figure)]


def _line(key: str, figure: Figure) -> list[Any]:
    found = [getattr(figure, name) for name in COLUMNS]
    return [key, str(DEFINITIONS[key].title), figure.unit, *("" if value is None else value for value in found)]


def file(asked: Asked, by: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heading())
    writer.writerows(rows(asked, by))
    return f"{BOM}{text.getvalue()}".encode()
