"""A clock that stands where it is put: what the actions do then, they do at that instant."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

import pytest
from django.utils import timezone


class Standing(datetime):
    """The `datetime` that django.utils.timezone asks for the time."""

    moment: ClassVar[datetime] = datetime(2026, 1, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return cls.moment.astimezone(tz)


class Clock:
    """`clock("2026-01-05 10:00")`: it is then, in UTC."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(timezone, "datetime", Standing)

    def __call__(self, moment: str) -> datetime:
        Standing.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        return Standing.moment
