"""/reports/kpis/: the figures, of a period or broken down."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.routing import register
from api.serializers.common import TAG_LENGTH, AnyAgent, SeenChannel, SeenTeam
from api.strict import Choice, Codes, Filters
from api.views.base import View
from inbox.models import Priority, TicketType
from lib import zones
from reports import engine

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
LONGEST = timedelta(days=10 * 366)
MOST_DAYS = timedelta(days=2 * 366)  # told one by one
USUAL = timedelta(days=30)
# The name in an address, and what the engine calls it.
NAMES = {
    "channel": "channels",
    "team": "teams",
    "agent": "agents",
    "tag": "tags",
    "language": "languages",
    "priority": "priorities",
    "type": "types",
    "topic": "topics",
    "severity": "severities",
}


class FigureOut(serializers.Serializer[Any]):
    """A figure; null where there is nothing to count. Durations are seconds, ratios 0 to 1."""

    unit = serializers.ChoiceField(choices=["seconds", "ratio", "score", "count", "money"])
    value = serializers.FloatField(allow_null=True)
    numerator = serializers.FloatField(allow_null=True)
    denominator = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    provisional = serializers.IntegerField(help_text="How many of the denominator can still change.")
    extra = serializers.DictField(help_text="What stands beside the value, by the kind of figure.")


class GroupOut(serializers.Serializer[Any]):
    key = serializers.JSONField(
        help_text="A day, the Monday of a week, a month (2026-01), an hour of the week (0 is Monday 0:00), an id; "
        "null is none of them.",
        allow_null=True,
    )
    label_ = serializers.CharField()
    figures = serializers.DictField(child=FigureOut())

    def get_fields(self) -> dict[str, Any]:
        return _by_name(super().get_fields())


@extend_schema_serializer(many=False)
class FiguresOut(serializers.Serializer[Any]):
    from_ = serializers.DateField()
    to = serializers.DateField()
    tz = serializers.CharField()
    window = serializers.IntegerField(help_text="Days in which a re-open, or another ticket, counts.")
    by = serializers.ChoiceField(choices=engine.BREAKDOWNS, allow_null=True)
    figures = serializers.DictField(child=FigureOut(), help_text="Of the whole period, by key.")
    groups = GroupOut(many=True, help_text="Broken down, where `by` asks for it.")

    def get_fields(self) -> dict[str, Any]:
        return _by_name(super().get_fields())


class FigureFilters(Filters):
    """What is asked."""

    from_ = serializers.DateField(help_text="The first day. Default: 30 days before `to`.")
    to = serializers.DateField(help_text="The day after the last. Default: tomorrow.")
    tz = serializers.CharField(
        max_length=60, help_text="The zone of the days, by its name in the IANA database. Default: the organisation's."
    )
    by = Choice(choices=engine.BREAKDOWNS)
    key = serializers.CharField(max_length=1000, help_text="One or several figures, parted by commas. Default: all.")
    channel = SeenChannel(help_text="Slug or id.")
    team = SeenTeam(help_text="Slug or id.")
    agent = AnyAgent(help_text="An agent's id, or `me`.")
    tag = serializers.CharField(max_length=TAG_LENGTH)
    language = serializers.CharField(max_length=10)
    priority = Codes(Priority.choices, help_text="One or several, parted by commas.")
    type = Codes(TicketType.choices, help_text="One or several, parted by commas.")
    topic = serializers.CharField(max_length=120)
    severity = serializers.IntegerField(min_value=0, max_value=32767)
    business = serializers.BooleanField(help_text="Seconds of business hours. Default: false.")
    imported = serializers.BooleanField(help_text="Count what came from another system, too. Default: false.")

    def get_fields(self) -> dict[str, Any]:
        return _by_name(super().get_fields())

    def validate_tz(self, value: str) -> ZoneInfo:
        if value not in zones.names():
            raise serializers.ValidationError(_("There is no such time zone."))
        return ZoneInfo(value)

    def validate_key(self, value: str) -> list[str]:
        keys = value.split(",")
        for key in keys:
            if key not in engine.MEASURES:
                raise serializers.ValidationError(_("There is no such figure: %(key)s") % {"key": key[:40]})
        return keys

    def validate(self, chosen: dict[str, Any]) -> dict[str, Any]:
        """The period as it is meant. Raises ValidationError for one that is none, or too long to tell."""
        tomorrow = timezone.now().astimezone(chosen.get("tz")).date() + timedelta(days=1)
        end = chosen.setdefault("to", tomorrow)
        start = chosen.setdefault("from", max(end - USUAL, EARLIEST))
        if not EARLIEST <= start < end <= LATEST:
            raise serializers.ValidationError({"to": [_("This has to lie behind “from”.")]})
        if end - start > LONGEST or (chosen.get("by") == "day" and end - start > MOST_DAYS):
            raise serializers.ValidationError({"from": [_("This period is too long to be told.")]})
        return chosen


def _by_name(fields: dict[str, Any]) -> dict[str, Any]:
    """Without the underscore of names that Python, or REST framework, keeps for itself."""
    return {name.rstrip("_"): field for name, field in fields.items()}


class FigureView(View):
    queries = {"list": FigureFilters}

    @extend_schema(operation_id="reports_kpis", responses=FiguresOut)
    def list(self, request: Request) -> Response:
        """The figures of a period, and broken down where `by` asks for it.

        Of all that the token's agent sees; whoever may not read the figures of teams and people gets those of their own
        work, and light agents none. What each figure is stands in docs/kpis.md.
        """
        chosen = dict(self.filters)
        keys, by = chosen.get("key", engine.KEYS), chosen.get("by")
        question = engine.seen_by(
            self.agent,
            engine.ask(
                chosen["from"],
                chosen["to"],
                chosen.get("tz"),
                business=chosen.get("business", False),
                imported=chosen.get("imported", False),
                **{there: _several(chosen[here]) for here, there in NAMES.items() if here in chosen},
            ),
        )
        found = engine.figures(keys, question)
        groups = engine.grouped(keys, question, by) if by else []
        return Response({
            "from": question.start.isoformat(),
            "to": question.end.isoformat(),
            "tz": question.zone.key,
            "window": question.window,
            "by": by,
            "figures": _told(found),
            "groups": [{"key": one.key, "label": one.label, "figures": _told(one.figures)} for one in groups],
        })  # fmt: skip


def _several(value: Any) -> tuple[Any, ...]:
    """What a filter names, as the engine takes it: ids of rows, or words."""
    values = value if isinstance(value, list) else [value]
    return tuple(getattr(one, "pk", one) for one in values)


def _told(figures: dict[str, engine.Figure]) -> dict[str, Any]:
    return {key: one.to_json() for key, one in figures.items()}


FIGURE = {
    "unit": "ratio",
    "value": 0.72,
    "numerator": 108,
    "denominator": 150,
    "n": 150,
    "median": None,
    "p90": None,
    "mean": None,
    "low": 0.6433,
    "high": 0.7858,
    "provisional": 21,
    "extra": {},
}
register("reports/kpis", FigureView)
examples.add(
    {
        "Figures": {
            "from": "2026-11-01",
            "to": "2026-12-01",
            "tz": "Asia/Karachi",
            "window": 7,
            "by": "channel",
            "figures": {"fcr": FIGURE},
            "groups": [{"key": 1, "label": "Support", "figures": {"fcr": FIGURE}}],
        }
    },
    {"reports": "Figures: what they are stands in docs/kpis.md of the project."},
)
