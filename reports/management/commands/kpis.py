"""The figures of a period, on the command line."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from inbox.exports import FORMULA
from inbox.models import Agent, Channel, Priority, Team
from lib import zones
from reports import engine

COLUMNS = ("value", "numerator", "denominator", "n", "median", "p90", "mean", "low", "high", "provisional")


def _zone(name: str) -> ZoneInfo:
    if name not in zones.names():
        raise ArgumentTypeError(_("There is no such time zone."))
    return ZoneInfo(name)


class Command(BaseCommand):
    help = "The figures (docs/kpis.md) of the days from one up to another that is not in them, as JSON or CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", type=date.fromisoformat, required=True, metavar="DATE")
        parser.add_argument("--to", dest="end", type=date.fromisoformat, required=True, metavar="DATE")
        parser.add_argument("--by", choices=engine.BREAKDOWNS)
        parser.add_argument("--key", action="append", choices=list(engine.MEASURES), help="default: all figures")
        parser.add_argument("--tz", type=_zone, help="time zone of the days; default: the organisation's")
        parser.add_argument("--channel", action="append", default=[], metavar="SLUG")
        parser.add_argument("--team", action="append", default=[], metavar="SLUG")
        parser.add_argument("--agent", action="append", default=[], metavar="EMAIL")
        parser.add_argument("--tag", action="append", default=[])
        parser.add_argument("--language", action="append", default=[])
        parser.add_argument("--priority", action="append", default=[], choices=Priority.values)
        parser.add_argument("--business", action="store_true", help="seconds of business hours")
        parser.add_argument("--imported", action="store_true", help="count what came from another system, too")
        parser.add_argument("--format", choices=("json", "csv"), default="json")

    def handle(self, *args: Any, start: date, end: date, by: str | None, **options: Any) -> None:
        if start >= end:
            raise CommandError(_("--to has to lie behind --from."))
        question = engine.ask(
            start,
            end,
            options["tz"],
            channels=_ids(Channel.objects.all(), "slug", options["channel"]),
            teams=_ids(Team.objects.all(), "slug", options["team"]),
            agents=_ids(Agent.objects.all(), "email", options["agent"]),
            tags=tuple(options["tag"]),
            languages=tuple(options["language"]),
            priorities=tuple(options["priority"]),
            business=options["business"],
            imported=options["imported"],
        )
        keys = list(dict.fromkeys(options["key"] or engine.KEYS))
        groups = engine.grouped(keys, question, by) if by else [engine.Group(None, "", engine.figures(keys, question))]
        (self._csv if options["format"] == "csv" else self._json)(groups, by)

    def _csv(self, groups: list[engine.Group], by: str | None) -> None:
        rows = csv.writer(self.stdout, lineterminator="\n")
        rows.writerow([*([by, "label"] if by else []), "key", "unit", *COLUMNS])
        for group in groups:
            for key, figure in group.figures.items():
                told = figure.to_json()
                place = [_cell("" if group.key is None else group.key), _cell(group.label)] if by else []
                rows.writerow([*place, key, figure.unit, *("" if told[c] is None else told[c] for c in COLUMNS)])

    def _json(self, groups: list[engine.Group], by: str | None) -> None:
        told: Any = [
            {"key": group.key, "label": group.label, "figures": {k: f.to_json() for k, f in group.figures.items()}}
            for group in groups
        ]
        self.stdout.write(json.dumps(told if by else told[0]["figures"], ensure_ascii=False, indent=2))


def _cell(value: str | int) -> str | int:
    """A tag may be what a spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _ids(rows: QuerySet[Any], field: str, names: list[str]) -> tuple[int, ...]:
    """The ids of the rows with these names. Raises CommandError for a name that none has."""
    found: dict[str, Model] = {getattr(row, field): row for row in rows.filter(**{f"{field}__in": names})}
    if missing := sorted(set(names) - set(found)):
        raise CommandError(_("There is no %(name)s.") % {"name": ", ".join(missing)})
    return tuple(found[name].pk for name in names)
