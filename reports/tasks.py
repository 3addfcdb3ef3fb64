"""What workers do for figures."""

from celery import shared_task

from reports import weekly
from reports.actions import importing


@shared_task(name="reports.tasks.weekly")
def send_weekly_mails() -> int:
    """Send the weekly mails that are due."""
    return weekly.send_due()


@shared_task(name="reports.tasks.expire")
def expire_files() -> int:
    """Delete files of revenue that nobody took in."""
    return importing.expire()
