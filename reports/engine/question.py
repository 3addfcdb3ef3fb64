"""What is asked of the figures: which days of which zone, and what is counted in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Self
from zoneinfo import ZoneInfo

from inbox.models import Agent

DAYS = 7  # W: for how long a re-open, a second ticket or a "no" counts against a first solve, where nothing else is set


@dataclass(frozen=True, slots=True)
class Question:
    """Days `start` to `end`, the latter left out, as they are in `zone`. Of each filter, whatever it names; none: all.

    `window` is W in days; `business` asks for business seconds; `now` is when things count as still able to change.
    Tags, languages, types, topics and severities are those a ticket has now. `viewer`: counted is what they see.
    `left_out`: tickets with one of these tags are not counted (tests and demonstrations).
    """

    start: date
    end: date
    zone: ZoneInfo
    now: datetime
    channels: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    agents: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    imported: bool = False
    viewer: Agent | None = None
    window: int = DAYS
    business: bool = False
    types: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def starts(self) -> datetime:
        return instant(self.start, self.zone)

    @property
    def ends(self) -> datetime:
        return instant(self.end, self.zone)

    @property
    def moment(self) -> datetime:
        """When the backlog is counted: at the end of the period, or now where that has not come."""
        return min(self.ends, self.now)

    def before(self) -> Self:
        """The same of the period before, equally many days."""
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    def params(self) -> dict[str, Any]:
        """What the SQL of the engine names with %(…)s."""
        lists = ("channels", "teams", "agents", "tags", "languages", "priorities", "types", "topics", "severities",
                 "left_out")  # fmt: skip
        named: dict[str, Any] = {name: list(getattr(self, name)) for name in lists}
        named.update(
            starts=self.starts,
            ends=self.ends,
            moment=self.moment,
            now=self.now,
            zone=self.zone.key,
            window=self.window * 24,
        )
        return named


def instant(day: date, zone: ZoneInfo) -> datetime:
    """When this day begins there, in UTC; where clocks skip midnight, the first moment after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
