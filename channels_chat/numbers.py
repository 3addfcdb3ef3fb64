"""What the bot, invitations and journeys of a chat channel come to, in figures: a few queries over what is kept.

`journey_abandonment` is computed here, as its definition says: 1 − completed ÷ started, of those whom we talked with in
between beside all others. A run belongs to the time when it started, an invitation to when it was due.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from channels_chat.models import FlowEntry, InvitationRun, JourneyRun

Z = 1.96  # 95 %


def wilson(hits: int, of: int) -> tuple[float, float] | None:
    """Between which shares the true one lies, with 95 % certainty (Wilson, no continuity correction); None of none."""
    if not of:
        return None
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio with its parts. No data is None, never 0."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None

    @property
    def between(self) -> tuple[float, float] | None:
        return wilson(self.hits, self.of)


@dataclass(frozen=True, slots=True)
class Journey:
    """How many visits started a journey and completed it; `contacted` are those whom we talked with in between."""

    key: str
    started: int
    completed: int
    contacted: int
    contacted_completed: int

    @property
    def abandonment(self) -> Share:
        return Share(self.started - self.completed, self.started)

    @property
    def abandonment_contacted(self) -> Share:
        return Share(self.contacted - self.contacted_completed, self.contacted)

    @property
    def abandonment_alone(self) -> Share:
        alone = self.started - self.contacted
        return Share(alone - (self.completed - self.contacted_completed), alone)


def journey_abandonment(channels: Iterable[int], since: datetime, until: datetime) -> dict[str, Journey]:
    """Of each journey of these channels (ids) that was started in [since, until): by its key."""
    rows = (
        JourneyRun.objects.filter(channel__in=list(channels), started_at__gte=since, started_at__lt=until)
        .values("journey")
        .annotate(
            started=Count("pk"),
            completed=Count("pk", filter=Q(completed_at__isnull=False)),
            contacted=Count("pk", filter=Q(contacted_at__isnull=False)),
            both=Count("pk", filter=Q(contacted_at__isnull=False, completed_at__isnull=False)),
        )
    )
    return {
        row["journey"]: Journey(row["journey"], row["started"], row["completed"], row["contacted"], row["both"])
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Invitation:
    """What became of an invitation; `held` were not shown it, so that those who were have something to stand beside."""

    key: str
    due: int = 0
    held: int = 0
    shown: int = 0
    opened: int = 0
    answered: int = 0
    dismissed: int = 0
    converted: int = 0  # of those who were shown it
    held_converted: int = 0

    @property
    def conversion(self) -> Share:
        return Share(self.converted, self.shown)

    @property
    def conversion_held(self) -> Share:
        return Share(self.held_converted, self.held)

    @property
    def effect(self) -> float | None:
        """By how much more of those who were shown it convert; None without a hold-out."""
        shown, held = self.conversion.value, self.conversion_held.value
        return None if shown is None or held is None else shown - held

    @property
    def is_certain(self) -> bool:
        """Whether both intervals are apart: then chance is no likely reason."""
        shown, held = self.conversion.between, self.conversion_held.between
        return bool(shown and held and (shown[0] > held[1] or held[0] > shown[1]))


def invitations(channels: Iterable[int], since: datetime, until: datetime) -> dict[str, Invitation]:
    """Of each invitation that was due in [since, until): by its key. Those by agents are none of the channel's."""
    shown = Q(held=False, shown_at__isnull=False)
    rows: Iterable[Any] = (
        InvitationRun.objects.filter(channel__in=list(channels), due_at__gte=since, due_at__lt=until)
        .exclude(invitation__startswith="agent:")
        .values("invitation")
        .annotate(
            due=Count("pk"),
            held_=Count("pk", filter=Q(held=True)),
            shown=Count("pk", filter=shown),
            opened=Count("pk", filter=shown & Q(opened_at__isnull=False)),
            answered=Count("pk", filter=shown & Q(answered_at__isnull=False)),
            dismissed=Count("pk", filter=shown & Q(dismissed_at__isnull=False, answered_at__isnull=True)),
            converted=Count("pk", filter=shown & Q(converted_at__isnull=False)),
            held_converted=Count("pk", filter=Q(held=True, converted_at__isnull=False)),
        )
    )
    names = ("due", "shown", "opened", "answered", "dismissed", "converted", "held_converted")
    return {
        row["invitation"]: Invitation(row["invitation"], held=row["held_"], **{name: row[name] for name in names})
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Step:
    """How visitors fared at a step of the flow. Shares are of those who came to it; who came twice counts once."""

    key: str
    entered: int = 0
    went_on: int = 0  # chose, or answered
    fallback: int = 0
    left: int = 0
    unhelpful: int = 0
    helped: int = 0
    handoff: int = 0

    def share(self, hits: int) -> Share:
        return Share(hits, self.entered)

    @property
    def shares(self) -> dict[str, Share]:
        names = ("went_on", "fallback", "left", "unhelpful", "helped", "handoff")
        return {name: self.share(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class FlowNumbers:
    """All of the bot's chats, and its steps. `contained`: they said that it helped, or left after an answer."""

    chats: int = 0
    confirmed: int = 0
    handed_over: int = 0
    left: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, Step] = field(default_factory=dict)


WENT_ON = ("chosen", "answered")


def flow(channels: Iterable[int], since: datetime, until: datetime) -> FlowNumbers:
    """What happened in the flow in [since, until). Two queries."""
    found = FlowEntry.objects.filter(chat__channel__in=list(channels), at__gte=since, at__lt=until)

    def chats(*what: str) -> Count:
        return Count("chat", filter=Q(what__in=what), distinct=True)

    rows: Iterable[Any] = found.values("step").annotate(
        entered=chats("entered"),
        went_on=chats(*WENT_ON),
        **{what: chats(what) for what in ("fallback", "left", "unhelpful", "helped", "handoff")},
    )
    steps = {row["step"]: Step(row.pop("step"), **row) for row in list(rows) if row["step"]}
    told: list[Any] = list(
        found.values("what", "choice")
        .filter(what__in=["handoff", "helped", "left"])
        .annotate(n=Count("chat", distinct=True))
    )
    reasons = {row["choice"]: row["n"] for row in told if row["what"] == "handoff"}
    total = found.aggregate(n=Count("chat", distinct=True))["n"]
    return FlowNumbers(
        chats=total,
        confirmed=sum(row["n"] for row in told if row["what"] == "helped"),
        handed_over=sum(reasons.values()),
        left=sum(row["n"] for row in told if row["what"] == "left"),
        reasons=reasons,
        steps=steps,
    )
