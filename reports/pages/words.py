"""Figures in words: a value with its unit, what lies behind it, how it compares with the period before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from lib import money
from reports.engine import Figure

NOTHING = "–"
SAME = 0.005  # a change of less than half a per cent is none that anybody should act on

Part = tuple[str, str]  # a number and its unit


def number(value: float, places: int = 0) -> str:
    return str(number_format(round(value, places), decimal_pos=places, use_l10n=True, force_grouping=True))


def seconds(value: float) -> list[Part]:
    """A duration in at most two units, as exact as anybody needs it."""
    whole = round(abs(value))
    if whole < 60:
        return [(number(whole), pgettext("unit of time", "s"))]
    if whole < 600:
        return [(f"{whole // 60}:{whole % 60:02}", pgettext("unit of time", "min"))]
    if whole < 3570:
        return [(number(whole / 60), pgettext("unit of time", "min"))]
    minutes = round(whole / 60)
    if minutes < 48 * 60:
        return _two(minutes // 60, pgettext("unit of time", "h"), minutes % 60, pgettext("unit of time", "min"))
    hours = round(whole / 3600)
    if hours < 14 * 24:
        return _two(hours // 24, pgettext("unit of time", "d"), hours % 24, pgettext("unit of time", "h"))
    return [(number(hours / 24), pgettext("unit of time", "d"))]


def _two(first: int, unit: str, second: int, smaller: str) -> list[Part]:
    return [(number(first), unit)] + [(number(second), smaller)] * bool(second)


def parts(unit: str, value: float | None, currency: str = "") -> list[Part]:
    """A value as a card shows it: numbers, each with its unit beside it; `currency` is that of money."""
    if value is None:
        return [(NOTHING, "")]
    if unit == "seconds":
        return seconds(value)
    if unit == "ratio":
        return [(number(value * 100, 1), "%")]
    if unit == "score":
        sign = "−" if round(value) < 0 else "+" if round(value) > 0 else ""
        return [(f"{sign}{number(abs(value))}", "")]
    if unit == "money":
        return [(number(value, money.places(currency)), currency)]
    return [(number(value, 0 if float(value).is_integer() else 1), "")]


def said(unit: str, value: float | None, currency: str = "") -> str:
    """The same in one line."""
    if unit == "ratio" and value is not None:
        return _("%(number)s%%") % {"number": number(value * 100, 1)}
    return " ".join(f"{amount} {name}".strip() for amount, name in parts(unit, value, currency))


def between(figure: Figure) -> str:
    """Between what the figure lies with 95 % certainty; empty where there is nothing to say."""
    if figure.low is None or figure.high is None or figure.value is None:
        return ""
    if figure.unit == "ratio":
        low, high = number(figure.low * 100, 1), number(figure.high * 100, 1)
        return _("%(low)s–%(high)s%%") % {"low": low, "high": high}
    return f"{said(figure.unit, figure.low)} – {said(figure.unit, figure.high)}"


def plain(value: float) -> str:
    """A numerator or denominator: a count mostly, seconds of a handle time else."""
    return number(value, 0)


def basis(figure: Figure) -> str:
    """What the value was counted from, in a few words."""
    if figure.unit == "ratio" and figure.denominator is not None:
        return _("%(numerator)s of %(denominator)s") % {
            "numerator": plain(figure.numerator or 0),
            "denominator": plain(figure.denominator),
        }
    return f"n = {number(figure.n or 0)}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure beside that of the period before. `verdict`: better, worse, same, unsure, or empty (neither is good)."""

    direction: str  # up, down or flat
    change: str  # how much, without a sign
    before: str
    verdict: str

    @property
    def words(self) -> str:
        return {
            "better": _("better"),
            "worse": _("worse"),
            "unsure": _("may be chance"),
            "same": _("no change"),
        }.get(self.verdict, "")


def compared(now: Figure, before: Figure | None, better: str | None) -> Comparison | None:
    """How far the figure has moved since the period before, and whether that is good by its own definition."""
    if before is None or now.value is None or before.value is None:
        return None
    moved = now.value - before.value
    size = abs(before.value) if now.unit != "ratio" else 1.0
    flat = abs(moved) < SAME * size if size else moved == 0
    direction = "flat" if flat else "up" if moved > 0 else "down"
    currency = now.extra.get("currency", "")
    return Comparison(
        direction,
        _moved(now.unit, abs(moved), currency),
        said(now.unit, before.value, currency),
        _verdict(direction, now, before, better),
    )


def _moved(unit: str, by: float, currency: str) -> str:
    if unit == "ratio":
        return number(by * 100, 1)
    if unit == "score":
        return number(by)
    return said(unit, by, currency)


def _verdict(direction: str, now: Figure, before: Figure, better: str | None) -> str:
    if direction == "flat":
        return "same"
    if better is None:
        return ""
    known = None not in (now.low, now.high, before.low, before.high)
    if known and not (now.low > before.high or before.low > now.high):  # type: ignore[operator]
        return "unsure"
    return "better" if direction == better else "worse"


def days(start: date, end: date) -> str:
    """A half-open period as people say it, its last day included."""
    last = end - timedelta(days=1)
    if start == last:
        return date_format(start, "DATE_FORMAT")
    return f"{date_format(start, 'DATE_FORMAT')} – {date_format(last, 'DATE_FORMAT')}"


def short_day(day: date) -> str:
    return date_format(day, pgettext("a day below a chart, in Django's letters", "j M"))


def list_of(words: Iterable[str]) -> str:
    return " · ".join(word for word in words if word)


def tickets(count: int) -> str:
    return ngettext("%(count)s ticket", "%(count)s tickets", count) % {"count": number(count)}
