"""What reports put into a seeded history: surveys that were asked and answered, what customers paid, and the facts.

Written in the database from what was copied in; what is chosen is chosen by a hash of its number and the seed, so that
one seed gives one history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from inbox.management import further
from inbox.management.further import chance, insert
from inbox.management.plans import Plan
from inbox.models import Setting
from lib import processes
from reports.facts import rebuilding
from reports.handling import talking
from reports.models import Activity, Answer, Revenue, Survey, SurveyKind
from reports.worth.terms import KEY as WORTH
from reports.worth.terms import Terms

# Kinds with their share of the solved tickets in a thousand, and SQL of a value from a number below a thousand.
SURVEYS: dict[str, tuple[str, str, int, str]] = {
    SurveyKind.CSAT: (
        "After a ticket",
        "How satisfied are you with our answer?",
        600,
        "CASE WHEN {v} < 520 THEN 5 WHEN {v} < 760 THEN 4 WHEN {v} < 860 THEN 3 WHEN {v} < 920 THEN 2 ELSE 1 END",
    ),
    SurveyKind.SOLVED: ("Was it solved?", "Was it solved?", 150, "CASE WHEN {v} < 840 THEN 1 ELSE 0 END"),
    SurveyKind.CES: (
        "How easy it was",
        "We made it easy to handle your issue.",
        120,
        "CASE WHEN {v} < 700 THEN 5 + {v} %% 3 ELSE 1 + {v} %% 4 END",
    ),
    SurveyKind.NPS: (
        "Recommendation",
        "Would you recommend us?",
        160,
        "CASE WHEN {v} < 480 THEN 9 + {v} %% 2 WHEN {v} < 760 THEN 7 + {v} %% 2 ELSE {v} %% 7 END",
    ),
}
ANSWERED = 320  # of a thousand that were asked
BUYERS = 400  # of a thousand customers
SOURCE = "seed"
TALKS = 5_000  # engagements at once
MANY = 20_000  # tickets that several processes are worth beginning for


def surveys(cursor: Any, plan: Plan) -> None:
    for place, (kind, (name, question, share, value)) in enumerate(SURVEYS.items()):
        survey, _made = Survey.objects.get_or_create(name=name, kind=kind, defaults={"question": question})
        asked, answers, worth, delay = (chance("t.number - %(first)s", plan.seed, 10 * place + n) for n in range(4))
        at = f"t.solved_at + interval '10 minutes' + {delay} * interval '5 minutes'"
        there = f"{answers} < {ANSWERED} AND {at} < %(end)s"
        insert(
            cursor,
            Answer,
            {
                "survey_id": str(survey.pk),
                # Whether they would recommend us is asked about a ticket, or about all that was.
                "ticket_id": f"CASE WHEN {asked} %% 2 = 0 THEN t.number END" if kind == SurveyKind.NPS else "t.number",
                "customer_id": "t.customer_id",
                "channel_id": "t.channel_id",
                "asked_at": "t.solved_at + interval '10 minutes'",
                "answered_at": f"CASE WHEN {there} THEN {at} END",
                "changed_at": f"CASE WHEN {there} THEN {at} END",
                "value": f"CASE WHEN {there} THEN {value.format(v=worth)} END",
                "comment": f"CASE WHEN {there} AND {answers} < 40 THEN 'Quick and kind.' ELSE '' END",
            },
            "FROM inbox_ticket t WHERE t.number BETWEEN %(first)s AND %(last)s AND t.solved_at IS NOT NULL"
            " AND t.solved_at + interval '10 minutes' < %(end)s AND t.first_replied_at IS NOT NULL AND NOT t.spam"
            f" AND {asked} < {share} ORDER BY t.number",
            first=plan.first_ticket,
            last=plan.first_ticket + plan.tickets - 1,
            end=plan.end,
        )


def revenue(cursor: Any, plan: Plan) -> None:
    """Some buy, most of these again and again; a few have stopped."""
    found, _made = Setting.objects.get_or_create(pk=WORTH, defaults={"value": Terms("EUR", margin=0.3).value})
    buys, often, much, stopped = (chance("c.id - %(first)s", plan.seed, 90 + n) for n in range(4))
    price = chance("(c.id - %(first)s) * 100 + n", plan.seed, 95)
    params = {"first": plan.first_customer, "last": plan.first_customer + plan.customers - 1, "end": plan.end}
    at = f"%(end)s::timestamptz - (n * (20 + {often} %% 70) + {much} %% 20) * interval '1 day'"
    insert(
        cursor,
        Revenue,
        {
            "source": f"'{SOURCE}'",
            "reference": "c.id || '-' || n",
            "customer_id": "c.id",
            "at": at,
            "amount": f"990 + 37 * {much} + {price}",
            "currency": f"'{found.value['currency']}'",
        },
        f"FROM inbox_customer c, LATERAL generate_series(1 + {stopped} / 900 * 6, 12) n"
        f" WHERE c.id BETWEEN %(first)s AND %(last)s AND {buys} < {BUYERS} AND n <= 2 + {often} / 100 ORDER BY c.id, n",
        **params,
    )
    cursor.execute(
        "INSERT INTO reports_customervalue (customer_id, total, orders, first_at, last_at)"
        " SELECT customer_id, sum(amount), count(*), min(at), max(at) FROM reports_revenue"
        " WHERE customer_id BETWEEN %(first)s AND %(last)s GROUP BY customer_id ORDER BY customer_id",
        params,
    )


def handling(cursor: Any, plan: Plan) -> None:
    """Before each answer its ticket was before its writer's eyes for up to five minutes."""
    before = chance("m.id", plan.seed, 80)
    insert(
        cursor,
        Activity,
        {
            "agent_id": "m.agent_id",
            "ticket_id": "m.ticket_id",
            "page": f"'{SOURCE}'",
            "seq": "m.id %% 2000000000",
            "started_at": f"m.sent_at - (20 + {before} * {before} / 3600) * interval '1 second'",
            "ended_at": "m.sent_at",
        },
        "FROM inbox_message m WHERE m.ticket_id BETWEEN %(first)s AND %(last)s AND m.direction = 'out'"
        " AND m.agent_id IS NOT NULL AND m.sent_at IS NOT NULL ORDER BY m.id",
        first=plan.first_ticket,
        last=plan.first_ticket + plan.tickets - 1,
    )


def talks(plan: Plan) -> None:
    """When agents were in these chats, as the follower would find from the log."""
    last = plan.first_engagement + plan.tickets
    for first in range(plan.first_engagement, last, TALKS):
        talking.remake(range(first, min(first + TALKS, last)))


def facts(plan: Plan, large: bool, say: Callable[[str, int, int], None]) -> None:
    """Of a large history the facts are made at once; a small one is read by the follower, as any other change."""
    if not large:
        return
    say("Working out who was in a chat", 0, 1)
    talks(plan)
    rebuilding.everything(processes.sensible() if plan.tickets >= MANY else 0, say)
    if not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")


def register() -> None:
    further.writes("surveys that were answered", surveys)
    further.writes("what customers paid", revenue)
    further.writes("what agents had before them", handling)
    further.reads(WORTH)
    further.reads("handling")
    further.afterwards(facts)
