"""What other tickets say of one: that it was opened again by a follow-up, and that its customer came again.

Both are told by SQL from the facts of all tickets. After a change only those are told anew in which it can matter: the
changed ones, what they follow up, and tickets of the same customer that were opened before, as far as no other ticket
that counts came in between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from reports.facts.rows import TicketRow

UNRELATED = "unrelated"  # the kind of link that says: this is another matter


class Told(NamedTuple):
    """Of a ticket's facts what matters to others, and what others told of it."""

    ticket_id: int
    customer_id: int
    opened_at: datetime | None
    follow_up_of: int | None
    matters: tuple[object, ...]
    reopened_at: datetime | None
    repeat_at: datetime | None


READ = """
SELECT ticket_id, customer_id, opened_at, follow_up_of, imported, topic, matter, unanswered, answers_reopen,
    reopened_at, repeat_at
FROM reports_ticketfact WHERE ticket_id = ANY(%s)
"""

# The first ticket of the same customer that came later, unless it is another matter. Within 30 days of the first solve,
# the longest that is asked for, so that one more ticket changes few of a customer who has thousands.
AGAIN = """
SELECT other.opened_at FROM reports_ticketfact AS other
WHERE other.customer_id = fact.customer_id AND other.opened_at > fact.opened_at AND other.ticket_id <> fact.ticket_id
    AND (fact.imported OR NOT other.imported)
    AND other.follow_up_of IS DISTINCT FROM fact.ticket_id
    AND NOT (other.topic <> '' AND fact.topic <> '' AND upper(other.topic) <> upper(fact.topic))
    AND NOT (other.matter <> '' AND fact.matter <> '' AND other.matter <> fact.matter)
    AND NOT other.unanswered AND other.opened_at < fact.first_solved_at + interval '30 days'
    AND NOT EXISTS (
        SELECT FROM inbox_ticketlink AS link WHERE link.kind = 'unrelated' AND (
            (link.source_id = fact.ticket_id AND link.target_id = other.ticket_id)
            OR (link.source_id = other.ticket_id AND link.target_id = fact.ticket_id))
    )
ORDER BY other.opened_at LIMIT 1
"""
FOLLOWED = """
SELECT min(after.opened_at) FROM reports_ticketfact AS after
WHERE after.follow_up_of = fact.ticket_id AND after.answers_reopen AND after.opened_at > fact.first_solved_at
    AND (fact.imported OR NOT after.imported)
"""
TELL = f"""
UPDATE reports_ticketfact AS here SET repeat_at = told.repeat_at, reopened_at = told.reopened_at
FROM (
    SELECT fact.ticket_id,
        CASE WHEN fact.first_solved_at IS NOT NULL AND fact.answers_before > 0 THEN ({AGAIN}) END AS repeat_at,
        least(fact.own_reopened_at, CASE WHEN fact.first_solved_at IS NOT NULL THEN ({FOLLOWED}) END) AS reopened_at
    FROM reports_ticketfact AS fact WHERE {{which}}
) AS told
WHERE here.ticket_id = told.ticket_id
    AND (here.repeat_at IS DISTINCT FROM told.repeat_at OR here.reopened_at IS DISTINCT FROM told.reopened_at)
"""  # noqa: S608 (our own words)

# Of each customer, the tickets before the latest of what changed, that nobody else came between it and.
EARLIER = """
SELECT fact.ticket_id FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS change (customer, first, last)
JOIN reports_ticketfact AS fact ON fact.customer_id = change.customer AND fact.opened_at < change.last
WHERE fact.first_solved_at > change.first - interval '30 days' AND fact.answers_before > 0
    AND (fact.repeat_at IS NULL OR fact.repeat_at >= change.first)
"""


def of(numbers: Collection[int]) -> dict[int, Told]:
    """As these tickets' facts stand now."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [list(numbers)])
        return {row[0]: Told._make((*row[:4], row[4:9], *row[9:])) for row in cursor.fetchall()}


def kept(row: TicketRow, before: Mapping[int, Told]) -> TicketRow:
    """A new row with what others told of the one before it."""
    was = before.get(row.ticket_id)
    return row if was is None else row._replace(reopened_at=was.reopened_at, repeat_at=was.repeat_at)


def tell(numbers: Collection[int], before: Mapping[int, Told]) -> None:
    """Tell anew what the change of these tickets can have changed; their new rows are there."""
    now = of(numbers)
    wanted = set(numbers)
    spans: dict[int, list[datetime]] = {}
    for number in numbers:
        old, new = before.get(number), now.get(number)
        if old is not None and new is not None and old[1:5] == new[1:5]:
            continue
        for one in (old, new):
            if one is None:
                continue
            if one.follow_up_of is not None:
                wanted.add(one.follow_up_of)
            if one.opened_at is not None:
                spans.setdefault(one.customer_id, []).append(one.opened_at)
    with connection.cursor() as cursor:
        if spans:
            firsts, lasts = [min(times) for times in spans.values()], [max(times) for times in spans.values()]
            cursor.execute(EARLIER, [list(spans), firsts, lasts])
            wanted.update(number for (number,) in cursor.fetchall())
        _tell(cursor, "fact.ticket_id = ANY(%s)", [sorted(wanted)])


def tell_range(first: int, last: int) -> None:
    """Tell it anew of all tickets with these numbers."""
    with connection.cursor() as cursor:
        _tell(cursor, "fact.ticket_id BETWEEN %s AND %s", [first, last])


def _tell(cursor: Any, which: str, values: Sequence[object]) -> None:
    cursor.execute(TELL.format(which=which), values)
