"""Histories made by hand for tests of facts: one call a thing that happens, times as words ("5 10:30", of January)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reports.facts.business import Schedules
from reports.facts.calculate import facts_of
from reports.facts.history import Asking, History, Line, Talk, Words, World
from reports.facts.rows import Facts, TicketRow

SANA, OMAR, ROBO = 1, 2, 9
MAIL, CHAT, OTHER = 10, 11, 12
WORLD = World(frozenset({CHAT}), frozenset({ROBO}), Schedules(()))


def on(when: str | datetime) -> datetime:
    if isinstance(when, datetime):
        return when
    day, clock = when.split()
    hour, minute, second = (int(part) for part in f"{clock}:0".split(":")[:3])
    return datetime(2026, 1, int(day), hour, minute, second, tzinfo=UTC)


class Story:
    def __init__(self, number: int = 1, channel: int = MAIL, **fields: Any) -> None:
        self.number, self.channel, self.fields, self.ids = number, channel, fields, 0
        self.said: list[Words] = []
        self.lines: list[Line] = []
        self.chat: list[Line] = []
        self.askings: list[Asking] = []
        self.status = "open"

    def _id(self) -> int:
        self.ids += 1
        return self.ids

    def line(
        self, when: str | datetime, kind: str, actor: str = "agent", actor_id: int | None = None, /, **data: Any
    ) -> Story:
        self.lines.append(Line(self._id(), kind, on(when), actor, actor_id, data))
        return self

    def created(self, when: str, **data: Any) -> Story:
        return self.line(when, "ticket_created", "customer", None, **data)

    def asks(self, when: str, **fields: Any) -> Story:
        at = on(when)
        told: dict[str, Any] = {"channel_id": self.channel, "created_at": at, "received_at": at} | fields
        self.said.append(Words(self._id(), "in", "customer", **told))
        return self

    def says(self, when: str, agent: int | None = SANA, **fields: Any) -> Story:
        at = on(when)
        kind = "bot" if agent == ROBO else "agent"
        told: dict[str, Any] = {"channel_id": self.channel, "created_at": at, "received_at": at, "sent_at": at,
                                "state": "sent", "author_kind": kind, "agent_id": agent} | fields  # fmt: skip
        self.said.append(Words(self._id(), "out", **told))
        return self

    def becomes(self, when: str, status: str, actor: str = "agent", **data: Any) -> Story:
        before, self.status = self.status, status
        return self.line(when, "status_changed", actor, None, **{"from": before, "to": status, **data})

    def solves(self, when: str, actor: str = "agent", **data: Any) -> Story:
        return self.becomes(when, "solved", actor, **data)

    def opens(self, when: str, actor: str = "customer", **data: Any) -> Story:
        return self.becomes(when, "open", actor, **data)

    def given(self, when: str, to: int | None, actor: str = "agent", **data: Any) -> Story:
        return self.line(when, "assigned", actor, None, to=to, **data)

    def in_chat(self, when: str, kind: str, actor_id: int | None = None, **data: Any) -> Story:
        self.chat.append(Line(self._id(), kind, on(when), "system", actor_id, {"engagement": 5, **data}))
        return self

    def asked(self, when: str, **fields: Any) -> Story:
        told: dict[str, Any] = {"kind": "csat", "survey_id": 3, "customer_id": 7, "channel_id": None} | fields
        self.askings.append(Asking(self._id(), asked_at=on(when), **told))
        return self

    def history(self) -> History:
        fields: dict[str, Any] = {"customer_id": 7, "channel_id": self.channel} | self.fields
        talks = (Talk(5, self.channel, tuple(self.chat)),) if self.chat else ()
        return History(
            self.number, said=tuple(self.said), lines=tuple(self.lines), talks=talks, askings=tuple(self.askings),
            **fields,
        )  # fmt: skip

    @property
    def facts(self) -> Facts:
        return facts_of(self.history(), WORLD)

    @property
    def ticket(self) -> TicketRow:
        [row] = self.facts.tickets
        return row

    @property
    def responses(self) -> list[float]:
        """In minutes."""
        return [row.seconds / 60 for row in self.facts.responses if row.seconds is not None]

    @property
    def first(self) -> float | None:
        return next((row.first_seconds / 60 for row in self.facts.responses if row.first_seconds is not None), None)

    @property
    def spans(self) -> list[tuple[str, str, str | None]]:
        return [(row.state, said(row.started_at), said(row.ended_at)) for row in self.facts.spans]


def said(at: datetime | None) -> str | None:
    return None if at is None else f"{at.day} {at:%H:%M}"


def minutes(seconds: int | None) -> float | None:
    return None if seconds is None else seconds / 60


def later(when: str, **span: float) -> datetime:
    return on(when) + timedelta(**span)
