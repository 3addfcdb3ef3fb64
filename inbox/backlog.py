"""What waits on each channel, and since when: one statement over the indexes of what is new and of what is queued.

It costs the same however much came and went before, and is bounded where much waits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

MOST = 1000  # counted of each channel, each way

QUERY = """
SELECT c.id, coming.n, coming.since, leaving.n, leaving.since
FROM inbox_channel c
CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(received_at) AS since FROM (
        SELECT received_at FROM inbox_receipt
        WHERE channel_id = c.id AND state = 'new' ORDER BY next_attempt_at, id LIMIT %(most)s
    ) one
) coming
CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(due.next_attempt_at) AS since FROM (
        SELECT id, ticket_id, channel_id, next_attempt_at FROM inbox_message
        WHERE channel_id = c.id AND state = 'queued' AND next_attempt_at <= %(now)s
        ORDER BY next_attempt_at, id LIMIT %(most)s
    ) due
    WHERE NOT EXISTS (
        SELECT FROM inbox_message tried
        WHERE tried.ticket_id = due.ticket_id AND tried.channel_id = due.channel_id AND tried.id < due.id
          AND tried.state = 'queued' AND tried.attempts > 0 AND tried.next_attempt_at > %(now)s
    )
) leaving
WHERE %(ids)s::bigint[] IS NULL OR c.id = ANY(%(ids)s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one channel: received and not taken in, due and not sent, and since when the oldest of each waits.

    What waits behind a message whose recipient refuses it for now is not due: nothing overtakes within a ticket.
    """

    receipts: int = 0
    receipts_since: datetime | None = None
    messages: int = 0
    messages_since: datetime | None = None

    @property
    def receipts_age(self) -> timedelta:
        return _age(self.receipts_since)

    @property
    def messages_age(self) -> timedelta:
        return _age(self.messages_since)


def _age(since: datetime | None) -> timedelta:
    return max(timezone.now() - since, timedelta(0)) if since else timedelta(0)


def of(channels: Collection[int] | None = None) -> dict[int, Backlog]:
    """The backlog of these channels (ids), or of all; each number is counted up to `MOST`."""
    ids = None if channels is None else list(channels)
    with connection.cursor() as cursor:
        cursor.execute(QUERY, {"most": MOST, "now": timezone.now(), "ids": ids})
        return {pk: Backlog(*told) for pk, *told in cursor.fetchall()}
