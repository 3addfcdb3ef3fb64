"""What workers do for live chat."""

from celery import shared_task

from channels_chat import queue
from channels_chat.actions import continuity, flow, forgetting, presence, transcripts


@shared_task(name="channels_chat.tasks.tend")
def tend() -> None:
    """Move the queue on, take chats from silent bots, write to visitors who left: due every two seconds, and whenever
    something happened."""
    presence.sweep()
    flow.watch()
    queue.tend()
    continuity.sweep()


@shared_task(name="channels_chat.tasks.transcripts")
def send_transcripts() -> int:
    """Send the chats that visitors want by e-mail: due as soon as somebody asks, and found by a sweep."""
    return transcripts.send_due()


@shared_task(name="channels_chat.tasks.prune")
def prune() -> int:
    """Forget what is kept of visits for long enough (CHAT_DAYS)."""
    return forgetting.prune()
