"""A figure with all that is known of it, and the arithmetic that needs no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any

Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` of a duration is its median; None where there is nothing to count. Durations are seconds, ratios 0–1.

    `n` is what the value rests on; `low` and `high` are its 95 % interval; `provisional` is how many of the
    denominator can still change; `extra` is what stands beside it.
    """

    key: str
    unit: str  # seconds, ratio, score, count, money
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n: int = 0
    median: float | None = None
    p90: float | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    provisional: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the API tells it."""
        names = ("value", "numerator", "denominator", "n", "median", "p90", "mean", "low", "high", "provisional")
        return {"unit": self.unit, **{name: getattr(self, name) for name in names}, "extra": self.extra}


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one day, week (by its Monday), month, hour of the week (0 is Monday 0:00), channel, team, agent…

    `key` is a date as text, a number or an id; None is whatever belongs to none of them.
    """

    key: str | int | None
    label: str
    figures: dict[str, Figure]


def wilson(numerator: float, denominator: float) -> tuple[float | None, float | None]:
    """The 95 % interval of a ratio after Wilson (1927), without correction for continuity."""
    if not denominator:
        return None, None
    share, square = numerator / denominator, Z * Z / denominator
    middle = share + square / 2
    reach = Z * sqrt((share * (1 - share) + square / 4) / denominator)
    return max(0.0, (middle - reach) / (1 + square)), min(1.0, (middle + reach) / (1 + square))


def of_score(promoters: int, detractors: int, customers: int) -> tuple[float, float]:
    """The 95 % interval of a promoter score, in points: as if a promoter, a detractor and two passives more had
    answered, so that it has a width where all said the same (what Agresti and Coull, 1998, do for a share).
    """
    n = customers + 4
    middle = (promoters - detractors) / n
    reach = Z * sqrt(((promoters + detractors + 2) / n - middle * middle) / n)
    return max(-100.0, 100 * (middle - reach)), min(100.0, 100 * (middle + reach))


def ratio(
    key: str, numerator: int, denominator: int, provisional: int = 0, extra: dict[str, Any] | None = None
) -> Figure:
    """A share of things counted, with its interval."""
    low, high = wilson(numerator, denominator)
    return Figure(
        key,
        "ratio",
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        n=denominator,
        low=low,
        high=high,
        provisional=provisional,
        extra=extra or {},
    )


def empty(key: str, unit: str, reason: str) -> Figure:
    """A figure that cannot be had, and why, as a code."""
    return Figure(key, unit, extra={"reason": reason})
