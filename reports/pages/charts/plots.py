"""Charts with axes: bars side by side, stacked areas, the heat of a week, a share with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import svg
from django.utils.safestring import SafeString

from reports.pages.charts.parts import STRETCHED, WHOLE, Scale, framed, per_cent, runs, scale, title, words

GUTTER = svg.Length(7, "%")  # for the numbers before the lines
BESIDE = svg.Length(93, "%")
HEIGHT, ABOVE, BELOW = 220, 10, 26  # pixels: all of it, the room for the topmost word, that for the words below
PLOT = HEIGHT - ABOVE - BELOW
MOST_LABELS = 8

Say = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers: `kind` is the class that colours it."""

    name: str
    kind: str
    values: Sequence[float | None]


def _y(of: Scale, value: float) -> float:
    return round(ABOVE + PLOT * (1 - of.share(value)), 1)


def _grid(of: Scale, say: Say) -> list[svg.Element]:
    """Lines across, each with its number before it."""
    drawn: list[svg.Element] = []
    for step in of.steps:
        y = _y(of, step)
        drawn.append(svg.Line(class_=["grid" if step else "base"], x1=GUTTER, x2=WHOLE, y1=y, y2=y))
        drawn.append(words(say(step), class_=["tick"], x=GUTTER, dx=-8, y=y + 4, text_anchor="end"))
    return drawn


def _beside(elements: list[svg.Element]) -> svg.SVG:
    """What is drawn right of the numbers: its per cents are of that room."""
    return svg.SVG(class_=["inner"], x=GUTTER, y=0, width=BESIDE, height=HEIGHT, elements=elements)


def _plot(shapes: list[svg.Element]) -> svg.SVG:
    """Shapes in units of 100 by 100, stretched to the room there is."""
    return svg.SVG(
        x=0,
        y=ABOVE,
        width=WHOLE,
        height=PLOT,
        viewBox=svg.ViewBoxSpec(0, 0, 100, 100),
        preserveAspectRatio=STRETCHED,
        elements=shapes,
    )


def _below(labels: Sequence[str]) -> list[svg.Element]:
    """Some of the labels, evenly, the first and the last within the edges."""
    every = max(1, -(-len(labels) // MOST_LABELS))
    drawn: list[svg.Element] = []
    for at in range(0, len(labels), every):
        where = (at + 0.5) / len(labels)
        anchor = "start" if where < 0.04 else "end" if where > 0.96 else "middle"
        x = 0.0 if anchor == "start" else 1.0 if anchor == "end" else where
        kind = ["tick", "narrow-out"] if (at // every) % 2 else ["tick"]
        drawn.append(words(labels[at], class_=kind, x=per_cent(x * 100), y=HEIGHT - 6, text_anchor=anchor))
    return drawn


def columns(key: str, name: str, told: str, labels: Sequence[str], series: Sequence[Series], say: Say) -> SafeString:
    """Bars side by side, a group for each label."""
    of = scale(value for one in series for value in one.values)
    slot = 100 / max(len(labels), 1)
    wide = slot * (0.72 if len(labels) > 1 else 0.3) / max(len(series), 1)
    drawn: list[svg.Element] = []
    for at, label in enumerate(labels):
        left = slot * at + (slot - wide * len(series)) / 2
        for place, one in enumerate(series):
            value = one.values[at]
            if value is None:
                continue
            y = _y(of, value)
            bar = svg.Rect(
                class_=["bar", one.kind],
                x=per_cent(left + wide * place),
                y=y,
                width=per_cent(wide * 0.9),
                height=max(round(ABOVE + PLOT - y, 1), 0),
                elements=[title(f"{label}: {one.name} {say(value)}")],
            )
            drawn.append(bar)
    inside = _beside([*drawn, *_below(labels)])
    return framed(key, name, told, [*_grid(of, say), inside], kind="columns", height=HEIGHT)


def stacked(key: str, name: str, told: str, labels: Sequence[str], series: Sequence[Series], say: Say) -> SafeString:
    """Areas on top of each other: what they come to together, and what of."""
    sums = [sum(one.values[at] or 0 for one in series) for at in range(len(labels))]
    of = scale(sums)
    last = max(len(labels) - 1, 1)
    below = [0.0] * len(labels)
    shapes: list[svg.Element] = []
    for one in series:
        above = [low + (one.values[at] or 0) for at, low in enumerate(below)]
        edge = [(at / last * 100, (1 - of.share(value)) * 100) for at, value in enumerate(above)]
        back = [(at / last * 100, (1 - of.share(value)) * 100) for at, value in reversed(list(enumerate(below)))]
        path: list[svg.PathData] = [svg.M(round(edge[0][0], 2), round(edge[0][1], 2))] if edge else []
        path += [svg.L(round(x, 2), round(y, 2)) for x, y in [*edge[1:], *back]]
        shapes.append(svg.Path(class_=["stack", one.kind], d=[*path, svg.Z()], elements=[title(one.name)]))
        below = above
    inside = _beside([_plot(shapes), *_below(labels)])
    return framed(key, name, told, [inside, *_grid(of, say)], kind="areas", height=HEIGHT)


def lines(
    key: str, name: str, told: str, labels: Sequence[str], series: Sequence[Series], say: Say, unit: str = "count"
) -> SafeString:
    """Lines, broken where nothing is known."""
    of = scale((value for one in series for value in one.values), unit)
    shapes: list[svg.Element] = []
    last = max(len(labels) - 1, 1)
    for one in series:
        for run in runs(one.values):
            spots = [(round(at / last * 100, 2), round((1 - of.share(value)) * 100, 2)) for at, value in run]
            path: list[svg.PathData] = [svg.M(*spots[0])]
            path += [svg.L(*spot) for spot in spots[1:]] or [svg.L(spots[0][0] + 0.01, spots[0][1])]
            shapes.append(svg.Path(class_=["line", one.kind], d=path))
    inside = _beside([_plot(shapes), *_below(labels)])
    return framed(key, name, told, [*_grid(of, say), inside], kind="lines", height=HEIGHT)


ROW, GAP, LEFT = 22, 3, 9.0  # pixels of a row and between two; per cent for the names of the days
LEVELS = 6


def heat(
    key: str, name: str, told: str, days: Sequence[str], week: Sequence[Sequence[float]], say: Callable[[int, int], str]
) -> SafeString:
    """A square for each hour of the week, the darker the more; `say` tells what stands at day and hour."""
    top = max((value for row in week for value in row), default=0) or 1
    wide = (100 - LEFT) / 24
    drawn: list[svg.Element] = []
    for day, row in enumerate(week):
        y = day * (ROW + GAP)
        drawn.append(words(days[day], class_=["tick"], x=0, y=y + 15))
        for hour, value in enumerate(row):
            level = 0 if not value else min(LEVELS - 1, 1 + int(value / top * (LEVELS - 1.001)))
            square = svg.Rect(
                class_=["cell", f"level-{level}"],
                x=per_cent(LEFT + hour * wide),
                y=y,
                width=per_cent(wide * 0.88),
                height=ROW,
                rx=3,
                elements=[title(say(day, hour))],
            )
            drawn.append(square)
    bottom = len(week) * (ROW + GAP) + 13
    drawn += [
        words(f"{hour:02}", class_=["tick"], x=per_cent(LEFT + (hour + 0.44) * wide), y=bottom, text_anchor="middle")
        for hour in (0, 6, 12, 18, 23)
    ]
    return framed(key, name, told, drawn, kind="heat", height=bottom + 6)


def span(key: str, told: str, value: float, low: float | None, high: float | None) -> SafeString:
    """A share from 0 to 1 as a bar, with what it may be in truth as a thinner line over it."""
    drawn: list[svg.Element] = [
        svg.Rect(class_=["track"], x=0, y=5, width=WHOLE, height=6, rx=3),
        svg.Rect(class_=["fill"], x=0, y=5, width=per_cent(value * 100), height=6, rx=3),
    ]
    if low is not None and high is not None:
        y = 8
        drawn.append(svg.Line(class_=["whisker"], x1=per_cent(low * 100), x2=per_cent(high * 100), y1=y, y2=y))
        drawn += [
            svg.Line(class_=["whisker"], x1=per_cent(one * 100), x2=per_cent(one * 100), y1=3, y2=13)
            for one in (low, high)
        ]
    return framed(key, told, told, drawn, kind="span", height=16)
