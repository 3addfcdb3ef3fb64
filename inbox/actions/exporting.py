"""Exports: begin one, write it part by part, forget it.

A part is a file of its own in storage: memory holds a few thousand tickets at most, any storage will do, and after a
kill the worker goes on with the part it was at. They are put together when somebody fetches the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import access, exports, files, log
from inbox.actions import erasing, jobs
from inbox.actions.errors import ActionError
from inbox.models import Agent, Job, JobKind, JobState, Ticket
from inbox.models.jobs import TO_DO
from inbox.rights import Right, may

PART = 2_000  # tickets of a part


def begin(
    agent: Agent,
    columns: Sequence[str],
    *,
    chosen: Sequence[int] = (),
    listing: dict[str, str] | None = None,
    client_id: str = "",
) -> Job:
    """Write a file of the chosen tickets, or of all that the list holds. Raises ActionError."""
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
    found = (
        jobs.matching(agent, job.what["listing"])
        if "listing" in job.what
        else access.tickets(agent).filter(pk__in=job.what["chosen"])
    )
    return found.filter(pk__gt=job.after, pk__lte=job.what["last"]).order_by("pk")


def _write_part(job: Job, agent: Agent) -> None:
    if not may(agent, Right.EXPORT):
        raise ActionError(_("You may not do that."), "right")
    if job.state == JobState.QUEUED:
        job.total, job.state = meant(job, agent).count(), JobState.RUNNING
        return
    known = exports.columns()
    wanted = [known[key] for key in job.what["columns"] if key in known]
    tickets = list(meant(job, agent).select_related("customer", "channel", "assignee", "team", "organisation")[:PART])
    if tickets or not job.what["parts"]:
        content = exports.rows(tickets, wanted, exports.zone_of(agent))
        if not job.what["parts"]:
            content = exports.heading(wanted) + content
        _store(part_name(job, job.what["parts"]), content)
        job.what["parts"] += 1
        job.what["size"] = job.what.get("size", 0) + len(content)
        job.done += len(tickets)
        job.after = tickets[-1].pk if tickets else job.after
    if len(tickets) < PART:
        job.changed = job.total = job.done
        job.what.pop("chosen", None)
        log.record(None, "tickets_exported", by=agent, count=job.done, columns=len(wanted))
        jobs.end(job, JobState.DONE)


def part_name(job: Job, number: int) -> str:
    return f"{job.stored}/{number:05}.csv"


def _store(name: str, content: bytes) -> None:
    try:
        if default_storage.exists(name):
            default_storage.delete(name)  # of a worker that died before it said so
        default_storage.save(name, ContentFile(content))
    except Exception as error:
        raise ActionError(_("Files cannot be stored at present. Try again later."), "storage") from error


def content(job: Job) -> Iterator[bytes]:
    """The file, part by part."""
    for number in range(job.what["parts"]):
        with default_storage.open(part_name(job, number)) as part:
            yield from part.chunks()


def forget(job: Job) -> None:
    """Delete the file of an export, and stop one that is being written. A part too many harms nobody."""
    names = [part_name(job, number) for number in range(job.what.get("parts", 0) + 1)]
    Job.objects.filter(pk=job.pk, state__in=TO_DO).update(
        state=JobState.FAILED, finished_at=timezone.now(), lease_until=None, error=_("Somebody was erased meanwhile.")
    )
    Job.objects.filter(pk=job.pk).update(stored="", what={"columns": job.what.get("columns", [])})

    def delete() -> None:
        for name in names:
            files.erase(name)

    transaction.on_commit(delete, robust=True)


def expire() -> int:
    """Delete files past their age (EXPORT_DAYS)."""
    old = Job.objects.filter(kind=JobKind.EXPORT, finished_at__lt=timezone.now() - timedelta(days=settings.EXPORT_DAYS))
    found = list(old.exclude(stored=""))
    for job in found:
        forget(job)
    return len(found)


@erasing.also
def _forget_all(person: erasing.Person) -> None:
    """Whoever is erased may be in any of them, and tickets change hands: all go."""
    for job in Job.objects.select_for_update().filter(kind=JobKind.EXPORT).exclude(stored="").order_by("pk"):
        forget(job)
    # What somebody typed into a filter may name them.
    for job in Job.objects.filter(what__has_key="listing", state__in=TO_DO).exclude(kind=JobKind.EXPORT).order_by("pk"):
        jobs.stop(job)


jobs.STEPS[JobKind.EXPORT] = _write_part
