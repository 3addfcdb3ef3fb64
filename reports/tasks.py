"""What workers do for figures."""

from celery import shared_task

from reports import weekly


@shared_task(name="reports.tasks.weekly")
def send_weekly_mails() -> int:
    """Send the weekly mails that are due."""
    return weekly.send_due()
