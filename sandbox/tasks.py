"""What workers do for the sandbox: the emulated platforms' own work."""

from celery import shared_task

from sandbox.phones import acts, core


@shared_task(name="sandbox.tasks.push")
def push() -> int:
    """Tell by webhook what emulated platforms have to tell: due every second, and whenever something is told."""
    acts.load()  # each platform's module registers how it tells
    return core.push()
