"""The rules of a survey: who is asked, when, how often, and what is done about an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from inbox.models import Ticket
from reports.models import Survey, SurveyKind
from reports.surveys import scales


class When(StrEnum):
    SOLVED = "solved"
    CHAT_ENDED = "chat_ended"
    LATER = "later"
    PERIODIC = "periodic"


WHEN = [
    (When.SOLVED.value, _("After a ticket is solved")),
    (When.CHAT_ENDED.value, _("After a chat has ended")),
    (When.LATER.value, _("Some days after a ticket is solved")),
    (When.PERIODIC.value, _("Now and then, whatever the ticket")),
]


@dataclass(frozen=True, slots=True)
class Rules:
    """Empty lists of who mean everybody. Minutes, days and per cent are whole numbers."""

    when: str = When.SOLVED
    delay: int = 60  # minutes after the solve, or after the chat's end
    days: int = 2  # after the solve, for LATER; for PERIODIC: who wrote within so many days
    channels: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    every: int = 30  # days, at least, between two askings of this kind of one customer
    sample: int = 100  # per cent
    expires: int = 30  # days that a link may be answered for the first time
    low: int | None = None  # answers up to this are bad: what is done about them, below
    reopen: bool = False
    tell: int | None = None  # an agent (id) who gets a note that names them
    assign: bool = False  # and the ticket
    review_from: int | None = None  # answers from this on are asked for a public review, there
    review_url: str = ""

    def concerns(self, ticket: Ticket) -> bool:
        """Whether a ticket is one of those that this survey is for."""
        checks = (
            (self.channels, {ticket.channel_id, ticket.reply_channel_id}),
            (self.teams, {ticket.team_id}),
            (self.tags, set(ticket.tags)),
            (self.languages, {ticket.language or ticket.customer.language}),
            (self.priorities, {ticket.priority}),
        )
        return all(not wanted or set(wanted) & has for wanted, has in checks)

    def is_low(self, value: int) -> bool:
        return self.low is not None and value <= self.low

    def asks_review(self, value: int | None) -> bool:
        return (
            bool(self.review_url) and self.review_from is not None and value is not None and value >= self.review_from
        )

    def as_json(self) -> dict[str, Any]:
        """As they are kept: what is as usual is left out."""
        usual = asdict(Rules())
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != usual[name]
        }


_TUPLES = {"channels", "teams", "tags", "languages", "priorities"}


def read(kept: Mapping[str, Any]) -> Rules:
    """Rules as they are kept; what nobody knows (any more) is left out."""
    known = {one.name for one in fields(Rules)}
    told: dict[str, Any] = {
        name: tuple(value) if name in _TUPLES else value for name, value in kept.items() if name in known
    }
    return Rules(**told)


def of(survey: Survey) -> Rules:
    return read(survey.rules)


def usual(kind: str) -> Rules:
    """What a new survey of this kind begins with."""
    low = scales.LOW.get(SurveyKind(kind))
    match kind:
        case SurveyKind.NPS:
            return Rules(when=When.PERIODIC, days=90, every=180, low=low, review_from=9)
        case SurveyKind.SOLVED:
            return Rules(when=When.LATER, every=7, low=low, reopen=True)
    return Rules(low=low, review_from=scales.GOOD.get(SurveyKind(kind)))
