"""A small organisation, how a history of it is written down, and how it stands while it is lived."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from inbox.models import Agent, Channel, Customer, Team, Ticket
from reports.models import Answer
from tests.reports.scribe import Scribe

ZONES = tuple(ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Karachi", "America/New_York", "Asia/Kathmandu"))
# Around changes of the clocks, ends of months, of the year, and an ordinary week.
BEGINNINGS = tuple(
    datetime.fromisoformat(one).replace(tzinfo=UTC)
    for one in (
        "2026-01-05T10:00:00",
        "2026-01-31T18:30:00",
        "2026-03-08T06:59:59",
        "2026-03-29T00:30:00",
        "2025-10-26T00:15:00",
        "2025-11-02T05:30:00",
        "2025-12-31T22:59:59",
        "2026-02-28T22:45:00",
    )
)
GAPS = (
    *(timedelta(seconds=one) for one in (1, 0, 7, 59, 299, 300, 301, 1800, 3599, 3600, 3601)),
    *(timedelta(hours=one) for one in (2, 5, 11, 23)),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7, seconds=-1),
    timedelta(days=7),
    timedelta(days=7, seconds=1),
)
MIDNIGHTS = len(ZONES)  # gaps beyond those above: to the next midnight of a zone

WEEK = [[["09:00", "17:00"]]] * 5 + [[], []]
HOURS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"zone": "Europe/Berlin", "days": WEEK, "holidays": {"country": "DE", "region": "BY"}},
    {"zone": "Asia/Karachi", "days": [[["10:00", "13:00"], ["14:00", "18:30"]]] * 6 + [[]]},
    {"zone": "America/New_York", "days": [[["00:00", "24:00"]]] * 7, "closed": [{"date": "2026-01-05"}]},
    {
        "zone": "Europe/Berlin",  # nights over changes of the clocks
        "days": [[["00:00", "02:30"], ["22:15", "24:00"]]] * 7,
        "closed": [{"date": "2025-12-31", "until": "2026-01-01"}],
        "holidays": {"country": "DE", "open": ["2025-12-25"]},
    },
)


@dataclass
class Life:
    """One history as it is lived: its own channels, teams, people and customers."""

    scribe: Scribe
    channels: list[Channel]
    teams: list[Team]
    agents: list[Agent]
    bot: Agent
    customers: list[Customer]
    surveys: dict[str, int]
    tickets: list[Ticket] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    joined: list[Any] | None = None  # what went over when the two customers were joined

    @property
    def now(self) -> datetime:
        return self.scribe.now

    def ticket(self, arg: int) -> Ticket | None:
        """One of those that can be worked on, the newest first."""
        here = [one for one in self.tickets if not one.merged_into_id and not one.trashed_at]
        return here[-1 - arg % len(here)] if here else None

    def undone(self, arg: int) -> Ticket | None:
        found = self.ticket(arg)
        return found if found is not None and found.status != "closed" else None

    def channel_of(self, ticket: Ticket) -> Channel:
        return next(one for one in self.channels if one.pk == ticket.reply_channel_id)

    def customer_of(self, ticket: Ticket) -> Customer:
        return next(one for one in self.customers if one.pk == ticket.customer_id)

    def living(self, arg: int) -> Customer:
        here = [one for one in self.customers if not one.merged_into_id]
        return here[arg % len(here)]


def begin(scribe: Scribe) -> Life:
    """Two teams, of which one has the messenger and the other the chat; two people and a bot; two customers."""
    teams = [scribe.team("Support"), scribe.team("Sales")]
    channels = [
        scribe.channel("email", teams[0]),
        scribe.channel("telegram", teams[0]),
        scribe.channel("chat", teams[1]),
    ]
    agents = [scribe.agent("sana"), scribe.agent("omar")]
    kinds = ("csat", "nps", "ces", "solved")
    return Life(
        scribe,
        channels,
        teams,
        agents,
        scribe.agent("bot", bot=True),
        [scribe.customer(), scribe.customer()],
        {kind: scribe.survey(kind).pk for kind in kinds},
    )


def works(life: Life, which: int) -> None:
    """Hours of one team, of the messenger, of the other team; those of the first change on 6 January.

    The organisation has some of its own, for whoever has none.
    """
    n, scribe = len(HOURS), life.scribe
    first = not scribe.rows.schedules
    if first:
        scribe.opens("organisation", None, HOURS[1 + which // 3 % (n - 1)])
    scribe.opens("team", life.teams[0].pk, HOURS[which % n])
    scribe.opens("channel", life.channels[1].pk, HOURS[which // n % n])
    scribe.opens("team", life.teams[1].pk, HOURS[(which + which // n) % n])
    scribe.now = datetime(2026, 1, 6, 9, tzinfo=UTC)
    scribe.opens("team", life.teams[0].pk, HOURS[which // 2 % n])
    if first:
        scribe.opens("organisation", None, HOURS[which // 5 % n])


def later(now: datetime, gap: int, *, at_once: bool) -> datetime:
    gap %= len(GAPS) + MIDNIGHTS
    if gap < len(GAPS):
        return now + (GAPS[gap] if GAPS[gap] or at_once else timedelta(seconds=1))
    zone = ZONES[gap - len(GAPS)]
    day = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, time(), zone).astimezone(UTC)
