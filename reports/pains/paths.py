"""Over which channels customers go before they are solved.

A journey begins with a ticket of the period whose customer had opened none within the window before. To it belong all
tickets that they open within the window from then on; it is solved while all of these are. Its path is made of the
channels on which they wrote, in order, up to the last solve, and no longer than the window; several times the same in a
row is one step. Within a quarter of an hour the order is that of the tickets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from reports.definitions import DEFINITIONS, Definition
from reports.engine.asking import rows
from reports.engine.figures import Figure, ratio
from reports.engine.groups import MORE, PATH, Key
from reports.engine.measures import Behind, In, measure, nothing
from reports.engine.of_tickets import OPENED, WINDOW
from reports.engine.question import Question
from reports.engine.sources import Source

KEY = "paths"
STEPS = 6  # of a path are told
EVERY = Source("reports_ticketfact", base="f.opened_at IS NOT NULL")

JOURNEYS = f"""WITH opened AS MATERIALIZED (
    SELECT f.ticket_id, f.customer_id, f.opened_at FROM reports_ticketfact f WHERE {{firsts}} AND NOT EXISTS (
        SELECT FROM reports_ticketfact e WHERE e.customer_id = f.customer_id AND e.opened_at > f.opened_at - {WINDOW}
        AND e.opened_at > %(starts)s::timestamptz - {WINDOW} AND e.opened_at < %(ends)s
        AND (e.opened_at, e.ticket_id) < (f.opened_at, f.ticket_id) AND NOT (e.imported AND NOT f.imported))
), every AS MATERIALIZED (
    SELECT o.ticket_id AS first, o.opened_at AS began, f.ticket_id, f.opened_at, f.channel_id, f.done, f.last_solved_at
    FROM opened o JOIN reports_ticketfact f ON f.customer_id = o.customer_id
    AND (f.opened_at, f.ticket_id) >= (o.opened_at, o.ticket_id) AND f.opened_at < o.opened_at + {WINDOW}
    AND f.opened_at >= %(starts)s AND f.opened_at < %(ends)s::timestamptz + {WINDOW} AND {{every}}
), ends AS MATERIALIZED (
    SELECT first, began, bool_and(done) AS solved, MAX(last_solved_at) AS ended, COUNT(*) AS tickets
    FROM every GROUP BY first, began
), steps AS MATERIALIZED (
    SELECT s.first, s.ticket_id, COALESCE(t.channel_id, s.channel_id) AS channel,
    COALESCE(t.quarter, s.opened_at) AS at
    FROM every s JOIN ends USING (first) LEFT JOIN reports_trafficfact t ON t.ticket_id = s.ticket_id
        AND t.kind = 'customer' AND t.quarter < s.began + {WINDOW}
        AND (NOT ends.solved OR ends.ended IS NULL OR t.quarter < ends.ended)
        AND t.quarter >= %(starts)s::timestamptz - INTERVAL '15 minutes'
        AND t.quarter < %(ends)s::timestamptz + {WINDOW}
), spans AS MATERIALIZED (
    SELECT first, MIN(channel) AS low, MAX(channel) AS high FROM steps GROUP BY first
), ways AS (
    SELECT first, ARRAY[low] AS way FROM spans WHERE low = high
    UNION ALL SELECT first, array_agg(channel ORDER BY at, ticket_id, channel) FROM (
        SELECT first, channel, at, ticket_id, lag(channel) OVER (
            PARTITION BY first ORDER BY at, ticket_id, channel) AS before
        FROM steps JOIN spans USING (first) WHERE low <> high) each
    WHERE channel IS DISTINCT FROM before GROUP BY first
), journeys AS (
    SELECT first, began, solved, CASE WHEN solved THEN EXTRACT(epoch FROM ended - began) END AS seconds,
    NOT solved AND began + {WINDOW} > %(now)s AS open,
    array_to_string(way[1:{STEPS}], '-') || CASE WHEN cardinality(way) > {STEPS} THEN '-{MORE}' ELSE '' END AS path
    FROM ends JOIN ways USING (first)
)
"""  # noqa: S608  of our own conditions alone
PARTS = {"denominator": "TRUE", "numerator": "solved", "rest": "NOT solved", "provisional": "open"}
FILTERS = ("channels", "teams", "agents", "tags", "languages", "priorities", "types", "topics", "severities")


def _sql(question: Question, select: str) -> str:
    """SQL of these columns of the journeys that began in the period; filters narrow the tickets they begin with."""
    everybody: dict[str, Any] = dict.fromkeys(FILTERS, ())
    bare = replace(question, **everybody)
    journeys = JOURNEYS.format(firsts=OPENED.conditions(question), every=EVERY.conditions(bare))
    return f"{journeys} {select}"


def _shares(question: Question, part: str, group: In | None) -> Behind:
    """The tickets that journeys began with."""
    if group is not None and group[0] != PATH:
        return nothing(question, part, group)
    only = "AND path = %(path)s" if group else ""
    sql = _sql(question, f"SELECT first AS number, 1 AS amount FROM journeys WHERE {PARTS[part]} {only}")  # noqa: S608
    return sql, {**question.params(), "path": group[1] if group else None}


@measure(KEY, "ratio", _shares, tuple(PARTS))
def paths(question: Question, by: str | None) -> dict[Key, Figure]:
    """Journeys solved of all that began in the period, with their median time."""
    if by not in (None, PATH):
        return {}
    sql = _sql(
        question,
        f"""SELECT {"path" if by else "NULL"}, COUNT(*), COUNT(*) FILTER (WHERE solved), COUNT(*) FILTER (WHERE open),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM journeys GROUP BY 1""",  # noqa: S608
    )
    counted = rows(sql, question.params())
    found: dict[Key, Figure] = {} if by else {None: ratio(KEY, 0, 0)}
    for key, n, solved, still, median in counted:
        found[key] = replace(ratio(KEY, solved, n, still), median=median)
    return found


DEFINITIONS[KEY] = Definition(
    _("Ways to a solution"),
    "ratio",
    _(
        "Journeys that are solved, of all that began. One begins with a ticket of a customer who had opened none "
        "within "
        "the window before; to it belong all tickets that they open within the window from then on, and it is solved "
        "while all of these are. The day is that of its first message; its time runs up to the last solve."
    ),
    "up",
)
