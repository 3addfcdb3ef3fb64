"""What is rising: this week, as far as it has come, against the same days of the eight weeks before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from reports import engine
from reports.pages import words
from reports.pages.asked import Asked
from reports.pages.cards import link
from reports.pains.chance import FALSE_SHARE, adjusted, p_value
from reports.pains.measures import WEEKS
from reports.pains.wanted import Wanted

LEAST = 10  # tickets in the nine weeks together: below, not even the rarest outcome says much
LEAST_NOW = 5  # tickets of this week, for something to be called rising
MOST_ROWS = 12
SHARE = 1 / (WEEKS + 1)  # of the time that both stretches take, what lies in this week


@dataclass(frozen=True, slots=True)
class Compared:
    """A name whose tickets are more, or fewer, than chance makes likely."""

    label: str
    now: int
    before: int
    p: float  # after the correction for how many names are looked at
    now_url: str = ""
    before_url: str = ""

    @property
    def rises(self) -> bool:
        return self.now * WEEKS > self.before

    @property
    def expected(self) -> str:
        return words.number(self.before / WEEKS, 1)

    @property
    def times(self) -> str:
        """How many times as many as expected; empty where none were."""
        return words.number(self.now * WEEKS / self.before, 1) if self.before else ""

    @property
    def p_words(self) -> str:
        return "p < 0.001" if self.p < 0.001 else f"p = {words.number(self.p, 3)}"


@dataclass(frozen=True, slots=True)
class Rising:
    rows: Sequence[Compared]
    falling: Sequence[Compared]
    looked_at: int
    days: str
    is_running: bool

    @property
    def texts(self) -> list[str]:
        """The test, in words."""
        return [
            _(
                "Tickets opened this week, from Monday on in the time zone chosen, are held against the same days, up"
                " to the same time, of each of the eight weeks before; the period chosen above does not matter here. "
                "An eighth of those is what is expected."
            ),
            _(
                "The test is the exact conditional one for two Poisson rates: if nothing has changed, each ticket of "
                "the nine weeks lies in this one with a chance of one in nine, so that its count is binomial; p is "
                "twice the smaller tail."
            ),
            _(
                "As many names are looked at, p is corrected after Benjamini and Hochberg; called out is what is then"
                " at most 0.05. Compared are names with at least %(least)s tickets in the nine weeks; called rising "
                "are those with at least %(now)s this week."
            )
            % {"least": LEAST, "now": LEAST_NOW},
            _(
                "The test knows of no holidays, and where weeks differ much anyway it calls out more than it should: "
                "look at the tickets."
            ),
        ]


def week(asked: Asked) -> tuple[date, date]:
    """This week in the zone that is asked for, from Monday on: half-open days."""
    today = asked.now.astimezone(ZoneInfo(asked.zone)).date()
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=7)


def judged(counts: Sequence[Compared]) -> list[Compared]:
    """Those of which there are enough, each with its p-value, the rarest first.

    Which are enough is said of both stretches together: what has much this week alone would be chosen for its chance.
    """
    enough = [one for one in counts if one.now + one.before >= LEAST]
    corrected = adjusted([p_value(one.now, one.before, SHARE) for one in enough])
    found = [replace(one, p=p) for one, p in zip(enough, corrected, strict=True)]
    return sorted(found, key=lambda one: (one.p, -one.now, one.label.casefold()))


def read(wanted: Wanted) -> Rising:
    start, end = week(wanted.asked)
    asked = replace(wanted.asked, start=start, end=end, period="")
    groups = engine.grouped(["volume", "eight_weeks"], asked.question, wanted.by)
    counts = [
        Compared(
            one.label,
            one.figures["volume"].n,
            one.figures["eight_weeks"].n,
            1.0,
            link(asked, "volume", "n", wanted.by, one.key),
            link(asked, "eight_weeks", "n", wanted.by, one.key),
        )
        for one in groups
        if one.key is not None
    ]
    found = judged(counts)
    sure = [one for one in found if one.p <= FALSE_SHARE]
    return Rising(
        [one for one in sure if one.rises and one.now >= LEAST_NOW][:MOST_ROWS],
        [one for one in sure if not one.rises][:MOST_ROWS],
        len(found),
        words.days(start, min(end, asked.now.astimezone(ZoneInfo(asked.zone)).date() + timedelta(days=1))),
        asked.now < asked.question.ends,
    )
