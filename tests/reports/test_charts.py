"""Drawings: round scales, gaps, words escaped; figures in words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from reports.engine import Figure
from reports.pages import words
from reports.pages.charts import plots
from reports.pages.charts.parts import runs, scale
from reports.pages.charts.trend import trend


@pytest.mark.parametrize(
    ("top", "unit", "high"),
    [(0, "count", 1), (3, "count", 3), (7, "count", 8), (93, "count", 100), (0.9, "ratio", 1), (5000, "seconds", 5400),
     (200_000, "seconds", 3 * 86_400)],
)  # fmt: skip
def test_scales_are_round(top: float, unit: str, high: float) -> None:
    found = scale([top, None, 0], unit)
    assert found.high >= top and found.steps[0] == 0 and len(found.steps) <= 6
    assert found.high == pytest.approx(high)


def test_drawings_are_well_formed_and_escaped() -> None:
    name = '<b>"Tom & Jerry"</b>'
    series = [plots.Series(name, "s-1", [1, None, 3]), plots.Series("y", "s-2", [2, 2, 0])]
    drawn = [
        plots.columns("a", name, name, ["1", "2", name], series, str),
        plots.stacked("b", name, name, ["1", "2", "3"], series, str),
        plots.lines("c", name, name, ["1", "2", "3"], series, str),
        plots.heat("d", name, name, list("abcdefg"), [[0.0] * 24] * 6 + [[5.0] * 24], lambda day, hour: name),
        plots.span("e", name, 0.5, 0.2, 0.9),
        trend("f", [1, None, 3, 4], 2.0, name),
        plots.columns("g", name, name, [], [], str),
    ]
    for one in drawn:
        root = ElementTree.fromstring(one)
        assert root.get("role") == "img" and "<b>" not in one and "style" not in one
        assert root.get("aria-labelledby")
    assert trend("x", [None, 1, None], None, "") == ""
    assert runs([1, 2, None, 4]) == [[(0, 1), (1, 2)], [(3, 4)]]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.6, "1:00 min"), (75, "1:15 min"), (840, "14 min"), (3600, "1 h"), (18_720, "5 h 12 min"),
     (200_000, "2 d 8 h"), (90 * 86_400, "90 d"), (None, "–")],
)  # fmt: skip
def test_durations_in_words(seconds: float | None, said: str) -> None:
    assert words.said("seconds", seconds) == said


def test_comparisons_say_what_is_good_and_what_may_be_chance() -> None:
    def share(value: float, low: float, high: float) -> Figure:
        return Figure("fcr", "ratio", value, low=low, high=high)

    before, far, near = share(0.6, 0.55, 0.65), share(0.8, 0.75, 0.85), share(0.63, 0.58, 0.68)
    better = words.compared(far, before, "up")
    assert better is not None and (better.direction, better.verdict, better.change) == ("up", "better", "20.0")
    worse = words.compared(before, far, "up")
    assert worse is not None and (worse.direction, worse.verdict) == ("down", "worse")
    chance = words.compared(near, before, "up")
    assert chance is not None and chance.verdict == "unsure"
    slow = words.compared(Figure("x", "seconds", 900), Figure("x", "seconds", 600), "down")
    assert slow is not None and (slow.change, slow.verdict) == ("5:00 min", "worse")
    assert words.compared(far, Figure("fcr", "ratio"), "up") is None
    neither = words.compared(Figure("x", "count", 9), Figure("x", "count", 3), None)
    assert neither is not None and neither.verdict == ""
