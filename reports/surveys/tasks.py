"""What workers do for surveys."""

from celery import shared_task

from reports.actions import asking


@shared_task(name="reports.surveys.ask")
def ask() -> int:
    """Ask whoever is due."""
    return asking.sweep()


@shared_task(name="reports.surveys.plan")
def plan() -> int:
    """Find whom surveys are for that no ticket brings up, and forget who was left out long ago."""
    asking.prune()
    return asking.plan_periodic()
