"""What agents keep for themselves in a seeded history: what they have seen, follow and began to write, what they were
told; links between tickets; notes, cards and events of customers. Written in the database from what was copied in.

What is chosen is chosen by a hash of its number and the seed, so that one seed gives one history.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models.functions import Least

from inbox.management import beside
from inbox.management.sheets import Sheet, column, text
from inbox.models import Agent, Field, FieldKind, FieldNoun, Organisation, SavedView

if TYPE_CHECKING:
    from inbox.management.plans import Plan

FIELDS: tuple[tuple[str, str, str, str, list[str]], ...] = (
    (FieldNoun.TICKET, "order", "Order", FieldKind.TEXT, []),
    (FieldNoun.TICKET, "refund", "Refund", FieldKind.CHECK, []),
    (FieldNoun.CUSTOMER, "account", "Account", FieldKind.TEXT, []),
    (FieldNoun.CUSTOMER, "plan", "Plan", FieldKind.CHOICE, list(beside.PLANS)),
)
SHARED_VIEWS = (
    ("Urgent and open", {"view": "open", "priority": "urgent"}),
    ("VIP", {"view": "open", "tag": "vip"}),
    ("Waiting for two days", {"view": "open", "waiting": "2d", "sort": "waiting"}),
)
OWN_VIEWS = (
    ("My urgent ones", {"view": "mine", "priority": "urgent,high"}),
    ("Refunds", {"view": "open", "field.refund": "yes"}),
)
NEWS = timedelta(days=14)  # for so long notifications go back
FRESH = timedelta(days=2)  # what is as young may be unread

# `chance(n)` is a number below 1,000 that goes with a row, another one for each n.
STEPS = {
    "what agents have seen": """
        INSERT INTO inbox_ticketseen (agent_id, ticket_id, at, unread)
        SELECT * FROM (
            SELECT assignee_id, number, last_message_at, {chance1} < 3 FROM theirs
            WHERE assignee_id IS NOT NULL AND (last_message_at < %(fresh)s OR {chance2} < 600)
            UNION ALL
            SELECT agent, number, last_message_at, false FROM theirs WHERE agent <> assignee_id AND {chance3} < 200
        ) AS seen ORDER BY 1, 2
    """,
    "what they follow": """
        INSERT INTO inbox_ticketfollower (agent_id, ticket_id, created_at)
        SELECT agent, number, created_at FROM theirs WHERE agent <> assignee_id AND {chance4} < 30 ORDER BY 1, 2
    """,
    "what they began to write": """
        INSERT INTO inbox_draft (agent_id, ticket_id, kind, channel_id, subject, text, html, recipients, attachments,
                                 macros, client_id, version, newest, updated_at)
        SELECT agent, number, 'reply', channel_id, '', 'Thank you for your patience, I have just asked the', '', '{{}}',
               '{{}}', '{{}}', 'seed-' || number, 1, NULL, %(end)s
        FROM theirs WHERE status IN ('open', 'pending') AND NOT spam AND trashed_at IS NULL AND {chance5} < 40
        ORDER BY 1, 2
    """,
    "what follows what": """
        INSERT INTO inbox_ticketlink (source_id, target_id, kind, created_at)
        SELECT number, earlier, 'follow_up', created_at FROM (
            SELECT number, created_at, lag(number) OVER (PARTITION BY customer_id ORDER BY number) AS earlier
            FROM inbox_ticket WHERE number BETWEEN %(first)s AND %(last)s
        ) AS found WHERE earlier IS NOT NULL AND {chance6} < 20 ORDER BY 1
    """,
    "which have one cause": """
        INSERT INTO inbox_ticketlink (source_id, target_id, kind, created_at)
        SELECT number, problem, 'incident', created_at FROM (
            SELECT number, created_at, type, number - (number - %(first)s) %% 3000 AS problem
            FROM inbox_ticket WHERE number BETWEEN %(first)s AND %(last)s
        ) AS found WHERE type = 'problem' AND number <> problem AND {chance7} < 20 ORDER BY 1
    """,
    "notes on customers": """
        INSERT INTO inbox_customernote (customer_id, agent_id, text, created_at, updated_at)
        SELECT id, %(agent)s, 'Prefers to be called in the evening.', created_at, created_at
        FROM inbox_customer, LATERAL (SELECT id AS number) n
        WHERE id BETWEEN %(first_customer)s AND %(last_customer)s AND {chance1} < 20 ORDER BY 1
    """,
    "cards of customers": """
        INSERT INTO inbox_card (customer_id, key, title, url, fields, position, updated_at)
        SELECT id, 'shop', 'Shop', '', '[{{"label": "Orders", "value": "12"}}, {{"label": "Total", "value": "€ 480"}}]',
               0, created_at
        FROM inbox_customer, LATERAL (SELECT id AS number) n
        WHERE id BETWEEN %(first_customer)s AND %(last_customer)s AND {chance2} < 50 ORDER BY 1
    """,
    # The first customers are those who write most, and buy most.
    "orders of customers": """
        INSERT INTO inbox_customerevent (customer_id, kind, at, data, external_id)
        SELECT id, 'order', greatest(created_at, %(end)s - n * interval '13 hours'),
               jsonb_build_object('order', (10000000 + id * 40 + n)::text, 'total', n * 7), 'seed-' || id || '-' || n
        FROM inbox_customer, LATERAL (SELECT id AS number) k,
             generate_series(1, CASE WHEN id < %(first_customer)s + 20 THEN 300 ELSE 3 END) n
        WHERE id BETWEEN %(first_customer)s AND %(last_customer)s
              AND ({chance3} < 150 OR id < %(first_customer)s + 20)
        ORDER BY 1
    """,
    "what they were told": """
        INSERT INTO inbox_notification (agent_id, kind, ticket_id, message_id, by_id, event, created_at, read_at,
                                        push_due, mail_due)
        SELECT told.agent_id, told.kind, told.number, told.message, told.by_id, told.id, told.at,
               CASE WHEN told.at > %(fresh)s AND {chance1} < 300 THEN NULL ELSE told.at END, false, false
        FROM (
            SELECT m.agent_id, 'mention' AS kind, m.ticket_id AS number, m.message_id AS message, m.by_id, e.id, e.at
            FROM inbox_event e JOIN inbox_mention m ON m.message_id = (e.data->>'message')::bigint
            WHERE e.kind = 'note_added' AND e.at > %(news)s AND e.ticket_id BETWEEN %(first)s AND %(last)s
            UNION ALL
            SELECT t.assignee_id, 'reply', t.number, (e.data->>'message')::bigint, NULL, e.id, e.at
            FROM inbox_event e JOIN inbox_ticket t ON t.number = e.ticket_id
            WHERE e.kind = 'message_received' AND e.at > %(news)s AND t.number BETWEEN %(first)s AND %(last)s
                  AND t.assignee_id IS NOT NULL AND t.first_replied_at < e.at AND NOT t.spam AND t.trashed_at IS NULL
        ) AS told ORDER BY told.id
    """,
}
OF_AGENTS = frozenset({"what agents have seen", "what they follow", "what they began to write", "what they were told",
                       "notes on customers"})  # fmt: skip
# Tickets, each with some agent.
THEIRS = """
CREATE TEMPORARY VIEW theirs AS
SELECT number, assignee_id, created_at, last_message_at, status, channel_id, spam, trashed_at,
       ('{agents}'::bigint[])[1 + ((hashint8extended(number, {seed}) & 1048575) %% {count})] AS agent
FROM inbox_ticket WHERE number BETWEEN {first} AND {last}
"""


def prepare() -> None:
    """The fields whose values a history gives."""
    for place, (noun, key, label, kind, choices) in enumerate(FIELDS):
        Field.objects.get_or_create(
            noun=noun, key=key, defaults={"label": label, "kind": kind, "choices": choices, "position": place}
        )


def organisations(cursor: Any, plan: Plan) -> None:
    sheet = Sheet(Organisation, ("id", "name", "domains", "created_at"))
    for place in range(plan.organisations):
        name, domain = beside.firm(plan.seed, place)
        sheet.add(str(plan.first_organisation + place), text(name), f"{{{domain}}}", column(plan.start))
    with cursor.copy(sheet.statement) as copy:
        copy.write(sheet.take())


def write(cursor: Any, plan: Plan, say: Callable[[str, int, int], None]) -> None:
    """All of it, of the tickets and customers of this plan, in the caller's transaction."""
    agents = [pk for pk, _name in plan.cast.agents]
    values = {
        "first": plan.first_ticket,
        "last": plan.first_ticket + plan.tickets - 1,
        "first_customer": plan.first_customer,
        "last_customer": plan.first_customer + plan.customers - 1,
        "agent": agents[0] if agents else None,
        "end": plan.end,
        "fresh": plan.end - FRESH,
        "news": plan.end - NEWS,
    }
    chances = {f"chance{n}": f"(hashint8extended(number, {10 * plan.seed + n}) & 1048575) %% 1000" for n in range(1, 8)}
    if agents:
        view = THEIRS.format(agents="{" + ",".join(map(str, agents)) + "}", seed=plan.seed, count=len(agents), **values)
        cursor.execute(view.replace("%%", "%"))
    # Without indexes, and before anything is counted, PostgreSQL would read whole tables for each row of another.
    cursor.execute("SET LOCAL enable_nestloop = off")
    for place, (what, sql) in enumerate(STEPS.items()):
        say(f"Writing {what}", place, len(STEPS))
        if agents or what not in OF_AGENTS:
            cursor.execute(sql.format(**chances), values)
    cursor.execute("SET LOCAL enable_nestloop = on")
    if agents:
        cursor.execute("DROP VIEW theirs")
        _views(plan, agents)


def _views(plan: Plan, agents: list[int]) -> None:
    """Saved views, and from when on their agents have unread tickets."""
    for place, (name, query) in enumerate(SHARED_VIEWS):
        SavedView.objects.get_or_create(name=name, owner=None, defaults={"query": query, "position": place})
    for agent in agents:
        for place, (name, query) in enumerate(OWN_VIEWS):
            SavedView.objects.get_or_create(name=name, owner_id=agent, defaults={"query": query, "position": place})
    Agent.objects.filter(pk__in=agents).update(read_before=Least("read_before", plan.end - FRESH))
