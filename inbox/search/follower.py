"""Keeps the documents up to the log: a reader of it that looks at each ticket once, however much happened there."""

from __future__ import annotations

from collections.abc import Collection

from inbox import log
from inbox.models import Event, Ticket
from inbox.search import documents, partitions

NAME = "search"

# What changes nothing that is searched for. A kind that is not known here has its ticket looked at.
ELSEWHERE = frozenset({
    "status_changed", "reopened", "snoozed", "priority_changed", "message_sent", "message_delivered", "message_read",
    "message_failed", "message_unknown", "message_retried", "message_refused", "customer_event_added",
    "not_solved",
})  # fmt: skip


@log.register_batch(NAME)
def keep(events: list[Event]) -> None:
    """Build what these events touch anew, from the rows as they are now; what is gone by now is taken out."""
    tickets: set[int] = set()
    customers: set[int] = set()
    organisations: set[int] = set()
    known_otherwise: set[tuple[str, str]] = set()  # noun and key of fields
    for event in events:
        if event.ticket_id is not None:
            if event.kind not in ELSEWHERE:
                tickets.add(event.ticket_id)
        elif event.kind.startswith(("customer_", "identity_")) and event.kind not in ELSEWHERE:
            customers |= _named(event, "customer", "customers", "into", "from")
        elif event.kind in {"field_created", "field_changed", "field_deleted"}:
            known_otherwise.add((event.data["noun"], event.data["key"]))
        elif event.kind == "organisation_changed" and {"name", "attributes"} & set(event.data.get("fields", ())):
            organisations |= _named(event, "organisation")
    if organisations:
        for way in ("organisation__in", "customer__organisation__in"):
            tickets.update(Ticket.objects.filter(**{way: organisations}).values_list("number", flat=True))
    people = _write(tickets) | _write_customers(customers)
    for noun, key in sorted(known_otherwise):
        people |= _write_with_attribute(noun, key)
    documents.write_people(people)


def _named(event: Event, *names: str) -> set[int]:
    """The ids that the data of an event has under these names, one or a list."""
    found: list[object] = []
    for name in names:
        value = event.data.get(name)
        found += value if isinstance(value, list) else [value]
    return {one for one in found if isinstance(one, int) and not isinstance(one, bool)}


def write(numbers: Collection[int]) -> None:
    """Build the documents of these tickets, and of their customers, anew."""
    documents.write_people(_write(numbers))


def _write(numbers: Collection[int]) -> set[int]:
    """Build the documents of these tickets anew; returns their customers."""
    ordered = sorted(numbers)
    partitions.ensure(ordered)
    people: set[int] = set()
    for start in range(0, len(ordered), documents.BATCH):
        people |= documents.write(ordered[start : start + documents.BATCH])
    return people


def _write_with_attribute(noun: str, key: str) -> set[int]:
    people, after = set[int](), 0
    while numbers := documents.with_attribute(noun, key, after):
        people |= _write(numbers)
        after = numbers[-1]
    return people


def _write_customers(customers: Collection[int]) -> set[int]:
    """Build all tickets of these anew, and those they take part or wrote in: a name stands in each; as `_write`."""
    people, after = set(customers), 0
    while customers and (numbers := documents.of_customers(customers, after)):
        people |= _write(numbers)
        after = numbers[-1]
    return people
