"""The engine of figures: one definition a measure, counted by SQL over the facts, whoever asks.

question = Question(date(2026, 1, 1), date(2026, 2, 1), ZoneInfo("Asia/Karachi"), timezone.now())
figures(["fcr", "csat"], question)          # {"fcr": Figure, "csat": Figure}
grouped(["fcr"], question, "agent")         # [Group(key, label, {"fcr": Figure}), …]
tickets("fcr", question, "numerator")       # the tickets behind it, as far as they are seen
shares("messages_in", question, "n")        # [(ticket number, what it adds), …]: their sum is the figure
totals(…), newest(…, at, most), amounts(…, numbers)  # added up, by the page, of some: there may be a million
"""

from reports.engine import (  # noqa: F401  each adds its measures
    backlog,
    of_answers,
    of_chats,
    of_handling,
    of_journeys,
    of_levels,
    of_messages,
    of_responses,
    of_tickets,
)
from reports.engine.behind import Totals, amounts, newest, parts, shares, tickets, totals
from reports.engine.choices import ask, seen_by
from reports.engine.figures import Figure, Group
from reports.engine.groups import ALL as BREAKDOWNS
from reports.engine.measures import ALL as MEASURES
from reports.engine.measures import measure
from reports.engine.question import Question
from reports.engine.running import figure, figures, grouped, looked

# Every measure, in the order of pages; the last four are added by `reports.conversion` and `reports.worth.measures`.
KEYS = (
    "first_response",
    "first_wait",
    "response",
    "next_response",
    "waiting",
    "resolution_first",
    "resolution_full",
    "customer_wait",
    "one_touch",
    "fcr",
    "fcr_confirmed",
    "reopen_rate",
    "aht",
    "coverage",
    "cost_per_ticket",
    "csat",
    "response_rate",
    "nps",
    "nps_transactional",
    "ces",
    "sla",
    "backlog",
    "volume",
    "solved",
    "ours_only",
    "messages_in",
    "messages_out",
    "messages_bot",
    "messages_automatic",
    "abandonment",
    "journey_abandonment",
    "containment_confirmed",
    "containment_assumed",
    "conversion",
    "retention",
    "churn",
    "clv",
)

__all__ = [
    "BREAKDOWNS",
    "KEYS",
    "MEASURES",
    "Figure",
    "Group",
    "Question",
    "Totals",
    "amounts",
    "ask",
    "figure",
    "figures",
    "grouped",
    "looked",
    "measure",
    "newest",
    "parts",
    "seen_by",
    "shares",
    "tickets",
    "totals",
]
