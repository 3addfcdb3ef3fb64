"""Keeps the facts up to the log: each ticket that some events touch is counted anew, once, as it is now."""

from __future__ import annotations

from collections.abc import Iterable

from inbox import log
from inbox.models import Event, LinkKind, Ticket, TicketLink
from reports.facts import beside, loading, storing
from reports.models import Answer

NAME = "facts"

# What changes no figure. A kind that is not known here has its ticket counted anew.
ELSEWHERE = frozenset({
    "tags_changed", "subject_changed", "note_added", "file_fetched", "macro_applied", "participant_added",
    "participant_removed", "participant_confirmed", "side_started", "side_closed", "side_opened", "side_message_added",
    "side_message_received", "message_scheduled", "message_refused", "comment_changed", "window_closes", "not_solved",
    "chat_warned", "chat_transcript_sent", "chat_mailed", "chat_passed", "reopened",
})  # fmt: skip
OTHERS = ("from", "to", "into", "source", "target", "of")  # under which an event names another ticket
NAMING = frozenset({
    "merged", "merged_from", "unmerged", "unmerged_from", "split", "split_from", "message_moved", "link_added",
    "link_removed", "follow_up_of",
})  # fmt: skip
JOINING = frozenset({"merged", "merged_from", "unmerged", "unmerged_from"})  # the links go with their ticket
OF_CUSTOMERS = frozenset({"customer_merged", "customer_unmerged", "customer_erased"})


@log.register_batch(NAME)
def keep(events: list[Event]) -> None:
    """Make what these events touch anew, from the rows as they are now; what counts no more is taken out."""
    tickets, handling, answers = touched(events)
    if not (tickets or handling or answers):
        return
    storing.hold(alone=True)
    if tickets:
        storing.keep(tickets, loading.world())
    if handling - tickets:
        storing.keep_handling(handling - tickets)
    if answers:
        storing.keep_answers(answers)


def touched(events: Iterable[Event]) -> tuple[set[int], set[int], set[int]]:
    """The tickets to count anew, those of which only the handling is to be, and the answers that are about none."""
    tickets: set[int] = set()
    handling: set[int] = set()
    answers: set[int] = set()
    customers: set[int] = set()
    joined: set[int] = set()
    also = beside.kinds()
    for event in events:
        if event.ticket_id is not None:
            if event.kind not in ELSEWHERE:
                tickets.add(event.ticket_id)
            if event.kind in also:
                handling.add(event.ticket_id)
            if event.kind in NAMING:
                named = _named(event, OTHERS)
                tickets |= named
                if event.kind in JOINING:
                    joined |= named | {event.ticket_id}
        elif event.kind in OF_CUSTOMERS:
            customers |= _named(event, ("customer", "customers", "into", "from"))
        if event.kind.startswith("survey_"):
            answers |= _named(event, ("answer", "answers"))
    if joined:
        following = TicketLink.objects.filter(target__in=joined, kind=LinkKind.FOLLOW_UP)
        tickets.update(following.values_list("source", flat=True))
    if customers:
        tickets.update(Ticket.objects.filter(customer__in=customers).values_list("number", flat=True))
        answers.update(Answer.objects.filter(customer__in=customers).values_list("pk", flat=True))
    if answers:
        about = Answer.objects.filter(pk__in=answers, ticket__isnull=False).values_list("pk", "ticket_id")
        known = dict(about)
        tickets.update(known.values())
        answers -= known.keys()
    if tickets:
        tickets |= _where_they_lie(tickets)
    return tickets, handling, answers


def _named(event: Event, names: Iterable[str]) -> set[int]:
    """The ids that the data of an event has under these names, one or a list."""
    found: list[object] = []
    for name in names:
        value = event.data.get(name)
        found += value if isinstance(value, list) else [value]
    return {one for one in found if isinstance(one, int) and not isinstance(one, bool)}


def _where_they_lie(tickets: set[int]) -> set[int]:
    """The tickets that these were merged into, over several steps: what is theirs is counted there."""
    found: set[int] = set()
    there = set(tickets)
    while there:
        into = Ticket.objects.filter(pk__in=there, merged_into__isnull=False).values_list("merged_into", flat=True)
        there = {number for number in into if number is not None} - found
        found |= there
    return found
