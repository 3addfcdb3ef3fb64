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
from reports.models.surveys import Answer, Asking, AskingState, Survey, SurveyKind, SurveyLook
from reports.models.wishes import Target, WeeklyMail
from reports.models.worth import CustomerValue, Revenue, RevenueImport

__all__ = [
    "Activity",
    "Answer",
    "AnswerFact",
    "Asking",
    "AskingState",
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
    "SurveyLook",
    "Talk",
    "TalkKind",
    "Target",
    "TicketFact",
    "TrafficFact",
    "TrafficKind",
    "Unshared",
    "WeeklyMail",
]
