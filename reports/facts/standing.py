"""Whose a ticket was, and how urgent, at any instant: its lines of the log, played again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from reports.facts.history import History, Line

EVER = datetime(1, 1, 1, tzinfo=UTC)


class Standing(NamedTuple):
    since: datetime
    team_id: int | None
    agent_id: int | None
    priority: str


class Standings:
    """All standings of one ticket, in order; the first is from ever on."""

    __slots__ = ("all", "teams")

    def __init__(self, history: History, lines: Sequence[Line]) -> None:
        now = _at_first(history, lines)
        self.all = [now]
        for line in lines:
            team, agent, priority = now.team_id, now.agent_id, now.priority
            if line.kind == "assigned":
                team, agent = line.data.get("team_to", team), line.data.get("to", agent)
            elif line.kind == "priority_changed":
                priority = line.data.get("to", priority)
            if (team, agent, priority) != now[1:]:
                now = Standing(line.at, team, agent, priority)
                self.all.append(now)
        self.teams: list[tuple[datetime, int | None]] = []
        for one in self.all:
            if not self.teams or self.teams[-1][1] != one.team_id:
                self.teams.append((one.since, one.team_id))

    def at(self, when: datetime) -> Standing:
        for one in reversed(self.all):
            if one.since <= when:
                return one
        return self.all[0]

    @property
    def now(self) -> Standing:
        return self.all[-1]


def _at_first(history: History, lines: Sequence[Line]) -> Standing:
    """As its first line says; lines of older days do not, but the first change of a thing says what it was before."""
    told: dict[str, object] = {}
    for line in lines:
        if line.kind == "ticket_created":
            told = {name: line.data[name] for name in ("team", "assignee", "priority") if name in line.data} | told
        elif line.kind == "assigned":
            if "team_from" in line.data:
                told.setdefault("team", line.data["team_from"])
            if "from" in line.data:
                told.setdefault("assignee", line.data["from"])
        elif line.kind == "priority_changed":
            told.setdefault("priority", line.data.get("from", history.priority))
    return Standing(
        EVER,
        told.get("team", history.team_id),  # type: ignore[arg-type]
        told.get("assignee", history.agent_id),  # type: ignore[arg-type]
        str(told.get("priority", history.priority)),
    )
