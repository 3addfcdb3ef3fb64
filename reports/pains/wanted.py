"""What of the page of pain points was asked for beside period and filters: by what, in which order; and the links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy

from inbox import fields
from inbox.models import FieldKind, FieldNoun
from reports.engine.groups import FIELD, PAGE
from reports.pages.asked import Asked

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BY: Mapping[str, StrOrPromise] = {
    "topic": gettext_lazy("Topic"),
    "type": gettext_lazy("Nature"),
    "severity": gettext_lazy("Severity"),
    "tag": gettext_lazy("Tag"),
    PAGE: gettext_lazy("Page"),
}
KINDS = {FieldKind.TEXT, FieldKind.CHECK, FieldKind.CHOICE, FieldKind.CHOICES}  # fields whose values come again
MOST_FIELDS = 8
USUAL, ORDER = "topic", "volume"
# Columns, and whether the most of each comes first when it is first chosen: the worst does.
COLUMNS: Mapping[str, bool] = {
    "volume": True,
    "resolution_full": True,
    "customer_wait": True,
    "csat": False,
    "reopen_rate": True,
    "fcr_confirmed": False,
    "contacts": True,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    asked: Asked
    by: str
    column: str
    down: bool  # the most first
    ways: Mapping[str, StrOrPromise]

    @property
    def name(self) -> StrOrPromise:
        return self.ways[self.by]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the address says beside period and filters."""
        found = [("by", self.by)] if self.by != USUAL else []
        if (self.column, self.down) != (ORDER, COLUMNS[ORDER]):
            found.append(("sort", f"{'-' if self.down else ''}{self.column}"))
        return found

    @property
    def query(self) -> str:
        return urlencode([*self.asked.pairs(), *self.kept])

    def url(self) -> str:
        return f"{reverse('reports-pains')}?{self.query}"

    def others(self) -> list[tuple[StrOrPromise, str, bool]]:
        """The ways to break it down: words, address, whether it is this one."""
        return [(label, replace(self, by=by).url(), by == self.by) for by, label in self.ways.items()]

    def sorted_by(self, column: str) -> Wanted:
        """The same with this column clicked: the worst first, and at the second click the other way round."""
        return replace(self, column=column, down=not self.down if column == self.column else COLUMNS[column])


def of(asked: Asked, params: QueryDict) -> Wanted:
    """What is not understood is left out."""
    own = [one for one in fields.of(FieldNoun.TICKET) if one.kind in KINDS][:MOST_FIELDS]
    ways = {**BY, **{f"{FIELD}{one.key}": one.label for one in own}}
    by, order = params.get("by", USUAL), params.get("sort", f"-{ORDER}")
    column = order.removeprefix("-")
    if column not in COLUMNS:
        order, column = f"-{ORDER}", ORDER
    return Wanted(asked, by if by in ways else USUAL, column, order.startswith("-"), ways)
