"""Spans: in which time an unsolved ticket waited for whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from inbox.models import Direction, Status
from reports.facts.changing import DONE, Change
from reports.facts.history import History, Line
from reports.facts.owning import Hand
from reports.facts.rows import SpanRow
from reports.facts.standing import Standings
from reports.models import SpanState

SHORTEST = timedelta(seconds=1)  # what is over sooner is one step of several that were done in one go
WAITS = {Status.PENDING.value: SpanState.CUSTOMER.value, Status.ON_HOLD.value: SpanState.HOLD.value}
Point = tuple[datetime, str, object]


def snoozes_in(history: History, lines: Sequence[Line]) -> list[tuple[datetime, bool]]:
    """From when on it was put away, and not any more: by its lines, and by what one of us wrote to the customer."""
    found = [(line.at, bool(line.data.get("until"))) for line in lines if line.kind == "snoozed"]
    if not any(away for _at, away in found):
        return []
    found += [(line.at, False) for line in lines if line.kind == "spam_changed" and not line.data.get("spam")]
    found += [
        (words.created_at, False)
        for words in history.said
        if words.direction == Direction.OUT and words.side_id is None and words.kind == "message"
        and words.author_kind != "bot" and words.origin == "channel" and words.state != "cancelled"
        and words.first_ticket_id in (0, history.number)
    ]  # fmt: skip
    return found


class Spans:
    """Cuts the time of one ticket at each point where something changed."""

    def __init__(self, number: int, imported: bool, channel_id: int, standings: Standings) -> None:
        self.number, self.imported, self.channel_id, self.standings = number, imported, channel_id, standings
        self.rows: list[SpanRow] = []
        self.status, self.away, self.bot = Status.OPEN.value, False, False
        self.started: datetime | None = None  # of the span that goes on
        self.since: datetime | None = None  # of the stretch that goes on
        self.now: tuple[str, int | None, int | None, str] | None = None
        self.first = 0  # the row that the stretch begins with

    def cut(
        self,
        began_at: datetime,
        begun: str,
        changes: Sequence[Change],
        hands: Sequence[Hand],
        taken: Sequence[datetime],
        snoozes: Sequence[tuple[datetime, bool]],
    ) -> list[SpanRow]:
        points: list[Point] = [(change.at, "status", change.after) for change in changes]
        points += [(hand.at, "bot", hand.bot is not None) for hand in hands]
        points += [(at, "bot", False) for at in taken]
        points += [(at, "away", away) for at, away in snoozes]
        points += [(one.since, "", None) for one in self.standings.all[1:]]
        points.sort(key=lambda point: (point[0], point[1] != "away"))
        self.status = begun
        place = 0
        while place < len(points) and points[place][0] <= began_at:
            self._set(points[place])
            place += 1
        self._at(began_at)
        latest = began_at
        while place < len(points):
            at = points[place][0]
            while place < len(points) and points[place][0] == at:
                self._set(points[place])
                place += 1
            latest = max(latest, at)
            self._at(latest)
        self._row(None, leaves=False)
        return self.rows

    def _set(self, point: Point) -> None:
        _at, what, value = point
        if what == "status":
            self.status = str(value)
            self.away = self.away and self.status not in DONE
        elif what == "bot":
            self.bot = bool(value)
        elif what == "away":
            self.away = bool(value)

    def _state(self) -> str | None:
        if self.status in DONE:
            return None
        if self.away:
            return SpanState.SNOOZED.value
        if self.bot:
            return SpanState.BOT.value
        return WAITS.get(self.status, SpanState.US.value)

    def _at(self, at: datetime) -> None:
        """At this instant it may stand otherwise than before."""
        state, standing = self._state(), self.standings.at(at)
        new = None if state is None else (state, standing.team_id, standing.agent_id, standing.priority)
        if new == self.now:
            return
        if new is None:
            self._row(at, leaves=True)
            self.started = self.since = None
        elif self.started is None or self.since is None:
            self.started = self.since = at
            self.first = len(self.rows)
        elif at - self.started >= SHORTEST:
            self._row(at, leaves=False)
            self.started = at
        self.now = new

    def _row(self, ended: datetime | None, *, leaves: bool) -> None:
        if self.now is None or self.started is None or self.since is None:
            return
        inside = len(self.rows) > self.first
        if leaves and ended is not None and ended - self.started < SHORTEST:
            if inside:  # the stretch ends with the span before
                self.rows[-1] = self.rows[-1]._replace(ended_at=ended, leaves=True)
            return
        state, team, agent, priority = self.now
        self.rows.append(
            SpanRow(
                self.number, self.imported, self.channel_id, team, agent, state, self.started, ended, priority,
                self.since, not inside, leaves,
            )
        )  # fmt: skip
