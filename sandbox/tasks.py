"""What workers do for the sandbox: the emulated platforms' own work, and the shop's."""

from celery import shared_task

from sandbox import reviews
from sandbox.phones import acts, core


@shared_task(name="sandbox.tasks.push")
def push() -> int:
    """Tell what emulated platforms and the shop have to tell: due every second, and whenever something is told."""
    acts.load()  # each platform's module registers how it tells
    return core.push() + reviews.push()
