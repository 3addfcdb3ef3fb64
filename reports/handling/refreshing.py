"""Facts of handle time follow what agents do: which quarters of which agents are to be shared out anew, and doing it.

Whatever one ticket gets may take from the others of that agent: so it is done by agent, not by ticket. It is never done
while the facts of tickets are being made (both would put back what the other has replaced).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from inbox import log
from inbox.models import Event
from reports.facts import storing
from reports.handling import rows, talking, tickets
from reports.models import HandlingFact, Unshared

FACTS = "facts"  # the follower of the log that makes the facts of tickets
REST = timedelta(seconds=60)  # that a quarter of an hour waits for more of the same
BATCH = 500
MOST_SECONDS = 10.0  # of one round


def mark(times: Iterable[tuple[int, datetime, datetime]]) -> None:
    """These times (agent, from, to) are to be shared out anew."""
    pairs = sorted({(agent, quarter) for agent, start, end in times for quarter in rows.touched(start, end)})
    now = timezone.now()
    # A row that is there already is touched: whoever would take it away meanwhile has not seen what we wrote.
    Unshared.objects.bulk_create(
        [Unshared(agent_id=agent, quarter=quarter, since=now) for agent, quarter in pairs],
        update_conflicts=True,
        unique_fields=["agent_id", "quarter"],
        update_fields=["agent_id"],
    )


def mark_all() -> None:
    """All that ever was."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO reports_unshared (agent_id, quarter, since)
            SELECT DISTINCT agent_id, quarter, %s FROM reports_handlingfact WHERE agent_id IS NOT NULL
            ORDER BY agent_id, quarter ON CONFLICT (agent_id, quarter) DO UPDATE SET agent_id = excluded.agent_id
            """,
            [timezone.now() - REST],
        )


def refresh(*, rest: timedelta = REST) -> int:
    """Share out anew what is due; returns how many quarters of an hour that were."""
    done, until = 0, time.monotonic() + MOST_SECONDS
    while True:
        taken = _refresh_some(rest)
        done += taken
        if taken < BATCH or time.monotonic() > until:
            return done


def _refresh_some(rest: timedelta) -> int:
    with transaction.atomic(), log.only_one(f"follow:{FACTS}") as alone:
        if not alone:
            return 0
        storing.hold(alone=True)
        due = Unshared.objects.filter(since__lte=timezone.now() - rest).order_by("since", "pk")
        # Taken away first: what is marked from here on was written after we look.
        taken = list(due.select_for_update(skip_locked=True)[:BATCH])
        if not taken:
            return 0
        Unshared.objects.filter(pk__in=[one.pk for one in taken]).delete()
        pairs = [(one.agent_id, one.quarter) for one in taken]
        with connection.cursor() as cursor:
            cursor.execute(
                """
                DELETE FROM reports_handlingfact fact
                USING unnest(%s::bigint[], %s::timestamptz[]) AS asked (agent, quarter)
                WHERE fact.agent_id = asked.agent AND fact.quarter = asked.quarter RETURNING fact.ticket_id
                """,
                [[agent for agent, _ in pairs], [quarter for _, quarter in pairs]],
            )
            gone = {number for (number,) in cursor.fetchall()}
        HandlingFact.objects.bulk_create(rows.of_agents(pairs, gone), batch_size=1_000)
        return len(pairs)


@log.register_batch("handling")
def follow(events: list[Event]) -> None:
    """Calls and chats begin and end, and somebody writes in them: what that makes of their agents' time."""
    engagements = {
        pk for one in events if one.kind in talking.KINDS and isinstance(pk := one.data.get("engagement"), int)
    }
    for kinds, over in ((talking.SAID, False), (talking.MOVED, True)):
        numbers = {one.ticket_id for one in events if one.kind in kinds and one.ticket_id is not None}
        if numbers:
            numbers.update(tickets.roots(numbers).values())
            engagements.update(talking.chats_in(numbers, None if over else min(one.at for one in events)))
    if engagements:
        mark(talking.remake(engagements))
