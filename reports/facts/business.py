"""Business seconds: of a stretch of time those in which the hours of business held for a ticket were open.

At each instant these are the hours of the ticket's team then, else those of the channel (its own, else its brand's),
else the organisation's, each in its own zone, without holidays, as they were set at that instant. Where nobody has set
any, all time counts.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from inbox.models import ScheduleOf, ScheduleVersion
from lib.hours import SECOND, Meter, is_open, meter, micros, read

logger = logging.getLogger(__name__)

Version = tuple[str, int | None, Mapping[str, Any] | None, datetime]  # of what, whose, which hours, since when
Key = tuple[str, int | None]
ORGANISATION: Key = (ScheduleOf.ORGANISATION, None)


class Line:
    """What held over time: from each instant of `since` on what stands at its place; None counts all time.

    The first of them holds for all that was before.
    """

    __slots__ = ("held", "since")

    def __init__(self, since: list[int], held: list[Meter | None]) -> None:
        self.since, self.held = since, held

    def at(self, instant: int) -> Meter | None:
        return self.held[max(bisect_right(self.since, instant) - 1, 0)]

    def open(self, start: int, end: int) -> int:
        """Open microseconds within [start, end)."""
        since = self.since
        place = max(bisect_right(since, start) - 1, 0)
        found = 0
        while start < end:
            until = since[place + 1] if place + 1 < len(since) else end
            until = min(until, end)
            held = self.held[place]
            found += until - start if held is None else held.between(start, until)
            start, place = until, place + 1
        return found


class Schedules:
    """All hours of business there are and have been. `load` reads them; all else only computes."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._versions: dict[Key, tuple[list[int], list[Meter | None]]] = {}
        for of, whose, hours, since in versions:
            starts, meters = self._versions.setdefault((of, whose), ([], []))
            starts.append(micros(since))
            meters.append(_meter(hours) if hours else None)
        self._lines: dict[tuple[int, int | None], Line] = {}

    @classmethod
    def load(cls) -> Schedules:
        """One query."""
        rows = ScheduleVersion.objects.order_by("since", "pk")
        return cls(rows.values_list("of", "whose", "hours", "since"))

    def seconds(
        self, start: datetime, end: datetime, channel_id: int, teams: Sequence[tuple[datetime, int | None]]
    ) -> int:
        """Whole business seconds within [start, end); 0 where the end is not behind the start.

        `teams` are those of the ticket, each with the instant from which it was, in order; before the first of them it
        was that one, too.
        """
        at, until = micros(start), micros(end)
        if at >= until:
            return 0
        if not self._versions:
            return (until - at) // SECOND
        if len(teams) < 2:
            return self._line(channel_id, teams[0][1] if teams else None).open(at, until) // SECOND
        found = 0
        for place, (_since, team) in enumerate(teams):
            next_at = micros(teams[place + 1][0]) if place + 1 < len(teams) else until
            stop = min(next_at, until)
            if stop > at:
                found += self._line(channel_id, team).open(at, stop)
                at = stop
        return found // SECOND

    def open_at(self, instant: datetime, channel_id: int, team_id: int | None) -> bool:
        """Whether a ticket of this channel and team is within its hours then; without any, it always is."""
        held = self._line(channel_id, team_id).at(micros(instant))
        return held is None or is_open(held.hours, instant)

    def _line(self, channel_id: int, team_id: int | None) -> Line:
        """What holds over time for a ticket of this channel, while it is with this team."""
        found = self._lines.get((channel_id, team_id))
        if found is None:
            keys: list[Key] = [(ScheduleOf.CHANNEL, channel_id), ORGANISATION]
            if team_id is not None:
                keys.insert(0, (ScheduleOf.TEAM, team_id))
            found = self._lines[channel_id, team_id] = self._merged(keys)
        return found

    def _merged(self, keys: Sequence[Key]) -> Line:
        """The first of these that has hours, at each instant."""
        lines = [self._versions[key] for key in keys if key in self._versions]
        since = sorted({0, *(one for starts, _meters in lines for one in starts)})
        held: list[Meter | None] = []
        for instant in since:
            now = (
                meters[place] if (place := bisect_right(starts, instant) - 1) >= 0 else None for starts, meters in lines
            )
            held.append(next((one for one in now if one is not None), None))
        return Line(since, held)


def _meter(hours: Mapping[str, Any]) -> Meter | None:
    try:
        return meter(read(hours))
    except ValueError:  # a time zone that this machine knows no more
        logger.exception("hours of business cannot be read; they count as none")
        return None
