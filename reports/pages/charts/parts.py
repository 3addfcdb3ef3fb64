"""What all drawings share: the frame with its name for screen readers, scales, lines with gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import svg
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

WHOLE = svg.Length(100, "%")
STRETCHED = svg.PreserveAspectRatio("none")  # to whatever room there is: lines keep their strength by the style sheet


def per_cent(value: float) -> svg.Length:
    return svg.Length(round(value, 3), "%")


def title(text: str) -> svg.Title:
    return svg.Title(text=escape(text))


def words(text: str, **where: object) -> svg.Text:
    return svg.Text(text=escape(text), **where)  # type: ignore[arg-type]


def framed(
    key: str, name: str, told: str, elements: Iterable[svg.Element], *, kind: str, height: int | None = None
) -> SafeString:
    """The whole drawing: `name` and what it `told` in a sentence are read out in its place."""
    ids = f"{key}-t", f"{key}-d"
    drawn = svg.SVG(
        class_=["chart", kind],
        width=WHOLE if height else None,
        height=height,
        extra={"role": "img", "aria-labelledby": " ".join(ids), "focusable": "false"},
        elements=[
            svg.Title(id=ids[0], text=escape(name)),
            svg.Desc(id=ids[1], text=escape(told)),
            *elements,
        ],
    )
    return mark_safe(drawn.as_str())  # noqa: S308 - all words in it are escaped above


@dataclass(frozen=True, slots=True)
class Scale:
    """Round numbers from `low` to `high`, and where a value lies between them."""

    low: float
    high: float
    steps: tuple[float, ...]

    def share(self, value: float) -> float:
        """0 at the bottom, 1 at the top."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0


ROUND = (1, 2, 2.5, 5, 10)
HOURS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 4 * 3600, 6 * 3600, 12 * 3600)


def scale(values: Iterable[float | None], unit: str = "count", wanted: int = 4) -> Scale:
    """From zero to a round number above all of these."""
    top = max((value for value in values if value is not None), default=0.0)
    if top <= 0:
        return Scale(0, 1, (0, 1))
    step = _step(top / wanted, unit)
    count = math.ceil(top / step - 1e-9)
    return Scale(0, step * count, tuple(step * at for at in range(count + 1)))


def _step(raw: float, unit: str) -> float:
    if unit == "seconds":
        for step in HOURS:
            if raw <= step:
                return float(step)
        return 86_400.0 * _step(raw / 86_400, "count")
    size = 10.0 ** math.floor(math.log10(raw))
    least = next(size * one for one in ROUND if raw <= size * one * 1.0001)
    return max(least, 1.0) if unit == "count" else least


def runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches without a gap: where nothing is known there is no line."""
    found: list[list[tuple[int, float]]] = []
    last = -2
    for at, value in enumerate(values):
        if value is None:
            continue
        if at == last + 1:
            found[-1].append((at, value))
        else:
            found.append([(at, value)])
        last = at
    return found
