"""What reports keep: surveys and answers, what handle time is made from, and the facts figures are counted from."""

from reports.models.activity import Activity, Talk, TalkKind, Unshared
from reports.models.facts import (
    AnswerFact,
    BotFact,
    ChatFact,
    ChatOutcome,
    HandlingFact,
    ResponseFact,
    SpanFact,
    SpanState,
    TicketFact,
    TrafficFact,
    TrafficKind,
)
from reports.models.surveys import Answer, Survey, SurveyKind
from reports.models.worth import CustomerValue, Revenue, RevenueImport

__all__ = [
    "Activity",
    "Answer",
    "AnswerFact",
    "BotFact",
    "ChatFact",
    "ChatOutcome",
    "CustomerValue",
    "HandlingFact",
    "ResponseFact",
    "Revenue",
    "RevenueImport",
    "SpanFact",
    "SpanState",
    "Survey",
    "SurveyKind",
    "Talk",
    "TalkKind",
    "TicketFact",
    "TrafficFact",
    "TrafficKind",
    "Unshared",
]
