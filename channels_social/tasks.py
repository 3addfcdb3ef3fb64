"""What workers do for messengers and social networks. Tasks carry ids and are safe to run twice."""

from celery import shared_task

from channels_social import activity, posts, profiles
from channels_social.telegram import buttons


@shared_task(name="channels_social.tasks.profiles")
def fetch_profiles(channel_id: int, *identities: int) -> int:
    """Ask a platform what these people call themselves, who are known by a number alone."""
    return profiles.fetch(channel_id, identities)


@shared_task(name="channels_social.tasks.posts")
def fetch_posts(channel_id: int, *messages: int) -> int:
    """Ask a platform what these comments stand under."""
    return posts.fetch(channel_id, messages)


@shared_task(name="channels_social.tasks.look_at_activity")
def look_at_activity() -> int:
    """Find which customers are to see that somebody reads and writes."""
    return activity.look()


@shared_task(name="channels_social.tasks.tell_activity")
def tell_activity(channel_id: int, writing: list[int], reading: list[int]) -> int:
    """Tell a platform that the customers of these tickets are being written to, or were read."""
    return activity.tell(channel_id, writing, reading)


@shared_task(name="channels_social.tasks.answer_press")
def answer_press(channel_id: int, press: str) -> int:
    """Tell Telegram that a press on a button below a message of ours has come in."""
    return buttons.answer_queries(channel_id, [press])


@shared_task(name="channels_social.tasks.answer_presses")
def answer_presses(channel_id: int, *messages: int) -> int:
    """Tell Telegram that the presses on buttons which became these messages have come to us."""
    return buttons.answer(channel_id, messages)
