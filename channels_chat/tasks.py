"""What workers do for live chat."""

from celery import shared_task

from channels_chat import queue
from channels_chat.actions import flow, presence


@shared_task(name="channels_chat.tasks.tend")
def tend() -> None:
    """Move the queue on, and take chats from silent bots: due every two seconds, and whenever something happened."""
    presence.sweep()
    flow.watch()
    queue.tend()
