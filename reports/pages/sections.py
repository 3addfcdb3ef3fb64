"""What stands below the cards: each part reads its own figures and is fetched by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine import Group
from reports.models import SpanState
from reports.pages import charts, words
from reports.pages.asked import Asked
from reports.pages.cards import link

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


STEPS: Mapping[str, StrOrPromise] = {
    "day": gettext_lazy("Day"),
    "week": gettext_lazy("Week from"),
    "month": gettext_lazy("Month"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """What a chart was drawn from, as rows of words: the first of each row is its head."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its legend and its table; `empty` says in its place why there is none."""

    chart: SafeString
    table: Table
    legend: Sequence[tuple[str, str]] = ()  # class and name
    empty: str = ""
    foot: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


def say(value: float) -> str:
    return words.number(value, 0 if float(value).is_integer() else 1)


def labels_of(groups: Sequence[Group], step: str) -> list[str]:
    """What stands below a chart: short, since there are many."""
    if step == "month":
        return [one.label for one in groups]
    return [words.short_day(date.fromisoformat(str(one.key))) for one in groups]


def flow(asked: Asked) -> Drawn:
    """Opened and solved, day by day."""
    groups = engine.grouped(["volume", "solved"], asked.question, asked.step)
    labels = labels_of(groups, asked.step)
    opened = [one.figures["volume"].value for one in groups]
    solved = [one.figures["solved"].value for one in groups]
    total = int(sum(opened_ or 0 for opened_ in opened)), int(sum(one or 0 for one in solved))
    name = _("Opened and solved")
    told = _("%(opened)s opened and %(solved)s solved in this period.") % {
        "opened": words.number(total[0]), "solved": words.number(total[1])}  # fmt: skip
    series = [charts.plots.Series(_("opened"), "s-1", opened), charts.plots.Series(_("solved"), "s-2", solved)]
    rows = [
        [label, say(first or 0), say(second or 0)] for label, first, second in zip(labels, opened, solved, strict=True)
    ]
    return Drawn(
        charts.plots.columns("flow", name, told, labels, series, say),
        Table([str(STEPS[asked.step]), _("opened"), _("solved")], rows),
        [(one.kind, one.name) for one in series],
        "" if any(total) else _("Nothing was opened or solved in this period."),
        told,
        {_("opened"): link(asked, "volume", "n"), _("solved"): link(asked, "solved", "n")},
    )


def hours(asked: Asked) -> Drawn:
    """When customers write: messages by hour of the week."""
    groups = engine.grouped(["messages_in"], asked.question, "hour_of_week")
    by_hour = {int(one.key): one.figures["messages_in"].value or 0 for one in groups if one.key is not None}
    week = [[by_hour.get(day * 24 + hour, 0) for hour in range(24)] for day in range(7)]
    days = [str(WEEKDAYS_ABBR[day]) for day in range(7)]
    busiest = max(by_hour, key=lambda at: by_hour[at], default=0)

    def at(day: int, hour: int) -> str:
        return f"{days[day]} {hour:02}:00 – {hour + 1:02}:00: {say(week[day][hour])}"

    total = sum(by_hour.values())
    told = (
        _("Customers write most on %(day)s from %(hour)s o’clock.")
        % {"day": days[busiest // 24], "hour": f"{busiest % 24:02}"}
        if total
        else ""
    )
    rows = [[f"{hour:02}:00", *(say(week[day][hour]) for day in range(7))] for hour in range(24)]
    return Drawn(
        charts.plots.heat("hours", _("When customers write"), told, days, week, at),
        Table([_("Hour"), *days], rows),
        empty="" if total else _("No customer wrote in this period."),
        foot=told,
    )


def backlog(asked: Asked) -> Drawn:
    """What was unsolved at the end of each step, by whom it waited for."""
    groups = engine.grouped(["backlog"], asked.question, asked.step)
    groups = [one for one in groups if one.figures["backlog"].value is not None]
    labels = labels_of(groups, asked.step)
    totals = [one.figures["backlog"].value or 0 for one in groups]
    extras = [one.figures["backlog"].extra for one in groups]
    series = [
        charts.plots.Series(str(BACKLOG[state]), f"s-{at}", [float(extra.get(state, 0)) for extra in extras])
        for at, state in enumerate(BACKLOG, 1)
    ]
    series = [one for one in series if any(one.values)] or [charts.plots.Series(_("unsolved"), "s-2", totals)]
    rows = [
        [label, say(total), *(say(one.values[at] or 0) for one in series)]
        for at, (label, total) in enumerate(zip(labels, totals, strict=True))
    ]
    several = len(series) > 1
    if not several:
        rows = [row[:2] for row in rows]
    told = _("From %(first)s to %(last)s unsolved tickets.") % {
        "first": say(totals[0]), "last": say(totals[-1])} if totals else ""  # fmt: skip
    return Drawn(
        charts.plots.stacked("backlog", _("Backlog"), told, labels, series, say),
        Table([str(STEPS[asked.step]), _("unsolved"), *(one.name for one in series if several)], rows),
        [(one.kind, one.name) for one in series],
        "" if any(totals) else _("Nothing was left unsolved."),
        told,
    )


BACKLOG: Mapping[str, StrOrPromise] = {
    SpanState.US: gettext_lazy("on us"),
    SpanState.CUSTOMER: gettext_lazy("on the customer"),
    SpanState.HOLD: gettext_lazy("on hold"),
    SpanState.SNOOZED: gettext_lazy("snoozed"),
    SpanState.BOT: gettext_lazy("with a bot"),
}


# Tables of groups ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of one group: its words, what it rests on, the tickets behind it; a share also as a bar."""

    words: str
    n: str = ""
    url: str = ""
    between: str = ""
    bar: SafeString = field(default_factory=lambda: SafeString(""))


@dataclass(frozen=True, slots=True)
class Row:
    key: Any
    label: str
    cells: Sequence[Cell]

    @property
    def avatar(self) -> str:
        """By which an agent's hue is known everywhere."""
        return f"agent-{self.key}"


@dataclass(frozen=True, slots=True)
class Grid:
    """Figures by group: heads with the key of each figure, rows with a cell for each."""

    by: str
    heads: Sequence[tuple[str, StrOrPromise]]
    rows: Sequence[Row]
    more: int = 0
    empty: str = ""


HEADS: Mapping[str, StrOrPromise] = {
    "volume": gettext_lazy("Tickets"),
    "solved": gettext_lazy("Solved"),
    "first_response": gettext_lazy("First response"),
    "resolution_full": gettext_lazy("Resolution"),
    "fcr": gettext_lazy("FCR"),
    "csat": gettext_lazy("CSAT"),
    "aht": gettext_lazy("Handle time"),
    "cost_per_ticket": gettext_lazy("Cost per ticket"),
    "reopen_rate": gettext_lazy("Opened again"),
    "conversion": gettext_lazy("Ordered after"),
}
MOST_ROWS = 15


def grid(asked: Asked, by: str, keys: Sequence[str], empty: str, most: int = MOST_ROWS) -> Grid:
    """These figures by group, the group with most of the first one first."""
    known = [key for key in keys if key in engine.MEASURES]
    groups = engine.grouped(known, asked.question, by)
    groups = [one for one in groups if any(one.figures[key].n for key in known)]
    groups.sort(key=lambda one: (-(one.figures[known[0]].n or 0), one.key is None, one.label.casefold()))
    # A ticket may have several tags: what they are shares of is all tickets, not the sum of the rows.
    all_of = engine.figures([known[0]], asked.question)[known[0]].n if by == "tag" else 0
    total = all_of or sum(one.figures[known[0]].n for one in groups)
    rows = [
        Row(
            one.key,
            one.label,
            [_share(asked, known[0], one, by, total), *(cell(asked, key, one, by) for key in known[1:])],
        )
        for one in groups[:most]
    ]
    return Grid(by, [(key, HEADS[key]) for key in known], rows, max(len(groups) - most, 0), "" if rows else empty)


def _share(asked: Asked, key: str, group: Group, by: str, total: int) -> Cell:
    """How many, and as a bar what share of all that is."""
    count = cell(asked, key, group, by)
    share = group.figures[key].n / total if total else 0.0
    told = words.said("ratio", share)
    return Cell(count.words, told, count.url, "", charts.plots.span(f"{by}-{group.key}-{key}", told, share, None, None))


def cell(asked: Asked, key: str, group: Group, by: str) -> Cell:
    figure = group.figures[key]
    opens = engine.parts(key)
    part = "denominator" if "denominator" in opens else opens[0] if opens else ""
    url = link(asked, key, part, by, group.key) if part and figure.n else ""
    if figure.value is None:
        return Cell(words.NOTHING, f"n = {words.number(figure.n)}" if figure.n else "", url)
    if figure.unit == "count":
        return Cell(words.said("count", figure.value), url=url)
    bar = SafeString("")
    if figure.unit == "ratio":
        told = words.said("ratio", figure.value)
        bar = charts.plots.span(f"{by}-{group.key}-{key}", told, figure.value, figure.low, figure.high)
    value = words.said(figure.unit, figure.value, figure.extra.get("currency", ""))
    return Cell(value, f"n = {words.number(figure.n)}", url, words.between(figure), bar)


def channels(asked: Asked) -> Grid:
    keys = ("volume", "first_response", "resolution_full", "fcr", "csat", "cost_per_ticket", "conversion")
    return grid(asked, "channel", keys, _("No customer wrote in this period."))


def agents(asked: Asked) -> Grid:
    keys = ("solved", "first_response", "resolution_full", "fcr", "csat", "aht", "reopen_rate")
    return grid(asked, "agent", keys, _("Nobody answered or solved anything in this period."), 50)


def teams(asked: Asked) -> Grid:
    keys = ("solved", "first_response", "resolution_full", "fcr", "csat", "aht", "reopen_rate")
    return grid(asked, "team", keys, _("No team answered or solved anything in this period."), 50)


ISSUES: Mapping[str, StrOrPromise] = {
    "tag": gettext_lazy("Tag"),
    "topic": gettext_lazy("Topic"),
    "type": gettext_lazy("Nature"),
    "severity": gettext_lazy("Severity"),
    "language": gettext_lazy("Language"),
}


def issues(asked: Asked, by: str = "tag") -> Grid:
    """What customers write about: how often, how long it takes, how it ends."""
    keys = ("volume", "resolution_full", "fcr", "csat", "reopen_rate")
    return grid(asked, by, keys, _("No customer wrote in this period."), 10)


# The eight are not all: what else is counted, in a line each ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A figure in one line of a table."""

    title: StrOrPromise
    text: StrOrPromise
    cell: Cell
    comparison: words.Comparison | None
    basis: str


MORE = ("one_touch", "reopen_rate", "next_response", "customer_wait", "ces", "fcr_confirmed", "abandonment",
        "cost_per_ticket", "conversion", "journey_abandonment", "retention", "churn", "clv", "messages_in",
        "messages_out")  # fmt: skip


def more(asked: Asked) -> list[Line]:
    """What is counted beside the eight figures, each beside what it was; what has nothing to count is left out."""
    keys = list(MORE)
    now, before = engine.figures(keys, asked.question), engine.figures(keys, asked.question.before())
    found = []
    for key in keys:
        if now[key].value is None:
            continue
        definition = DEFINITIONS[key]
        compared = words.compared(now[key], before[key], definition.better)
        shown = cell(asked, key, Group(None, "", now), "")
        found.append(Line(definition.title, definition.text, shown, compared, words.basis(now[key])))
    return found


CHARTS: Mapping[str, Callable[[Asked], Drawn]] = {"flow": flow, "hours": hours, "backlog": backlog}
GRIDS: Mapping[str, Callable[[Asked], Grid]] = {"channels": channels, "agents": agents, "teams": teams}
