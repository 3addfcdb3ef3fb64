"""What reports keep: surveys and their answers, and the facts that figures are counted from."""

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
    "TicketFact",
    "TrafficFact",
    "TrafficKind",
]
