"""Who works on jobs: a worker holds one for some seconds, goes through its steps, and hands it on.

A job whose worker died is found by its lease; what it is about, and that each ticket is changed once, is in
`inbox.actions.jobs`.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inbox import locks, wake
from inbox.actions import exporting, jobs
from inbox.actions import incidents as incidents  # whose jobs are worked on, too
from inbox.models import Job, JobState
from inbox.models.jobs import TO_DO

logger = logging.getLogger(__name__)

SLICE = 4.0  # seconds that a worker stays with one job: mail that is to leave waits no longer for it
TELL_EVERY = 0.3
TRIES = 5  # without a step further: then it is the job that stops its workers


def due() -> QuerySet[Job]:
    """Jobs that nobody holds, or whose holder died."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    return Job.objects.filter(free, state__in=TO_DO).order_by("pk")


def claim(pk: int) -> Job | None:
    """Hold this job for a while, if nobody does."""
    with transaction.atomic():
        job = due().select_for_update(skip_locked=True, of=("self",)).select_related("agent").filter(pk=pk).first()
        if job is None:
            return None
        job.attempts, job.lease_until = job.attempts + 1, timezone.now() + jobs.LEASE
        if job.attempts > TRIES:
            job.error = _("This was tried several times and never came further. It is in the log of the worker.")
            job.state, job.finished_at, job.lease_until = JobState.FAILED, timezone.now(), None
        job.save(update_fields=["attempts", "lease_until", "state", "error", "finished_at"])
    return None if job.is_over else job


def work(pk: int) -> int:
    """Go on with one job for some seconds; returns how many steps it came further."""
    job = claim(pk)
    if job is None:
        return 0
    steps, until, told = 0, time.monotonic() + SLICE, time.monotonic()
    with translation.override(job.agent.language or settings.LANGUAGE_CODE):
        while not job.is_over and time.monotonic() < until:
            try:
                job = jobs.step(pk)
            except OperationalError as error:
                if not locks.lost_race(error):
                    raise
                continue
            steps += 1
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                jobs.tell(job)
    if not job.is_over:
        Job.objects.filter(pk=pk, state__in=TO_DO).update(lease_until=None)
        wake.run(jobs.TASK, [pk], "default")
    return steps


def sweep() -> None:
    """Wake a worker for each job that nobody holds, and clear away what is left of files that are gone."""
    exporting.sweep()
    # What was begun a moment ago has its own wake-up.
    for pk in due().filter(created_at__lt=timezone.now() - timedelta(seconds=2)).values_list("pk", flat=True)[:20]:
        wake.run(jobs.TASK, [pk], "default")


def prune() -> int:
    """Forget jobs past their age (JOB_DAYS) with what they remember of tickets, and files past theirs (EXPORT_DAYS)."""
    exporting.expire()
    old = Job.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.JOB_DAYS)).exclude(state__in=TO_DO)
    old = old.filter(stored="")
    return old.delete()[1].get("inbox.Job", 0)
