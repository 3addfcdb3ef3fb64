"""What workers do for handle time."""

from celery import shared_task

from reports.handling import refreshing


@shared_task(name="reports.handling.tasks.refresh")
def refresh() -> int:
    """Share out anew the time of agents of whom something new is known."""
    return refreshing.refresh()
