"""Exports: begin one, write it part by part, forget it.

A part is a file of its own in storage: memory holds a few thousand tickets at most, any storage will do, and after a
kill the worker goes on with the part it was at. They are put together when somebody fetches the file. Which tickets are
in it is kept (`JobItem`) as long as the file: whoever is erased is left in none, and whoever fetches it sees all of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import access, exports, files, locks, log
from inbox.actions import erasing, jobs, naming
from inbox.actions.errors import ActionError
from inbox.actions.naming import without
from inbox.models import Agent, Job, JobItem, JobKind, JobState, Ticket
from inbox.models.jobs import TO_DO
from inbox.rights import Right, may

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PART = 2_000  # tickets of a part


@dataclass(frozen=True, slots=True)
class Source:
    """Where an app has tickets from that no list describes: each with an amount, which becomes the last column.

    Both are given who asks and what the app keeps with the job; `amounts` besides the numbers of a part's tickets.
    """

    label: StrOrPromise
    tickets: Callable[[Agent, Mapping[str, Any]], QuerySet[Ticket]]
    amounts: Callable[[Agent, Mapping[str, Any], Sequence[int]], dict[int, float]]


SOURCES: dict[str, Source] = {}
DELETED_AT_ONCE = 10_000  # rows of what was in a file; a large one has a million


def begin(
    agent: Agent,
    columns: Sequence[str],
    *,
    chosen: Sequence[int] = (),
    listing: dict[str, str] | None = None,
    source: tuple[str, dict[str, Any]] | None = None,
    client_id: str = "",
) -> Job:
    """Write a file of the chosen tickets, of all that the list holds, or of all of a source (of SOURCES, with what it
    keeps). Raises ActionError.
    """
    if not may(agent, Right.EXPORT):
        raise ActionError(_("You may not do that."), "right")
    wanted = [key for key in exports.columns() if key in set(columns)]
    if not wanted:
        raise ActionError(_("Choose at least one column."), "columns")
    if len(chosen) > jobs.MOST_CHOSEN:
        raise ActionError(_("These are too many to name one by one: choose all that match."), "many")
    what: dict[str, Any] = {
        "columns": wanted,
        "parts": 0,
        "last": Ticket.objects.aggregate(last=Max("pk"))["last"] or 0,
    }
    if source is not None:
        what |= {"source": source[0], "told": source[1]}
    else:
        what |= {"chosen": sorted(set(chosen))} if listing is None else {"listing": listing}
    with transaction.atomic():
        job, is_new = jobs.made(agent, JobKind.EXPORT, what, client_id)
        if is_new:
            job.stored, job.lease_until = f"exports/{uuid4().hex}", None
            job.save(update_fields=["stored", "lease_until"])
            jobs.hand_over(job)
    return job


def meant(job: Job, agent: Agent) -> Any:
    """The tickets that are still to be written, oldest first."""
    if "source" in job.what:
        found = SOURCES[job.what["source"]].tickets(agent, job.what["told"])
    elif "listing" in job.what:
        found = jobs.matching(agent, job.what["listing"])
    else:
        found = access.tickets(agent).filter(pk__in=job.what["chosen"])
    return found.filter(pk__gt=job.after, pk__lte=job.what["last"]).order_by("pk")


def _write_part(job: Job, agent: Agent) -> None:
    if not may(agent, Right.EXPORT):
        raise ActionError(_("You may not do that."), "right")
    if not _nobody_is_erased():
        time.sleep(0.1)
        return
    if job.state == JobState.QUEUED:
        if _delete_items(job):  # of a file that is written anew
            return
        job.total, job.state = meant(job, agent).count(), JobState.RUNNING
        return
    known = exports.columns()
    wanted = [known[key] for key in job.what["columns"] if key in known]
    tickets = list(meant(job, agent).select_related("customer", "channel", "assignee", "team", "organisation")[:PART])
    if "source" in job.what:
        source = SOURCES[job.what["source"]]
        amounts = source.amounts(agent, job.what["told"], [ticket.pk for ticket in tickets])
        wanted.append(exports.Column(source.label, lambda ticket: amounts.get(ticket.pk)))
    if tickets or not job.what["parts"]:
        content = exports.rows(tickets, wanted, exports.zone_of(agent))
        if not job.what["parts"]:
            content = exports.heading(wanted) + content
        _store(part_name(job, job.what["parts"]), content)
        JobItem.objects.bulk_create([JobItem(job=job, ticket=ticket) for ticket in tickets])
        job.what["parts"] += 1
        job.what["size"] = job.what.get("size", 0) + len(content)
        job.done += len(tickets)
        job.after = tickets[-1].pk if tickets else job.after
    if len(tickets) < PART:
        job.changed = job.total = job.done
        job.what.pop("chosen", None)
        log.record(None, "tickets_exported", by=agent, count=job.done, columns=len(wanted))
        jobs.end(job, JobState.DONE)


def _nobody_is_erased() -> bool:
    """Whether rows can be read: until the end of this transaction no erasure begins whose rows would be in the part."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s, 0)", [locks.EXPORTS])
        return bool(cursor.fetchone()[0])


def part_name(job: Job, number: int) -> str:
    return f"{job.stored}/{number:05}.csv"


def _store(name: str, content: bytes) -> None:
    try:
        if default_storage.exists(name):
            default_storage.delete(name)  # of a worker that died before it said so
        default_storage.save(name, ContentFile(content))
    except Exception as error:
        raise ActionError(_("Files cannot be stored at present. Try again later."), "storage") from error


def is_seen(job: Job, agent: Agent) -> bool:
    """Whether this agent sees everything that is in the file, as they did when it was written."""
    hidden = access.sight(agent)
    if not (hidden.hidden_channels or hidden.hidden_teams):
        return True
    return not job.items.exclude(ticket__in=access.tickets(agent)).exists()


def content(job: Job) -> Iterator[bytes]:
    """The file, part by part."""
    for number in range(job.what["parts"]):
        with default_storage.open(part_name(job, number)) as part:
            yield from part.chunks()


def forget(job: Job) -> None:
    """Delete the file of an export that is over."""
    _delete_parts(job)
    job.stored, job.what = "", {"columns": job.what.get("columns", [])}
    job.save(update_fields=["stored", "what"])


def _delete_parts(job: Job) -> None:
    """On commit, the files; a part too many harms nobody. What is known of the tickets in them goes later (`sweep`)."""
    names = [part_name(job, number) for number in range(job.what.get("parts", 0) + 1)]

    def delete() -> None:
        for name in names:
            files.erase(name)

    transaction.on_commit(delete, robust=True)


def _delete_items(job: Job) -> int:
    some = JobItem.objects.filter(job=job).order_by("pk").values("pk")[:DELETED_AT_ONCE]
    return JobItem.objects.filter(pk__in=list(some.values_list("pk", flat=True))).delete()[0]


def sweep() -> None:
    """Delete which tickets were in files that are gone, some at a time: nobody waits for a million rows."""
    gone = Job.objects.filter(kind=JobKind.EXPORT, stored="").exclude(state__in=TO_DO)
    job = gone.filter(Exists(JobItem.objects.filter(job=OuterRef("pk")))).order_by("pk").first()
    if job is not None:
        _delete_items(job)


def _begin_again(job: Job) -> None:
    """What was written so far goes; what is in the tickets by now is written anew."""
    _delete_parts(job)
    job.stored, job.what = f"exports/{uuid4().hex}", {**job.what, "parts": 0, "size": 0}
    job.state, job.done, job.after, job.lease_until = JobState.QUEUED, 0, 0, None
    job.save(update_fields=["stored", "what", "state", "done", "after", "lease_until"])
    jobs.hand_over(job)


def expire() -> int:
    """Delete files past their age (EXPORT_DAYS)."""
    old = Job.objects.filter(kind=JobKind.EXPORT, finished_at__lt=timezone.now() - timedelta(days=settings.EXPORT_DAYS))
    found = list(old.exclude(stored=""))
    for job in found:
        forget(job)
    return len(found)


@erasing.also
def _forget_person(person: naming.Person) -> None:
    # Parts that are being written end first, and none is begun until the erasure is committed: it reads what is left.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.EXPORTS])
    _forget_in_files(person)
    if person.words is not None:
        _forget_in_words(person.words)


def _forget_in_files(person: naming.Person) -> None:
    """Files with a ticket that was theirs, or that they took part in, go; what is being written begins again."""
    with transaction.atomic():
        written = Job.objects.filter(kind=JobKind.EXPORT).exclude(stored="")
        list(written.filter(state__in=TO_DO).select_for_update().order_by("pk").values_list("pk"))  # a step ends first
        items = JobItem.objects.filter(job=OuterRef("pk"))
        theirs = Exists(items.filter(ticket__in=person.tickets | person.elsewhere))
        for job in written.filter(theirs).select_for_update(of=("self",)).order_by("pk"):
            if job.is_over:
                forget(job)
            else:
                _begin_again(job)


def _forget_in_words(words: re.Pattern[str]) -> None:
    """What somebody typed into a filter may name them: such a job ends, and says why."""
    typed = Q(what__has_any_keys=["listing", "text", "told"]) | Q(what__verb__in=["tag", "untag"])
    for pk, what in list(Job.objects.filter(typed).order_by("pk").values_list("pk", "what")):
        if without(what, words) == what:
            continue
        job = Job.objects.select_for_update().get(pk=pk)
        if not job.is_over:
            job.error = _("Somebody whom this named was erased meanwhile.")
            jobs.end(job, JobState.FAILED)
        if job.kind == JobKind.EXPORT:
            forget(job)
        else:
            Job.objects.filter(pk=pk).update(what=without(job.what, words))


jobs.STEPS[JobKind.EXPORT] = _write_part
