"""Keeps the documents up to the log: a reader of it that looks at each ticket once, however much happened there."""

from __future__ import annotations

from collections.abc import Sequence

from inbox import log
from inbox.models import Event
from inbox.search import documents, partitions

NAME = "search"

# What changes nothing that is searched for. A kind that is not known here has its ticket looked at.
ELSEWHERE = frozenset({
    "status_changed", "reopened", "snoozed", "priority_changed", "message_sent", "message_delivered", "message_read",
    "message_failed", "message_unknown", "message_retried", "message_refused", "customer_event_added",
})  # fmt: skip


@log.register_batch(NAME)
def keep(events: list[Event]) -> None:
    """Build what these events touch anew, from the rows as they are now; what is gone by now is taken out."""
    tickets: set[int] = set()
    customers: set[int] = set()
    for event in events:
        if event.ticket_id is not None:
            if event.kind not in ELSEWHERE:
                tickets.add(event.ticket_id)
        elif event.kind.startswith(("customer_", "identity_")) and event.kind not in ELSEWHERE:
            customers |= _named(event, "customer", "customers", "into", "from")
    write(sorted(tickets))
    of_customers(sorted(customers))


def _named(event: Event, *names: str) -> set[int]:
    """The ids that the data of an event has under these names, one or a list."""
    found: list[object] = []
    for name in names:
        value = event.data.get(name)
        found += value if isinstance(value, list) else [value]
    return {one for one in found if isinstance(one, int) and not isinstance(one, bool)}


def write(numbers: Sequence[int]) -> None:
    partitions.ensure(numbers)
    for start in range(0, len(numbers), documents.BATCH):
        documents.write(numbers[start : start + documents.BATCH])


def of_customers(customers: Sequence[int]) -> None:
    """The people themselves, and all tickets they have, take part in or wrote in: a name stands in each of them."""
    if not customers:
        return
    documents.write_people(customers)
    after = 0
    while numbers := documents.of_customers(customers, after):
        write(numbers)
        after = numbers[-1]
