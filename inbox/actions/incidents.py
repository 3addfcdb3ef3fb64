"""A problem and its incidents: one answer to all of them, and solving them with it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import access
from inbox.actions import jobs, reply, tickets
from inbox.actions.errors import ActionError
from inbox.models import Agent, Job, JobItem, JobKind, JobState, LinkKind, Status, Ticket
from inbox.rights import Right, may

MOST = 5_000  # incidents of one problem that are reached at once


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


def begin(incidents: Sequence[Ticket], *, by: Agent, text: str, solve: bool, client_id: str) -> Job:
    """As `update`, by a worker: for more of them than an agent waits for."""
    what = {"text": text, "solve": solve, "client_id": client_id}
    with transaction.atomic():
        job, is_new = jobs.made(by, JobKind.ANSWER, what, f"incidents:{client_id}")
        if is_new:
            items = JobItem.objects.bulk_create([JobItem(job=job, ticket=incident) for incident in incidents])
            job.total, job.state, job.lease_until = len(items), JobState.RUNNING, None
            job.save(update_fields=["total", "state", "lease_until"])
            jobs.hand_over(job)
    return job


def _answer_next(job: Job, agent: Agent) -> None:
    """One incident: a reply locks more than its ticket."""
    if not may(agent, Right.ANSWER):
        raise ActionError(_("You may not do that."), "right")
    item = job.items.filter(ticket__gt=job.after).order_by("ticket").first()
    if item is not None:
        incident = access.tickets(agent).filter(pk=item.ticket_id).first()
        if incident is None:
            item.error = _("You may not see this ticket any more.")
        else:
            _done, failed = update([incident], by=agent, **job.what)
            item.error = failed.get(incident.pk, "")[:300]
        item.before = None if item.error else {}
        item.save(update_fields=["before", "error"])
        job.failed += bool(item.error)
        job.done += not item.error
        job.changed += not item.error
        job.after = item.ticket_id
    if item is None or job.done + job.failed >= job.total:
        jobs.end(job, JobState.DONE)


jobs.STEPS[JobKind.ANSWER] = _answer_next
