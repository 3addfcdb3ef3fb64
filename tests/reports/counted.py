"""Facts made anew, and figures of them, both by the real thing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from reports import engine
from reports.engine import Figure, Question
from reports.facts import rebuilding

Period = tuple[date, date]
UTC_ZONE = ZoneInfo("UTC")


def rebuild() -> None:
    """Count everything anew, in this process and its transaction."""
    rebuilding.everything(0, lambda what, done, of: None)


def counted(keys: list[str], period: Period, zone: ZoneInfo = UTC_ZONE, **chosen: Any) -> dict[str, Figure]:
    """These figures of a period, from the facts as they are; nothing can still change, unless `now` says so."""
    asked = {"now": max(timezone.now(), datetime(2030, 1, 1, tzinfo=UTC)), **chosen}
    return engine.figures(keys, Question(*period, zone, **asked))


def everything(period: Period, **chosen: Any) -> dict[str, Figure]:
    """Every figure of a period, from facts made anew."""
    rebuild()
    return counted(list(engine.KEYS), period, **chosen)
