"""Conditions on the fields that an organisation made itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import JSONField, Q, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from inbox.filtering.conditions import Condition, Option
from inbox.models import Agent, Field
from inbox.models.fields import FieldKind


@dataclass(frozen=True, kw_only=True)
class Attribute(Condition):
    """A field of the organisation's own. Numbers and days may be a range: `5..10`, `2026-01-01..`."""

    field: Field

    @property
    def editor(self) -> str:  # type: ignore[override]
        kind = self.field.kind
        return "yesno" if kind == FieldKind.CHECK else "several" if self._listed else "text"

    @property
    def _listed(self) -> bool:
        return self.field.kind in {FieldKind.CHOICE, FieldKind.CHOICES}

    @property
    def help(self) -> str:
        if self.field.kind in {FieldKind.NUMBER, FieldKind.DATE}:
            return _("A value, or a range such as 5..10")
        return ""

    def options(self, agent: Agent) -> Sequence[Option]:
        return [Option(one, one) for one in self.field.choices] if self._listed else ()

    def _ends(self, value: str) -> tuple[Any, Any]:
        first, dots, last = value.partition("..")
        read = self._number if self.field.kind == FieldKind.NUMBER else self._day
        low = read(first.strip()) if first.strip() else None
        high = (read(last.strip()) if last.strip() else None) if dots else low
        if low is None and high is None:
            raise self.unknown(value)
        return low, high

    def _number(self, value: str) -> float | int:
        if not re.fullmatch(r"-?[0-9]{1,15}([.][0-9]{1,9})?", value, re.ASCII):
            raise self.unknown(value)
        return float(value) if "." in value else int(value)

    def _day(self, value: str) -> str:
        try:
            found: date | None = parse_date(value)
        except ValueError:
            found = None
        if found is None:
            raise self.unknown(value)
        return found.isoformat()

    def clean(self, agent: Agent, value: str) -> str:
        value = " ".join(value.split())
        kind = self.field.kind
        if kind == FieldKind.CHECK and value not in {"yes", "no"}:
            raise self.unknown(value)
        if self._listed and value not in self.field.choices:
            chosen = [one for one in self.field.choices if one in value.split(",")]
            if not chosen or len(chosen) != len(set(value.split(","))):
                raise self.unknown(value)
        if kind in {FieldKind.NUMBER, FieldKind.DATE}:
            self._ends(value)
        return value

    def q(self, agent: Agent, value: str) -> Q:
        key, kind = self.field.key, self.field.kind
        some = ~Q(**{self.path: {}})  # as the index says
        if kind in {FieldKind.NUMBER, FieldKind.DATE}:
            low, high = self._ends(value)
            at = KeyTransform(key, self.path)
            found = Q(**{f"{self.path}__has_key": key})
            if low is not None and low == high:
                return some & Q(**{f"{self.path}__contains": {key: low}})
            if low is not None:
                found &= Q(GreaterThanOrEqual(at, Value(low, JSONField())))
            return some & (found & Q(LessThanOrEqual(at, Value(high, JSONField()))) if high is not None else found)
        if kind == FieldKind.CHECK:
            is_set = some & Q(**{f"{self.path}__contains": {key: True}})
            return is_set if value == "yes" else ~is_set
        wanted = [value] if not self._listed or value in self.field.choices else value.split(",")
        found = Q()
        for one in wanted:
            found |= Q(**{f"{self.path}__contains": {key: [one] if kind == FieldKind.CHOICES else one}})
        return some & found

    def words(self, agent: Agent, value: str) -> str:
        if self.field.kind == FieldKind.CHECK:
            return _("yes") if value == "yes" else _("no")
        return value
