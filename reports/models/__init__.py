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
from reports.models.wishes import Target, WeeklyMail

__all__ = [
    "Answer",
    "AnswerFact",
    "BotFact",
    "ChatFact",
    "ChatOutcome",
    "HandlingFact",
    "ResponseFact",
    "SpanFact",
    "SpanState",
    "Survey",
    "SurveyKind",
    "Target",
    "TicketFact",
    "TrafficFact",
    "TrafficKind",
    "WeeklyMail",
]
