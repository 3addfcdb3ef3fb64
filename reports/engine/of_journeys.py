"""Journeys on our sites that were started and not completed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncDay, TruncMonth, TruncWeek

from inbox import access, journeys_kept
from reports.engine import groups
from reports.engine.figures import Figure, empty, ratio
from reports.engine.groups import Key
from reports.engine.measures import measure
from reports.engine.question import Question

KEY = "journey_abandonment"
# Visits have none of these: with such a filter, or by it, there is no figure.
NOT_OF_VISITS = ("teams", "agents", "tags", "languages", "priorities", "types", "topics", "severities")
COUNTS = {
    "started": Count("pk"),
    "completed": Count("pk", filter=Q(completed_at__isnull=False)),
    "contacted": Count("pk", filter=Q(contacted_at__isnull=False)),
    "contacted_completed": Count("pk", filter=Q(contacted_at__isnull=False, completed_at__isnull=False)),
}


@measure(KEY, "ratio")
def journey_abandonment(question: Question, by: str | None) -> dict[Key, Figure]:
    """Of those started in the period: not completed; those who were in contact with us beside the others."""
    if any(getattr(question, name) for name in NOT_OF_VISITS):
        return {} if by else {None: empty(KEY, "ratio", "not_of_visits")}
    if by is not None and by != "channel" and by not in groups.TIMES:
        return {}
    found: dict[Key, Counter[str]] = {} if by else {None: Counter()}
    for runs in journeys_kept.kept():
        runs = runs.filter(started_at__gte=question.starts, started_at__lt=question.ends).order_by()
        if question.channels:
            runs = runs.filter(channel_id__in=question.channels)
        if question.viewer is not None:
            runs = runs.exclude(channel_id__in=access.sight(question.viewer).hidden_channels)
        for row in runs.annotate(g=_group(question, by)).values("g").annotate(**COUNTS):
            value = row.pop("g")
            key = None if by is None else groups.key_of(getattr(value, "date", lambda v=value: v)(), by)
            found.setdefault(key, Counter()).update(row)
    return {key: _figure(counts) for key, counts in found.items()}


def _group(question: Question, by: str | None) -> Any:
    if by is None:
        return F("channel_id") * 0
    if by == "channel":
        return F("channel_id")
    if by == "hour_of_week":
        weekday = ExtractIsoWeekDay("started_at", tzinfo=question.zone)
        return (weekday - 1) * 24 + ExtractHour("started_at", tzinfo=question.zone)
    return {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}[by]("started_at", tzinfo=question.zone)


def _figure(counts: Counter[str]) -> Figure:
    others, others_completed = (
        counts["started"] - counts["contacted"],
        counts["completed"] - counts["contacted_completed"],
    )
    extra = {
        "contacted": {"started": counts["contacted"], "completed": counts["contacted_completed"]},
        "not_contacted": {"started": others, "completed": others_completed},
    }
    return ratio(KEY, counts["started"] - counts["completed"], counts["started"], extra=extra)
