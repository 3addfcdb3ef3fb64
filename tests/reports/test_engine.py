"""The engine over facts that are written down here: every figure, and that its tickets add up to it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from reports import engine
from reports.engine import Question

NOW = datetime(2026, 2, 20, tzinfo=UTC)
JANUARY = Question(date(2026, 1, 1), date(2026, 2, 1), ZoneInfo("UTC"), NOW)


@pytest.mark.django_db
def test_smoke() -> None:
    for key in engine.KEYS:
        engine.figure(key, JANUARY)
        for by in engine.BREAKDOWNS:
            engine.grouped([key], JANUARY, by)
        for part in engine.parts(key):
            assert engine.shares(key, JANUARY, part) == []
            assert list(engine.tickets(key, JANUARY, part)) == []
            for by in ("day", "agent", "tag"):
                if by != "day" or key not in ("waiting", "backlog"):
                    engine.shares(key, JANUARY, part, (by, "2026-01-05" if by == "day" else None))
