"""A problem and its incidents: one answer to all of them, and solving them with it."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.actions import reply, tickets
from inbox.actions.errors import ActionError
from inbox.models import Agent, LinkKind, Status, Ticket

MOST = 500  # incidents of one problem that are reached at once


def of(problem: Ticket, seen: Sequence[int] | None = None) -> list[Ticket]:
    """The incidents of a problem that can still change; `seen` narrows them to these numbers."""
    found = Ticket.objects.current().filter(links__target=problem, links__kind=LinkKind.INCIDENT)
    if seen is not None:
        found = found.filter(pk__in=seen)
    return list(found.exclude(status=Status.CLOSED).order_by("pk")[:MOST])


def update(
    incidents: Sequence[Ticket], *, by: Agent, text: str, solve: bool, client_id: str
) -> tuple[int, dict[int, str]]:
    """Answer each incident with this text on its own channel, or solve it where there is none, or both.

    Each is a transaction of its own and is answered once under one `client_id`, so that what was interrupted is asked
    for again. Returns how many were reached, and why others were not, by number.
    """
    done, failed = 0, dict[int, str]()
    for incident in incidents:
        try:
            if text.strip():
                status = Status.SOLVED.value if solve else incident.status
                reply.reply(incident, by=by, text=text, status=status, client_id=f"{client_id}:{incident.pk}")
            elif solve:
                tickets.set_status(incident, Status.SOLVED, by=by)
            done += 1
        except ActionError as error:
            failed[incident.pk] = str(error.reason)
    return done, failed
