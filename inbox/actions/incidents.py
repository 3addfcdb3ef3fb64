"""A problem and its incidents: one answer to all, and solving them with it, as a job that outlives its worker."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

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


def update(problem: Ticket, *, by: Agent, text: str, solve: bool, client_id: str) -> Job:
    """Answer each incident that `by` sees with this text on its own channel, or solve it where there is none, or both.

    The same again under the same `client_id` is the same job; few are reached at once. Raises ActionError.
    """
    seen = access.tickets(by).filter(links__target=problem).values_list("pk", flat=True)
    incidents = of(problem, list(seen[:MOST]))
    asked = sha256("\n".join([str(problem.pk), client_id, str(solve), text]).encode()).hexdigest()
    at_once = len(incidents) <= jobs.FEW
    with transaction.atomic():
        job, is_new = jobs.made(by, JobKind.ANSWER, {"text": text, "solve": solve}, asked)
        if not is_new:
            return job
        JobItem.objects.bulk_create([JobItem(job=job, ticket=one) for one in incidents])
        job.total, job.state = len(incidents), JobState.RUNNING
        job.lease_until = job.lease_until if at_once else None
        job.save(update_fields=["total", "state", "lease_until"])
        if not at_once:
            jobs.hand_over(job)
    return jobs.finish_now(job) if at_once else job


def _reach_next(job: Job, agent: Agent) -> None:
    if not may(agent, Right.ANSWER):
        raise ActionError(_("You may not do that."), "right")
    item = job.items.filter(ticket__gt=job.after).order_by("ticket").first()
    if item is None:
        return jobs.end(job, JobState.DONE)
    incident = access.tickets(agent).filter(pk=item.ticket_id).first()
    if incident is None:
        item.error = _("You may not see this ticket any more.")
    else:
        item.error = jobs.why_not(lambda: _reach(incident, job, agent))
    item.before = None if item.error else {}
    item.save(update_fields=["before", "error"])
    job.failed += bool(item.error)
    job.done += not item.error
    job.changed += not item.error
    job.after = item.ticket_id


def _reach(incident: Ticket, job: Job, agent: Agent) -> None:
    if job.what["text"].strip():
        status = Status.SOLVED.value if job.what["solve"] else incident.status
        once = f"job:{job.pk}:{incident.pk}"
        reply.reply(incident, by=agent, text=job.what["text"], status=status, client_id=once)
    else:
        tickets.set_status(incident, Status.SOLVED, by=agent)


jobs.STEPS[JobKind.ANSWER] = _reach_next
