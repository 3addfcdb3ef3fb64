"""Waits that the code decides upon, measured on a machine that may be long in getting to it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.utils import timezone


class Decision:
    """Something decided while this is entered, so that neither what came before nor what came after counts as waiting.

    with Decision() as decision:
        row = send()
    assert decision.puts_off(row.next_attempt_at, 4, 6)
    """

    def __enter__(self) -> Self:
        self.began = self.ended = timezone.now()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended = timezone.now()

    def puts_off(self, until: datetime | None, least: float, most: float) -> bool:
        """Whether `until` may be `least` to `most` seconds after the moment of the decision."""
        if until is None:
            return False
        return (until - self.began).total_seconds() >= least and (until - self.ended).total_seconds() <= most
