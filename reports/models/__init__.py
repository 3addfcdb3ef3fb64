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
from reports.models.surveys import Answer, Asking, AskingState, Survey, SurveyKind, SurveyLook

__all__ = [
    "Answer",
    "AnswerFact",
    "Asking",
    "AskingState",
    "BotFact",
    "ChatFact",
    "ChatOutcome",
    "HandlingFact",
    "ResponseFact",
    "SpanFact",
    "SpanState",
    "Survey",
    "SurveyKind",
    "SurveyLook",
    "TicketFact",
    "TrafficFact",
    "TrafficKind",
]
