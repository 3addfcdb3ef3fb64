"""The small line of a card: how a figure went, with its target."""

from __future__ import annotations

from collections.abc import Sequence

import svg
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from reports.pages.charts.parts import STRETCHED, runs

WIDE, HIGH, EDGE = 200.0, 44.0, 4.0


def trend(key: str, values: Sequence[float | None], target: float | None, told: str) -> SafeString:
    """A line over an area; dashed, the target. It has no words of its own: `told` is read out in its place."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return mark_safe("")
    around = [*known, *([target] if target is not None else [])]
    low, high = min(around), max(around)
    room = (high - low) or abs(high) or 1.0
    low, high = low - room * 0.08, high + room * 0.08

    def x(at: int) -> float:
        return round(WIDE * at / max(len(values) - 1, 1), 2)

    def y(value: float) -> float:
        return round(EDGE + (HIGH - 2 * EDGE) * (high - value) / (high - low), 2)

    drawn: list[svg.Element] = []
    for run in runs(values):
        line: list[svg.PathData] = [
            svg.M(x(at), y(value)) if at == run[0][0] else svg.L(x(at), y(value)) for at, value in run
        ]
        if len(run) == 1:  # a point alone: a line as short as can be, whose round ends are a dot
            line.append(svg.L(x(run[0][0]) + 0.01, y(run[0][1])))
        else:
            closed: list[svg.PathData] = [*line, svg.L(x(run[-1][0]), HIGH), svg.L(x(run[0][0]), HIGH), svg.Z()]
            drawn.append(svg.Path(class_=["area"], d=closed))
        drawn.append(svg.Path(class_=["line"], d=line))
    if target is not None:
        drawn.append(svg.Line(class_=["target"], x1=0, x2=WIDE, y1=y(target), y2=y(target)))
    whole = svg.SVG(
        class_=["chart", "trend"],
        viewBox=svg.ViewBoxSpec(0, 0, WIDE, HIGH),
        preserveAspectRatio=STRETCHED,
        extra={"role": "img", "aria-labelledby": f"{key}-trend", "focusable": "false"},
        elements=[svg.Title(id=f"{key}-trend", text=escape(told)), *drawn],
    )
    return mark_safe(whole.as_str())  # noqa: S308 - its words are escaped
