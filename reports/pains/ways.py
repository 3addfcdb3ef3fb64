"""How customers move over channels before they are solved, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.models import Channel
from reports import engine
from reports.definitions import DEFINITIONS
from reports.engine.groups import MORE, PATH
from reports.pages import charts, words
from reports.pages.asked import Asked
from reports.pages.cards import link

MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Way:
    """A path: its channels (None: one that is gone), whether it goes on, and what came of it."""

    steps: Sequence[Channel | None]
    goes_on: bool
    count: str
    share: str
    bar: SafeString
    solved: str
    of: str
    between: str
    median: str
    url: str
    solved_url: str


@dataclass(frozen=True, slots=True)
class Ways:
    rows: Sequence[Way]
    more: int
    journeys: str
    moved: str  # the share of those that took more than one channel
    window: int

    @property
    def texts(self) -> list[str]:
        days = ngettext("The window is %(days)s day long.", "The window is %(days)s days long.", self.window)
        return [
            str(DEFINITIONS["paths"].text),
            _(
                "Its way is made of the channels on which they wrote, in order, up to the last solve and within the "
                "window; several messages in a row on one channel are one step, and six steps are told. Within a "
                "quarter of an hour the order is that of the tickets."
            ),
            days % {"days": self.window},
        ]


def read(asked: Asked) -> Ways:
    groups = engine.grouped(["paths"], asked.question, PATH)
    groups.sort(key=lambda one: (-one.figures["paths"].n, one.label.casefold()))
    total = sum(one.figures["paths"].n for one in groups)
    moved = sum(one.figures["paths"].n for one in groups if "-" in str(one.key))
    shown = groups[:MOST_ROWS]
    ids = {int(step) for one in shown for step in str(one.key).split("-") if step != MORE}
    channels = Channel.objects.in_bulk(ids)
    rows = []
    for at, one in enumerate(shown):
        figure, steps = one.figures["paths"], str(one.key).split("-")
        share = figure.n / total
        told = words.said("ratio", share)
        rows.append(
            Way(
                [channels.get(int(step)) for step in steps if step != MORE],
                MORE in steps,
                words.number(figure.n),
                told,
                charts.plots.span(f"way-{at}", told, share, None, None),
                words.said("ratio", figure.value),
                words.basis(figure),
                words.between(figure),
                words.said("seconds", figure.median),
                link(asked, "paths", "denominator", PATH, one.key),
                link(asked, "paths", "numerator", PATH, one.key) if figure.numerator else "",
            )
        )
    share_moved = words.said("ratio", moved / total if total else None)
    return Ways(rows, len(groups) - len(shown), words.number(total), share_moved, asked.window)
