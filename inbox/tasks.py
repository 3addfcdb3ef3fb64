"""What workers do. Tasks carry ids, are safe to run twice, and call one function; what is due stands in PostgreSQL."""

import logging

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from inbox import delivery, digest, fetching, health, jobs, log, polling, push, restoring, sessions, tending, wake
from inbox.actions import joining, reach, receive, scheduling, sweeping, trash
from inbox.models import Receipt, ReceiptState

logger = logging.getLogger(__name__)


@shared_task(name="inbox.tasks.take_in")
def take_in() -> int:
    """Take in all receipts that are due."""
    return receive.take_in_waiting()


@shared_task(name="inbox.tasks.deliver")
def deliver(channel_id: int) -> int:
    """Send what is due on one channel."""
    return delivery.deliver(channel_id)


@shared_task(name="inbox.tasks.poll")
def poll(channel_id: int) -> int:
    """Fetch what is new on one channel."""
    return polling.poll(channel_id)


@shared_task(name="inbox.tasks.fetch_files")
def fetch_files() -> int:
    """Fetch files that messages left on their platform."""
    return fetching.fetch_waiting()


@shared_task(name="inbox.tasks.tend")
def tend(channel_id: int) -> bool:
    """Look after one channel."""
    return tending.tend(channel_id)


@shared_task(name="inbox.tasks.tend_channels")
def tend_channels() -> None:
    """Have every channel looked after that nobody has for a while."""
    for channel_id, kind in tending.due_channels():
        wake.tend(channel_id, kind)


@shared_task(name="inbox.tasks.work_on")
def work_on(job_id: int) -> int:
    """Go on with one agent's change of many tickets, or export."""
    return jobs.work(job_id)


@shared_task(name="inbox.tasks.sweep")
def sweep() -> None:
    """Find what is due, stuck or forgotten, and wake whoever does it. Runs every few seconds."""
    steps = (
        scheduling.sweep,
        _wake_workers,
        delivery.recover,
        sweeping.end_snoozes,
        sweeping.close_solved,
        joining.follow,
        reach.remind,
        jobs.sweep,
    )
    away: Exception | None = None
    for step in steps:
        try:
            step()
        except (OperationalError, InterfaceError) as error:  # the database, or a lock that one step did not get
            away = away or error
        except Exception:
            logger.exception("the sweep left out %s", step.__name__)  # one fault must not keep the rest from work
    if away is not None:
        raise away


def _wake_workers() -> None:
    for channel_id, kind in delivery.due_channels():
        wake.deliver(channel_id, kind)
    if Receipt.objects.filter(state=ReceiptState.NEW, next_attempt_at__lte=timezone.now()).exists():
        wake.take_in()
    if fetching.is_due():
        wake.fetch()


@shared_task(name="inbox.tasks.push")
def send_pushes() -> int:
    """Show in browsers what agents are to be told."""
    return push.send_due()


@shared_task(name="inbox.tasks.digest")
def send_digests() -> int:
    """Mail what agents have not read on the page."""
    return digest.send_due()


@shared_task(name="inbox.tasks.poll_channels")
def poll_channels() -> None:
    """Wake a poller for each channel that wants one."""
    for channel_id, kind in polling.due_channels():
        wake.poll(channel_id, kind)


@shared_task(name="inbox.tasks.follow_log")
def follow_log() -> int:
    """Let every follower of the log read on."""
    restoring.adopt()
    return log.follow_all()


@shared_task(name="inbox.tasks.prune")
def prune() -> int:
    """Forget what is past its age. Runs daily."""
    health.prune()
    sessions.prune()
    jobs.prune()
    trash.empty()
    return sweeping.prune()
