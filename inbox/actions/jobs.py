"""Long work on many tickets: begin it, do it step by step, stop it, undo it.

A job is a row; only its id travels. Each step is one transaction that holds the job's row, changes some tickets by the
same actions as a click on each, and moves the job's place behind them: whatever dies in between, each ticket is changed
once. Who may see and change what is asked anew in each step.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import access, lists, live, log, wake
from inbox.actions.errors import ActionError
from inbox.actions.states import State
from inbox.actions.verbs import VERBS, Verb
from inbox.models import Agent, Job, JobItem, JobKind, JobState, Ticket
from inbox.models.jobs import TO_DO
from inbox.models.tickets import TicketQuerySet
from inbox.rights import may

logger = logging.getLogger(__name__)

BATCH = 50  # tickets of a transaction
PLAN = 2_000  # tickets that are written down in a transaction
FEW = 30  # so many are changed while the agent waits
MOST_CHOSEN = 2_000  # tickets that a form names one by one
TOLD_ONE_BY_ONE = 100  # above that open pages ask for their lists again
LEASE = timedelta(seconds=60)
UNDO_FOR = timedelta(minutes=10)
NO_CHANGES = (JobKind.EXPORT, JobKind.IMPORT)  # of tickets: they keep no undo from its change
HASTE = timedelta(seconds=3)  # within which two clicks on one ticket are one change
TASK = "inbox.tasks.work_on"

Step = Callable[[Job, Agent], None]


def matching(agent: Agent, listing: dict[str, str]) -> TicketQuerySet:
    """The tickets of the list that a job was begun with, as this agent sees them now."""
    return lists.of(agent, listing).tickets


def begin(
    agent: Agent,
    verb: str,
    argument: str,
    *,
    chosen: Sequence[int] = (),
    listing: dict[str, str] | None = None,
    unseen: bool = False,
    client_id: str = "",
) -> Job:
    """A change of the chosen tickets, or of all that the list holds. The same `client_id` again is the same job.

    `unseen` says that it was not the agent who chose them one by one. Few chosen ones are changed at once. Raises
    ActionError where the verb or its argument is not for this agent.
    """
    what = VERBS.get(verb)
    if what is None or not may(agent, what.right):
        raise ActionError(_("You may not do that."), "verb")
    if (unseen or listing is not None) and not what.whole:
        raise ActionError(_("Choose the tickets one by one for this."), "whole")
    if len(chosen) > MOST_CHOSEN:
        raise ActionError(_("These are too many to name one by one: choose all that match."), "many")
    argument = what.fixed(argument)
    what.means(agent, argument)
    told: dict[str, Any] = {"verb": verb, "argument": argument}
    if listing is None and len(set(chosen)) == 1:
        told["only"] = chosen[0]
    if listing is not None:
        # Not tickets that come in meanwhile: only what is there now can have been meant.
        told |= {"listing": listing, "last": Ticket.objects.aggregate(last=Max("pk"))["last"] or 0}
    job, is_new = made(agent, JobKind.BULK, told, client_id)
    if not is_new:
        return job
    with transaction.atomic():
        if listing is None:
            numbers = access.tickets(agent).filter(pk__in=list(chosen)).order_by("pk").values_list("pk", flat=True)
            items = JobItem.objects.bulk_create([JobItem(job=job, ticket_id=number) for number in numbers])
            job.total, job.state = len(items), JobState.RUNNING
        _hide_older(job)
        at_once = listing is None and job.total <= FEW
        job.lease_until = timezone.now() + LEASE if at_once else None
        job.save(update_fields=["total", "state", "lease_until"])
        if not at_once:
            hand_over(job)
    return finish_now(job) if at_once else job


def by_hand(agent: Agent, verb: str, argument: str, ticket: Ticket, value: Any) -> Ticket:
    """Change one ticket where it stands; it is undone like a change of many. Raises what the action raises.

    `argument` is what `value` was said as. Not for verbs that lock more than their ticket.
    """
    what = VERBS[verb]
    with transaction.atomic():
        row = Ticket.objects.select_for_update(no_key=True).get(pk=ticket.pk)
        before = what.state(row, agent)
        row = what.do(row, value, agent)
        item = JobItem(ticket_id=row.pk)
        _remember(item, before, what.state(row, agent))
        if item.before is not None:
            _keep(agent, {"verb": verb, "argument": argument, "only": row.pk}, item)
    return row


def _keep(agent: Agent, told: dict[str, Any], item: JobItem) -> None:
    """The finished job of one change; a second click in haste goes on with that of the first."""
    newest = Job.objects.select_for_update().filter(agent=agent, total=1, kind=JobKind.BULK).order_by("-pk").first()
    if newest and newest.what["verb"] == told["verb"] and newest.created_at > timezone.now() - HASTE:
        first = newest.items.filter(ticket=item.ticket_id, after=item.before, before__isnull=False)
        if may_be_undone(newest) and first.update(after=item.after):
            newest.what = told
            newest.save(update_fields=["what"])
            return
    item.job = Job.objects.create(agent=agent, kind=JobKind.BULK, what=told, total=1, done=1, changed=1)
    item.save()
    _hide_older(item.job)
    end(item.job, JobState.DONE)


def _hide_older(job: Job) -> None:
    """What went well before cannot be undone any more: `_newer` the other way round."""
    went_well = Job.objects.filter(agent=job.agent_id, state=JobState.DONE, failed=0, hidden=False, pk__lt=job.pk)
    went_well = went_well.exclude(kind__in=NO_CHANGES)
    (went_well.filter(total=1) if job.total == 1 else went_well).update(hidden=True)


def made(agent: Agent, kind: JobKind, what: dict[str, Any], client_id: str) -> tuple[Job, bool]:
    """The job of this click, and whether it is a new one. A new one is held by whoever asked, for a moment."""
    held = {"kind": kind, "what": what, "lease_until": timezone.now() + LEASE}
    if not client_id:
        return Job.objects.create(agent=agent, **held), True
    return Job.objects.get_or_create(agent=agent, client_id=client_id[:64], defaults=held)


def hand_over(job: Job) -> None:
    """To the workers, on commit."""
    wake.run(TASK, [job.pk], "default")
    transaction.on_commit(partial(tell, job), robust=True)


def finish_now(job: Job) -> Job:
    """Do all of it while its agent waits; what goes wrong half-way is gone on with by the sweep."""
    while not job.is_over:
        job = step(job.pk)
    return job


def tell(job: Job) -> None:
    """Say on its agent's pages how far it is."""
    live.hint([job.agent_id], job=job.pk, state=job.state, total=job.total, done=job.done, failed=job.failed)


def stop(job: Job) -> None:
    """Leave undone what is not done yet."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        if not row.is_over:
            end(row, JobState.CANCELLED)


def hide(job: Job) -> None:
    """Its agent has read how it ended."""
    Job.objects.filter(pk=job.pk).exclude(state__in=TO_DO).update(hidden=True)


# Undo ----------------------------------------------------------------------------------------------------------------


def may_be_undone(job: Job) -> bool:
    """The agent's newest change (of many, of one), for some minutes, once."""
    return (
        job.kind == JobKind.BULK
        and job.changed > 0
        and job.finished_at is not None
        and job.finished_at > timezone.now() - UNDO_FOR
        and not _newer(job).exists()
    )


def _newer(job: Job) -> QuerySet[Job, Job]:
    """Changes after this one: before a change of many, those of a single ticket do not count."""
    newer = Job.objects.filter(agent=job.agent_id, pk__gt=job.pk).exclude(kind__in=NO_CHANGES)
    return newer if job.total == 1 else newer.exclude(total=1)


def undo(job: Job) -> Job:
    """Put back what a job changed, where it is still as the job left it. Raises ActionError when it is too late."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        there = Job.objects.filter(undoes=row).first()
        if there is not None:
            return there
        if not may_be_undone(row):
            raise ActionError(_("It is too late to undo this."), "late")
        at_once = row.changed <= FEW
        found = Job.objects.create(
            agent_id=row.agent_id,
            kind=JobKind.UNDO,
            state=JobState.RUNNING,
            what={name: row.what[name] for name in ("verb", "argument", "only") if name in row.what},
            total=row.changed,
            undoes=row,
            lease_until=timezone.now() + LEASE if at_once else None,
        )
        Job.objects.filter(pk=row.pk).update(hidden=True)
        if not at_once:
            hand_over(found)
    return finish_now(found) if at_once else found


# Step by step --------------------------------------------------------------------------------------------------------

STEPS: dict[str, Step] = {}  # of each kind of job: a step, at the end of which the job may be over


def step(pk: int) -> Job:
    """Go one step further with a job that the caller holds; returns it as it is then."""
    with live.held() as changed, transaction.atomic():
        job = Job.objects.select_for_update().select_related(None).get(pk=pk)
        if job.is_over:
            return job
        agent = Agent.objects.get(pk=job.agent_id)
        job.attempts, job.lease_until = 0, timezone.now() + LEASE
        try:
            if not agent.is_active:
                raise ActionError(_("This person was switched off."), "inactive")
            with nullcontext() if job.total == 1 else log.how(bulk=True):
                STEPS[job.kind](job, agent)
        except ActionError as error:
            job.error = str(error)
            end(job, JobState.FAILED)
        job.save()
    if job.total <= TOLD_ONE_BY_ONE:
        live.announce(changed)
    elif job.is_over and job.kind != JobKind.EXPORT:
        # So many that pages are told to ask for their lists again, once; meanwhile they look by themselves.
        numbers = JobItem.objects.filter(job=job.undoes_id or job.pk, before__isnull=False)
        live.announce(numbers.values_list("ticket", flat=True)[: 2 * TOLD_ONE_BY_ONE])
    return job


def _forget_words(job: Job) -> None:
    """What somebody typed may name a customer: it is not kept when it is not needed any more."""
    job.what = {key: value for key, value in job.what.items() if key not in {"listing", "last", "text", "told"}}


def end(job: Job, state: JobState) -> None:
    """It is over."""
    job.state, job.finished_at, job.lease_until = state, timezone.now(), None
    _forget_words(job)
    job.save()
    transaction.on_commit(partial(tell, job), robust=True)


def _change(job: Job, agent: Agent) -> None:
    """Write down which tickets are meant, then change them, some at a time."""
    verb = VERBS[job.what["verb"]]
    if not may(agent, verb.right):
        raise ActionError(_("You may not do that."), "verb")
    if job.state == JobState.QUEUED:
        return _plan(job, agent)
    value = verb.means(agent, job.what["argument"])
    items = list(job.items.filter(ticket__gt=job.after).order_by("ticket")[: 1 if verb.alone else BATCH])
    rows = _rows(access.tickets(agent), [item.ticket_id for item in items], verb)
    before = {number: verb.state(row, agent) for number, row in rows.items()}
    if verb.many is not None:
        verb.many(agent, list(rows), value)
    for item in items:
        row = rows.get(item.ticket_id)
        if row is None:
            item.error = _("You may not see this ticket any more.")
        else:
            _change_one(item, before[item.ticket_id], row, verb, value, agent)
        job.failed += bool(item.error)
        job.done += not item.error
        job.changed += item.before is not None
        job.after = item.ticket_id
    JobItem.objects.bulk_update(items, ["before", "after", "error"])
    if job.done + job.failed >= job.total or not items:
        end(job, JobState.DONE)


def _plan(job: Job, agent: Agent) -> None:
    if plan(job, matching(agent, job.what["listing"]), PLAN):
        _forget_words(job)


def plan(job: Job, meant: TicketQuerySet, most: int) -> bool:
    """Write down the next tickets of a job that is about `meant`; at the last, it runs, and True is returned."""
    left = meant.filter(pk__gt=job.after, pk__lte=job.what["last"])
    numbers = list(left.order_by("pk").values_list("pk", flat=True).distinct()[:most])
    JobItem.objects.bulk_create([JobItem(job=job, ticket_id=number) for number in numbers])
    job.total += len(numbers)
    job.after = numbers[-1] if numbers else job.after
    if len(numbers) < most:
        job.state, job.after = JobState.RUNNING, 0
    return not job.after


def _rows(found: TicketQuerySet, numbers: Sequence[int], verb: Verb) -> dict[int, Ticket]:
    """These tickets, locked in order unless the verb locks by itself."""
    wanted = found.filter(pk__in=numbers).order_by("pk")
    return {row.pk: row for row in (wanted if verb.alone else wanted.select_for_update(no_key=True))}


def _change_one(item: JobItem, before: State, row: Ticket, verb: Verb, value: Any, agent: Agent) -> None:
    def change() -> None:
        changed = row if verb.many is not None else verb.do(row, value, agent)
        _remember(item, before, verb.state(changed, agent))

    item.error = why_not(change)


def _remember(item: JobItem, before: State, after: State) -> None:
    if before != after:
        item.before, item.after = before, after


def why_not(do: Callable[[], object]) -> str:
    """Why it could not be done; nothing when it was. What nobody foresaw leaves out one ticket, not all the others."""
    try:
        do()  # actions are savepoints themselves
    except ActionError as error:
        return str(error)[:300]
    except DatabaseError:
        raise  # the step is done again
    except Exception:
        logger.exception("a ticket was left out of a job")
        return _("Something went wrong on our side.")
    return ""


def _put_back(job: Job, agent: Agent) -> None:
    """Undo for some tickets of another job: those that are as it left them."""
    verb = VERBS[job.what["verb"]]
    if not may(agent, verb.right):
        raise ActionError(_("You may not do that."), "verb")
    changed = JobItem.objects.filter(job=job.undoes_id, before__isnull=False, ticket__gt=job.after)
    items = list(changed.order_by("ticket")[: 1 if verb.alone else BATCH])
    rows = _rows(Ticket.objects.all(), [item.ticket_id for item in items], verb)
    left_out, together = [], defaultdict[str, list[int]](list)
    for item in items:
        error = _put_back_one(item, rows.get(item.ticket_id), verb, agent, together)
        if error:
            left_out.append(JobItem(job=job, ticket_id=item.ticket_id, error=error))
        job.failed += bool(error)
        job.done += not error
        job.changed += not error
        job.after = item.ticket_id
    for value, numbers in together.items():
        assert verb.many is not None
        verb.many(agent, numbers, value)
    JobItem.objects.bulk_create(left_out)
    if not items or job.done + job.failed >= job.total:
        end(job, JobState.DONE)


def _put_back_one(item: JobItem, row: Ticket | None, verb: Verb, agent: Agent, together: dict[str, list[int]]) -> str:
    """Put one back, or note what is to be put back `together`; returns why not."""
    left = item.after or {}  # an older Rabta may have kept less
    if row is None or {name: value for name, value in verb.state(row, agent).items() if name in left} != left:
        return _("It was changed since.")
    as_it_was = Ticket(pk=row.pk, channel_id=row.channel_id, also_channels=row.also_channels)
    was: dict[str, Any] = item.before or {}
    as_it_was.assignee_id = was.get("assignee_id", row.assignee_id)
    as_it_was.team_id = was.get("team_id", row.team_id)
    # Given to where its agent does not see it: that, too, can be taken back, to where they do.
    if not access.sees(agent, as_it_was):
        return _("You may not see this ticket any more.")
    if verb.many is not None:
        together[was["is"]].append(row.pk)
        return ""
    return why_not(lambda: verb.back(row, was, agent))


STEPS[JobKind.BULK] = _change
STEPS[JobKind.UNDO] = _put_back
