"""Who there is, where they write, what they may be asked, and the log that all of it goes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

from inbox import bulk
from inbox.models import Agent, Channel, Customer, Event, ScheduleVersion, Team, Ticket
from reports.models import Survey
from tests.reports.oracle import Rows

FIRST_SURVEY = 1_000  # behind those that every organisation begins with
NOUNS = ("agent", "team", "channel", "customer", "ticket", "message", "event", "engagement", "activity")


class People:
    """Keeps what has happened so far. Everything has an id of its own, so that rows can be written in one go."""

    def __init__(self, first: int = 1) -> None:
        self.ids: dict[str, Iterator[int]] = {noun: count(first) for noun in NOUNS}
        self.answers = count(first)
        self.rows = Rows()
        self.teams: list[Team] = []
        self.now = datetime.min

    def save(self) -> None:
        """Write all of it, in a statement a table. Side conversations have no rows: nothing here commits."""
        rows = self.rows
        for objects in (
            *(rows.agents, self.teams, rows.channels, rows.customers, rows.tickets, rows.messages, rows.events),
            *(rows.links, rows.engagements, rows.activities, rows.surveys, rows.answers, rows.schedules),
        ):
            bulk.insert(objects)

    def agent(self, name: str, *, bot: bool = False) -> Agent:
        pk = next(self.ids["agent"])
        one = Agent(pk=pk, email=f"{name}{pk}@example.org", name=name, is_bot=bot)
        self.rows.agents.append(one)
        return one

    def team(self, name: str) -> Team:
        pk = next(self.ids["team"])
        one = Team(pk=pk, name=f"{name} {pk}", slug=f"{name}-{pk}")
        self.teams.append(one)
        return one

    def channel(self, kind: str, team: Team | None) -> Channel:
        pk = next(self.ids["channel"])
        one = Channel(pk=pk, kind=kind, name=f"{kind} {pk}", slug=f"{kind}-{pk}", default_team=team)
        self.rows.channels.append(one)
        return one

    def customer(self) -> Customer:
        one = Customer(pk=next(self.ids["customer"]), name="Ayesha")
        self.rows.customers.append(one)
        return one

    def survey(self, kind: str) -> Survey:
        one = Survey(pk=FIRST_SURVEY + next(self.answers), name=kind, kind=kind)
        self.rows.surveys.append(one)
        return one

    def opens(self, of: str, whose: int | None, hours: dict[str, Any] | None) -> None:
        """From now on these are somebody's hours of business."""
        self.rows.schedules.append(
            ScheduleVersion(pk=len(self.rows.schedules) + 1, of=of, whose=whose, hours=hours, since=self.now)
        )

    # The log ----------------------------------------------------------------------------------------------------------

    def record(
        self,
        ticket: Ticket | None,
        kind: str,
        /,
        *,
        by: Agent | tuple[str, int | None] | None = None,
        **data: Any,
    ) -> Event:
        if isinstance(by, tuple):
            actor = by
        else:
            actor = ("system", None) if by is None else ("bot" if by.is_bot else "agent", by.pk)
        one = Event(
            pk=next(self.ids["event"]),
            ticket_id=ticket.pk if ticket else None,
            kind=kind,
            actor_kind=actor[0],
            actor_id=actor[1],
            at=self.now,
            data=data,
            xid=1,
        )
        self.rows.events.append(one)
        return one
