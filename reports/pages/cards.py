"""The eight figures that a manager reads first: each with what it rests on, its trend, its target and what it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports import engine
from reports.definitions import DEFINITIONS, Definition
from reports.engine import Figure
from reports.models import SpanState
from reports.pages import charts, words
from reports.pages.asked import Asked

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KEYS = ("fcr", "aht", "csat", "nps", "first_response", "resolution_full", "sla", "backlog")
# What is read with a figure, for its notes.
BESIDE = {"first_response": ("waiting",), "csat": ("response_rate",), "aht": ("coverage",)}
STATES: Mapping[str, StrOrPromise] = {
    SpanState.US: gettext_lazy("wait on us"),
    SpanState.CUSTOMER: gettext_lazy("on the customer"),
    SpanState.HOLD: gettext_lazy("on hold"),
    SpanState.SNOOZED: gettext_lazy("snoozed"),
    SpanState.BOT: gettext_lazy("with a bot"),
}
LONGER = {"day": "week", "week": "month"}  # for a score that needs ten answers to be one
# What a target is typed in, by the unit of its figure: how much of the figure's own unit one of it is, and its name.
TYPED: Mapping[str, tuple[float, StrOrPromise]] = {
    "ratio": (0.01, "%"),
    "seconds": (60.0, gettext_lazy("minutes")),
    "score": (1.0, gettext_lazy("points")),
    "count": (1.0, gettext_lazy("tickets")),
    "money": (1.0, ""),
}
# Why a figure is not there, by the code that the engine gives.
REASONS: Mapping[str, StrOrPromise] = {
    "no_policy": gettext_lazy("Comes with service levels: promises of when to answer and to solve."),
    "no_rate": gettext_lazy("No team has an hourly rate yet."),
    "no_revenue": gettext_lazy("Comes with revenue: nothing was imported yet."),
    "no_margin": gettext_lazy("The settings name no margin yet."),
    "few_customers": gettext_lazy("Under thirty customers it would be chance."),
    "not_of_tickets": gettext_lazy(
        "Customers belong to no channel, team or agent: with such a filter it is not counted."
    ),
    "not_of_visits": gettext_lazy("Visits belong to no team, agent or tag: with such a filter it is not counted."),
    "nobodys": gettext_lazy("Whether customers recommend you is nobody’s own work: this is not counted by agent."),
    "few": gettext_lazy("Under ten answers there is no score, only counts."),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One figure as its card shows it."""

    key: str
    definition: Definition
    figure: Figure
    value: list[words.Part]
    comparison: words.Comparison | None = None
    trend: SafeString = field(default_factory=lambda: SafeString(""))
    target: float | None = None
    links: Mapping[str, str] = field(default_factory=dict)  # of the tickets behind each part
    notes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def title(self) -> StrOrPromise:
        return title(self.key)

    @property
    def is_seat(self) -> bool:
        """Whether nothing counts this figure yet: its place is kept."""
        return self.figure.extra.get("reason") == "no_policy"

    @property
    def interval(self) -> str:
        return words.between(self.figure)

    @property
    def top(self) -> SafeString:
        """The numerator, which opens its tickets."""
        return _opens(words.plain(self.figure.numerator or 0), self.links.get("numerator"))

    @property
    def bottom(self) -> SafeString:
        """What it is a share of, likewise."""
        return _opens(words.plain(self.figure.denominator or 0), self.links.get("denominator"))

    @property
    def count(self) -> str:
        return words.number(self.figure.n)

    @property
    def states(self) -> list[tuple[SafeString, str]]:
        """Of the backlog: how much of it waits for whom, each of which opens its tickets."""
        if self.key != "backlog":
            return []
        counted = [(state, int(self.figure.extra.get(state, 0))) for state in STATES]
        return [
            (_opens(words.number(count), self.links.get(state)), str(STATES[state]))
            for state, count in counted
            if count
        ]

    @property
    def all_of_it(self) -> str:
        """The tickets of a figure that is no share."""
        return self.links.get("n") or self.links.get("denominator") or ""

    @property
    def is_share(self) -> bool:
        return bool(self.figure.denominator) and self.figure.unit == "ratio"

    @property
    def target_words(self) -> str:
        return words.said(self.figure.unit, self.target) if self.target is not None else ""

    @property
    def typed_target(self) -> str:
        """The target as it is typed."""
        if self.target is None:
            return ""
        return f"{self.target / TYPED[self.figure.unit][0]:g}"

    @property
    def typed_unit(self) -> StrOrPromise:
        return TYPED[self.figure.unit][1]

    @property
    def met(self) -> bool | None:
        """Whether the target is met, where there is one and the figure has a direction that is good."""
        if self.target is None or self.figure.value is None or self.definition.better is None:
            return None
        more = self.figure.value >= self.target
        return more if self.definition.better == "up" else self.figure.value <= self.target

    @property
    def provisional(self) -> str:
        return words.number(self.figure.provisional) if self.figure.provisional else ""


def title(key: str) -> StrOrPromise:
    """What a card is called: as its figure."""
    return DEFINITIONS[key].title


def link(asked: Asked, key: str, part: str, by: str = "", group: Any = None) -> str:
    """The list of tickets behind one part of a figure."""
    pairs = [("figure", key), ("part", part)]
    if by:
        pairs += [("by", by), ("group", "" if group is None else str(group))]
    return f"{reverse('reports-tickets')}?{urlencode([*pairs, *asked.pairs()])}"


def _opens(text: str, url: str | None) -> SafeString:
    return format_html('<a href="{}" class="num">{}</a>', url, text) if url else format_html("{}", text)


def links(asked: Asked, figure: Figure, by: str = "", group: Any = None) -> dict[str, str]:
    return {part: link(asked, figure.key, part, by, group) for part in engine.parts(figure.key)}


def reason_of(figure: Figure) -> str:
    if figure.value is not None:
        return ""
    code = figure.extra.get("reason") or ("few" if figure.key.startswith("nps") and figure.n else "")
    return str(REASONS.get(code, _("There is nothing to count in this period.")))


def card(key: str, asked: Asked, target: float | None = None) -> Card:
    """Reads what the card of this figure needs: now, before, and step by step."""
    question, definition = asked.question, DEFINITIONS[key]
    step = LONGER.get(asked.step, asked.step) if key == "nps" else asked.step
    read, before, values = engine.looked([key, *BESIDE.get(key, ())], question, key, step)
    figure = read[key]
    if key == "nps" and question.agents:
        return Card(key, definition, figure, words.parts("", None), reason=str(REASONS["nobodys"]))
    if figure.extra.get("reason") == "no_policy":
        return Card(key, definition, figure, words.parts("", None), reason=reason_of(figure))
    return Card(
        key,
        definition,
        figure,
        words.parts(figure.unit, figure.value),
        words.compared(figure, before, definition.better),
        charts.trend.trend(f"card-{key}", values, target, _told(figure, values, target)),
        target,
        links(asked, figure),
        tuple(_notes(read, key)),
        reason_of(figure),
    )


def plain(figure: Figure, before: Figure) -> Card:
    """A card of figures that were read already: without a trend, a target or tickets."""
    definition = DEFINITIONS[figure.key]
    moved = words.compared(figure, before, definition.better)
    value = words.parts(figure.unit, figure.value, figure.extra.get("currency", ""))
    return Card(figure.key, definition, figure, value, moved, reason=reason_of(figure))


def _told(figure: Figure, values: list[float | None], target: float | None) -> str:
    """The trend in a sentence, for who does not see it."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    said = _("From %(first)s to %(last)s; lowest %(low)s, highest %(high)s.") % {
        "first": words.said(figure.unit, known[0]),
        "last": words.said(figure.unit, known[-1]),
        "low": words.said(figure.unit, min(known)),
        "high": words.said(figure.unit, max(known)),
    }
    if not target:
        return said
    aim = _("Target: %(target)s.") % {"target": words.said(figure.unit, target)}
    return f"{said} {aim}"


def _notes(read: Mapping[str, Figure], key: str) -> list[str]:
    """What else is worth saying of this figure, beside what it rests on."""
    figure, found = read[key], []
    if figure.p90 is not None:
        found.append(_("one in ten over %(time)s") % {"time": words.said("seconds", figure.p90)})
    if (coverage := read.get("coverage")) and coverage.value is not None:
        found.append(_("focus data for %(share)s") % {"share": words.said("ratio", coverage.value)})
    if waiting := read.get("waiting"):
        found.append(_("%(count)s wait") % {"count": words.number(waiting.n)} if waiting.n else _("nobody waits"))
    if (rate := read.get("response_rate")) and rate.value is not None:
        found.append(_("%(share)s answered") % {"share": words.said("ratio", rate.value)})
    return found
