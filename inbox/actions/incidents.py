"""A problem and its incidents: one answer to all, and solving them with it, as a job that outlives its worker."""

from __future__ import annotations

from hashlib import sha256

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from inbox import access
from inbox.actions import jobs, reply, tickets
from inbox.actions.errors import ActionError
from inbox.models import Agent, Job, JobKind, JobState, LinkKind, Status, Ticket
from inbox.models.tickets import TicketQuerySet
from inbox.rights import Right, may

AT_FIRST = 2_000  # incidents that are written down while their agent waits; a worker writes down the others


def of(problem: int, agent: Agent) -> TicketQuerySet:
    """The incidents of a problem (its number) that can still change and that this agent sees."""
    found = access.tickets(agent).current().exclude(status=Status.CLOSED)
    return found.filter(links__target=problem, links__kind=LinkKind.INCIDENT)


def update(problem: Ticket, *, by: Agent, text: str, solve: bool, client_id: str) -> Job:
    """Answer each incident that `by` sees with this text on its own channel, or solve it where there is none, or both.

    The same again under the same `client_id` is the same job; few are reached at once. Raises ActionError.
    """
    asked = sha256("\n".join([str(problem.pk), client_id, str(solve), text]).encode()).hexdigest()
    newest = Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
    what = {"text": text, "solve": solve, "problem": problem.pk, "last": newest}
    with transaction.atomic():
        job, is_new = jobs.made(by, JobKind.ANSWER, what, asked)
        if not is_new:
            return job
        at_once = jobs.plan(job, of(problem.pk, by), AT_FIRST) and job.total <= jobs.FEW
        job.lease_until = job.lease_until if at_once else None
        job.save(update_fields=["total", "state", "after", "lease_until"])
        if not at_once:
            jobs.hand_over(job)
    return jobs.finish_now(job) if at_once else job


def _reach_next(job: Job, agent: Agent) -> None:
    if not may(agent, Right.ANSWER):
        raise ActionError(_("You may not do that."), "right")
    if job.state == JobState.QUEUED:
        jobs.plan(job, of(job.what["problem"], agent), AT_FIRST)
        return None
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
        reply.reply(incident, by=agent, text=job.what["text"], status=status, client_id=once, unasked=True)
    else:
        tickets.set_status(incident, Status.SOLVED, by=agent)


jobs.STEPS[JobKind.ANSWER] = _reach_next
