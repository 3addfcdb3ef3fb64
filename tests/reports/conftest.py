"""The people and tickets of tests/cast.py for reports, their API, and a clock that stands still."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.api.conftest import as_bilal, as_sana, as_zoya
from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya

__all__ = ["as_bilal", "as_sana", "as_zoya", "bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., datetime]]:
    """The clock stands at Monday, 5 January 2026, 09:00 UTC; `wait(minutes=10)` lets time pass and tells it."""
    now = [datetime(2026, 1, 5, 9, tzinfo=UTC)]

    def passes(**span: float) -> datetime:
        now[0] += timedelta(**span)
        return now[0]

    monkeypatch.setattr(timezone, "now", lambda: now[0])
    yield passes
